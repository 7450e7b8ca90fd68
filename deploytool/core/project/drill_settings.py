"""The [drill] table of deploytool.toml: how a drill observes and what it must reach. Pure."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploytool.core.errors import InputProblems

KEYS = ["rate", "resolvers", "rto_seconds", "failback_seconds", "failed_share"]
HIGHEST_RATE = 100.0


@dataclass(frozen=True)
class Objectives:
    """What a drill must reach to pass, beside the failover itself.

    Times are in seconds and shares from 0 to 1. None means no objective; for `rto_seconds` and
    `failback_seconds` the bound that Route 53's rules predict applies instead.
    """

    rto_seconds: float | None = None
    failback_seconds: float | None = None
    failed_share: float | None = None


@dataclass(frozen=True)
class DrillSettings:
    """How a drill observes.

    `rate` is the number of requests that each client makes in a second of wall time, None for the
    target's default. `resolvers` are the addresses of recursive resolvers to query on AWS, beside
    the system's own.
    """

    rate: float | None = None
    resolvers: tuple[str, ...] = ()
    objectives: Objectives = field(default_factory=Objectives)


def parse_drill_settings(value: object, problems: InputProblems) -> DrillSettings:
    """Parse the table and add its problems."""
    if not isinstance(value, dict):
        problems.add("drill", "must be a table, like [drill]")
        return DrillSettings()
    for unknown in value.keys() - set(KEYS):
        problems.unknown("drill", unknown, KEYS)
    rate = _number(value, "rate", problems, HIGHEST_RATE, "requests a second")
    rto = _number(value, "rto_seconds", problems, 86_400, "seconds")
    failback = _number(value, "failback_seconds", problems, 86_400, "seconds")
    share = _share(value, problems)
    return DrillSettings(rate, _resolvers(value, problems), Objectives(rto, failback, share))


def _number(
    table: Mapping[str, Any], key: str, problems: InputProblems, most: float, unit: str
) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        problems.add(
            f"drill.{key}",
            f"{value!r} is not valid; it must be a number of {unit}, more than 0 and at most {most:g}",
        )
        return None
    return float(value)


def _share(table: Mapping[str, Any], problems: InputProblems) -> float | None:
    value = table.get("failed_share")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        problems.add(
            "drill.failed_share",
            f"{value!r} is not valid; it must be from 0 to 1, like 0.01 for one request in a hundred",
        )
        return None
    return float(value)


def _resolvers(table: Mapping[str, Any], problems: InputProblems) -> tuple[str, ...]:
    value = table.get("resolvers", [])
    if not isinstance(value, list):
        problems.add("drill.resolvers", 'must be a list of addresses, like ["1.1.1.1", "8.8.8.8"]')
        return ()
    for address in value:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            problems.add(
                "drill.resolvers",
                f"{address!r} is not the IP address of a resolver; write it like 1.1.1.1",
            )
    return tuple(map(str, value))
