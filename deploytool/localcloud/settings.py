"""How a local cloud is to be started: its state directory, regions and speed; and how that is said
on a command line.
"""

import argparse
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploytool.core.errors import InputError
from deploytool.localcloud.durations import Durations

ACCESS_KEY = "local"
SECRET_KEY = "local"  # noqa: S105 - nothing is secret on loopback; AWS tools only need some value
CONTROL_ADDRESS = "127.0.0.1"
DEFAULT_REGIONS = ("us-east-1", "us-west-2")
DEFAULT_SPEED = 1.0
STATE_FILE = "state.json"
LOCK_FILE = "lock"
LOG_FILE = "cloud.log"
CA_FILE = "ca.pem"
TEMPORARY = "tmp"
NO_DURATIONS = Durations()

# Edges take 127.0.0.11, 127.0.0.12, ...; the last octet ends at 254.
_FIRST_EDGE = 11
_MOST_REGIONS = 16
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


@dataclass(frozen=True)
class Settings:
    """How a cloud is to be started; `directory` holds all that it writes; `regions` are AWS's
    names, the primary first.

    `speed` is how many of the cloud's seconds pass in one second of wall time. With `lifeline` the
    cloud ends when its standard input does, so that it never outlives who started it. Without
    `delegate` the parent of a new hosted zone says nothing of it, as when nobody has been at the
    registrar yet. Without `durations` resources are made at once. With
    `enforce_iam` every call needs a permission, as on AWS; ACCESS_KEY is the account's root user
    then. Raises InputError for settings that no cloud can have.
    """

    directory: Path
    regions: tuple[str, ...] = DEFAULT_REGIONS
    speed: float = DEFAULT_SPEED
    lifeline: bool = False
    delegate: bool = True
    durations: Durations = NO_DURATIONS
    enforce_iam: bool = False

    def __post_init__(self) -> None:
        if not 0 < len(self.regions) <= _MOST_REGIONS or len(set(self.regions)) != len(
            self.regions
        ):
            raise InputError(
                f"regions: 1 to {_MOST_REGIONS} different regions, got {', '.join(self.regions) or 'none'}"
            )
        for region in self.regions:
            if not _REGION.fullmatch(region):
                raise InputError(f"regions: {region!r} is not the name of an AWS region")
        if not (math.isfinite(self.speed) and self.speed > 0):
            raise InputError(f"speed: must be a positive number, got {self.speed}")

    def edge_address(self, region: str) -> str:
        """The loopback address of a region's HTTPS edge: 127.0.0.11 for the first region, .12 for
        the second, and so on.
        """
        return f"127.0.0.{_FIRST_EDGE + self.regions.index(region)}"

    def to_arguments(self) -> list[str]:
        """The command line of `python -m deploytool.localcloud` that says the same."""
        arguments = [
            "--directory",
            str(self.directory),
            "--regions",
            ",".join(self.regions),
            "--speed",
            repr(self.speed),
        ]
        arguments += ["--durations", self.durations.to_json()]
        flags = {
            "--lifeline": self.lifeline,
            "--no-delegation": not self.delegate,
            "--enforce-iam": self.enforce_iam,
        }
        return [*arguments, *(flag for flag, wanted in flags.items() if wanted)]


def parse_arguments(arguments: Sequence[str]) -> tuple[Settings, int | None]:
    """The settings of a command line, and the file descriptor on which to say that the cloud is
    ready (None: nobody waits).
    """
    parser = argparse.ArgumentParser(
        prog="python -m deploytool.localcloud", description="Run a local cloud in the foreground."
    )
    parser.add_argument(
        "--directory",
        type=Path,
        required=True,
        help="where state.json, ca.pem and cloud.log are kept",
    )
    parser.add_argument(
        "--regions", default=",".join(DEFAULT_REGIONS), help="AWS regions, the primary first"
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=DEFAULT_SPEED,
        help="seconds of the cloud that pass in one second",
    )
    parser.add_argument(
        "--durations",
        type=Durations.from_json,
        default=NO_DURATIONS,
        metavar="JSON",
        help="seconds that resources take (default: none, they are made at once)",
    )
    parser.add_argument("--lifeline", action="store_true", help="end when standard input ends")
    parser.add_argument(
        "--no-delegation", action="store_true", help="leave new hosted zones undelegated"
    )
    parser.add_argument(
        "--enforce-iam", action="store_true", help="refuse what the caller's policies do not allow"
    )
    parser.add_argument(
        "--ready-fd",
        type=int,
        default=None,
        help="file descriptor to write to and close once ready",
    )
    found = parser.parse_args(arguments)
    directory, regions, delegate = (
        found.directory.resolve(),
        tuple(found.regions.split(",")),
        not found.no_delegation,
    )
    settings = Settings(
        directory,
        regions,
        found.speed,
        found.lifeline,
        delegate,
        found.durations,
        found.enforce_iam,
    )
    return settings, found.ready_fd
