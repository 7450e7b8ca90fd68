"""The [drill] table of deploytool.toml: how a drill observes and what it must reach. Pure."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploytool.core.errors import InputProblems

KEYS = [
    "rate",
    "resolvers",
    "rto_seconds",
    "failback_seconds",
    "failed_share",
    "patience_seconds",
    "after_deploy",
]
NO_DRILL = "none"
# The faults that every target has; a drill after a deployment injects one of them.
AFTER_DEPLOY = ("health-check", "throttle", "unmap", "switch", NO_DRILL)

# Requests a second of one client. A drill measures a failover and is not a load test.
HIGHEST_RATE = 100.0
LONGEST = 86_400.0  # seconds: a day


@dataclass(frozen=True)
class Objectives:
    """What a drill must reach to pass, beside the failover itself.

    None means no objective. Then a movement may take any time in which the drill waits for it.
    """

    rto_seconds: float | None = None  # from the fault until the secondary serves consistently
    failback_seconds: float | None = None  # from the restoration until the primary does again
    failed_share: float | None = None  # of all requests, from 0 to 1


@dataclass(frozen=True)
class DrillSettings:
    """How a drill observes."""

    # Requests that each client makes in a second of wall time. None: the target's default.
    rate: float | None = None

    # IP addresses of recursive resolvers to query on AWS, beside the system's own.
    resolvers: tuple[str, ...] = ()
    objectives: Objectives = field(default_factory=Objectives)

    # Seconds that a drill waits for a failover or a failback. None: a default that leaves room for
    # what AWS publishes no number for.
    patience_seconds: float | None = None

    # The fault that the pipeline injects after each deployment of a stage that is not protected.
    after_deploy: str = AFTER_DEPLOY[0]


def parse_drill_settings(value: object, problems: InputProblems) -> DrillSettings:
    """Parse the table and add its problems."""
    if not isinstance(value, dict):
        problems.add("drill", "must be a table, like [drill]")
        return DrillSettings()
    problems.unknown_keys("drill", value, KEYS)

    objectives = Objectives(
        rto_seconds=_positive(value, "rto_seconds", problems, LONGEST, "seconds"),
        failback_seconds=_positive(value, "failback_seconds", problems, LONGEST, "seconds"),
        failed_share=_share(value, problems),
    )
    rate = _positive(value, "rate", problems, HIGHEST_RATE, "requests a second")
    patience = _positive(value, "patience_seconds", problems, LONGEST, "seconds")
    resolvers = _resolvers(value, problems)
    return DrillSettings(rate, resolvers, objectives, patience, _after_deploy(value, problems))


def _positive(
    table: Mapping[str, Any], key: str, problems: InputProblems, most: float, unit: str
) -> float | None:
    """Return a number above 0 and up to `most`; None when it is missing or not valid."""
    value = table.get(key)
    if value is None:
        return None
    if _is_number(value) and 0 < value <= most:
        return float(value)

    problems.add(
        f"drill.{key}",
        f"{value!r} is not valid; it must be a number of {unit}, more than 0 and at most {most:g}",
    )
    return None


def _share(table: Mapping[str, Any], problems: InputProblems) -> float | None:
    # 0 is an objective too: no request may fail.
    value = table.get("failed_share")
    if value is None:
        return None
    if _is_number(value) and 0 <= value <= 1:
        return float(value)

    problems.add(
        "drill.failed_share",
        f"{value!r} is not valid; it must be from 0 to 1, like 0.01 for one request in a hundred",
    )
    return None


def _after_deploy(table: Mapping[str, Any], problems: InputProblems) -> str:
    value = table.get("after_deploy", AFTER_DEPLOY[0])
    if value in AFTER_DEPLOY:
        return str(value)

    problems.add(
        "drill.after_deploy", f"{value!r} is not valid; it must be one of {', '.join(AFTER_DEPLOY)}"
    )
    return AFTER_DEPLOY[0]


def _is_number(value: object) -> bool:
    # In Python true and false are whole numbers; in a TOML file they are not.
    return isinstance(value, int | float) and not isinstance(value, bool)


def _resolvers(table: Mapping[str, Any], problems: InputProblems) -> tuple[str, ...]:
    value = table.get("resolvers", [])
    if not isinstance(value, list):
        problems.add("drill.resolvers", 'must be a list of addresses, like ["1.1.1.1", "8.8.8.8"]')
        return ()

    for address in value:
        try:
            # A name would need a resolver to be resolved. A number would be taken for an address.
            ipaddress.ip_address(address if isinstance(address, str) else "")
        except ValueError:
            problems.add(
                "drill.resolvers",
                f"{address!r} is not the IP address of a resolver; write it like 1.1.1.1",
            )
    return tuple(map(str, value))
