"""The settings with which a local cloud is started, and the command line that has them."""

import argparse
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploytool.core.errors import InputError
from deploytool.localcloud.durations import Durations

ACCESS_KEY = "local"
SECRET_KEY = "local"  # noqa: S105  # nothing is secret on loopback; AWS tools need some value
CONTROL_ADDRESS = "127.0.0.1"
DEFAULT_REGIONS = ("us-east-1", "us-west-2")
DEFAULT_SPEED = 1.0
STATE_FILE = "state.json"
LOCK_FILE = "lock"
LOG_FILE = "cloud.log"
CA_FILE = "ca.pem"
TEMPORARY = "tmp"
LOCAL_DIRECTORY = "DEPLOYTOOL_LOCAL_DIR"  # the environment variable by which commands find a cloud
NO_DURATIONS = Durations()

# Edges have the addresses 127.0.0.11, 127.0.0.12, ...
_FIRST_EDGE = 11
_MOST_REGIONS = 16
_RESOURCE_TYPE = re.compile(r"[A-Za-z0-9]+::[A-Za-z0-9]+::[A-Za-z0-9]+(::MODULE)?")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


@dataclass(frozen=True)
class Settings:
    """How a cloud is started. Raises InputError for settings that no cloud can have.

    `directory` has every file that the cloud writes; `regions` are AWS's names, the primary first.
    `speed` is how many cloud seconds pass in one second of wall time. With `lifeline` the cloud
    ends when its standard input ends, so that it never outlives the process that started it.
    Without `delegate` the parent of a new hosted zone does not refer to it, as before anyone has
    changed its name servers at the registrar. Without `durations` resources are created
    at once. With `enforce_iam` every call needs a permission, as on AWS, and
    ACCESS_KEY belongs to the account's root user. With `quotas` requests over AWS's quotas are
    throttled. `left_out` are the resource types that stacks only note: nothing is created for them.
    """

    directory: Path
    regions: tuple[str, ...] = DEFAULT_REGIONS
    speed: float = DEFAULT_SPEED
    lifeline: bool = False
    delegate: bool = True
    durations: Durations = NO_DURATIONS
    enforce_iam: bool = False
    quotas: bool = False
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        are_different = len(set(self.regions)) == len(self.regions)
        if not are_different or not 1 <= len(self.regions) <= _MOST_REGIONS:
            given = ", ".join(self.regions) or "none"
            raise InputError(f"regions: 1 to {_MOST_REGIONS} different regions, got {given}")
        for region in self.regions:
            if not _REGION.fullmatch(region):
                raise InputError(f"regions: {region!r} is not the name of an AWS region")
        if not math.isfinite(self.speed) or self.speed <= 0:
            raise InputError(f"speed: must be a positive number, got {self.speed}")
        for resource_type in self.left_out:
            if not _RESOURCE_TYPE.fullmatch(resource_type):
                raise InputError(
                    f"--leave-out {resource_type}: not a resource type, like AWS::WAFv2::WebACL"
                )

    @property
    def edge_addresses(self) -> dict[str, str]:
        """The loopback address of each region's HTTPS edge: 127.0.0.11 for the first region."""
        return {
            region: f"127.0.0.{number}" for number, region in enumerate(self.regions, _FIRST_EDGE)
        }

    def to_arguments(self) -> list[str]:
        """Return the arguments of `python -m deploytool.localcloud` for these settings."""
        arguments = ["--directory", str(self.directory)]
        arguments += ["--regions", ",".join(self.regions)]
        arguments += ["--speed", repr(self.speed)]
        arguments += ["--durations", self.durations.to_json()]
        if self.lifeline:
            arguments.append("--lifeline")
        if not self.delegate:
            arguments.append("--no-delegation")
        if self.enforce_iam:
            arguments.append("--enforce-iam")
        if self.quotas:
            arguments.append("--quotas")
        for resource_type in self.left_out:
            arguments += ["--leave-out", resource_type]
        return arguments


def parse_arguments(arguments: Sequence[str]) -> tuple[Settings, int | None]:
    """Return the settings of a command line, and the file descriptor to write to once ready.

    The descriptor is None when no process waits for it. Raises InputError as Settings does.
    """
    options = _parser().parse_args(arguments)
    settings = Settings(
        directory=options.directory.resolve(),
        regions=tuple(options.regions.split(",")),
        speed=options.speed,
        lifeline=options.lifeline,
        delegate=not options.no_delegation,
        durations=options.durations,
        enforce_iam=options.enforce_iam,
        quotas=options.quotas,
        left_out=tuple(options.left_out),
    )
    return settings, options.ready_fd


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploytool.localcloud", description="Run a local cloud in the foreground."
    )
    parser.add_argument(
        "--directory", type=Path, required=True, help="where state.json, ca.pem and cloud.log are"
    )
    parser.add_argument(
        "--regions", default=",".join(DEFAULT_REGIONS), help="AWS regions, the primary first"
    )
    parser.add_argument(
        "--speed", type=float, default=DEFAULT_SPEED, help="cloud seconds in one second"
    )
    parser.add_argument(
        "--durations",
        type=Durations.from_json,
        default=NO_DURATIONS,
        metavar="JSON",
        help="seconds that resources take (default: none, they are created at once)",
    )
    parser.add_argument("--lifeline", action="store_true", help="end when standard input ends")
    parser.add_argument(
        "--no-delegation", action="store_true", help="leave new hosted zones undelegated"
    )
    parser.add_argument(
        "--enforce-iam", action="store_true", help="refuse what the caller's policies do not allow"
    )
    parser.add_argument(
        "--quotas", action="store_true", help="throttle requests that are over AWS's quotas"
    )
    parser.add_argument(
        "--leave-out",
        dest="left_out",
        action="append",
        default=[],
        metavar="TYPE",
        help="a resource type for which nothing is created",
    )
    parser.add_argument(
        "--ready-fd", type=int, help="file descriptor to write to and close once ready"
    )
    return parser
