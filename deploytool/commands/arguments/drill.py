"""The arguments of `deploytool drill` and `report`."""

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import dataclass
from pathlib import Path

from deploytool.commands.arguments.base import (
    StageArguments,
    add_confirmation,
    add_pair,
    add_report_directory,
    age,
    number,
)

LONGEST = 86_400.0  # seconds, for an objective
HIGHEST_RATE = 100.0  # requests a second


@dataclass(frozen=True)
class DrillArguments(StageArguments):
    """The arguments of `deploytool drill`.

    `rate` is in requests a second of wall time. An objective of None is the configuration's.
    """

    fault: str
    rate: float | None
    rto_seconds: float | None
    failback_seconds: float | None
    failed_share: float | None
    patience_seconds: float | None
    dry_run: bool
    no_guard: bool
    yes: bool
    confirm: str
    report_dir: Path
    domain: str
    zone_id: str
    path: str
    region_header: str
    show_policy: bool

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "--fault",
            # No `choices`: work.drill.faults knows the faults, and which of them a target has
            default="health-check",
            metavar="FAULT",
            help="the fault to inject: health-check (default), throttle, unmap or switch;"
            " with --local also refuse, blackhole, slow or error",
        )
        parser.add_argument(
            "--rate",
            type=_rate,
            metavar="N",
            help="the requests a second of each client (default: 10 with --local, 1 on AWS)",
        )
        _add_objectives(parser)
        _add_safety(parser)
        add_report_directory(parser)
        add_pair(parser)
        parser.add_argument(
            "--path",
            type=_path,
            default="/",
            metavar="PATH",
            help="with --domain: the path that the clients call (default: %(default)s)",
        )
        parser.add_argument(
            "--region-header",
            default="",
            metavar="NAME",
            help="with --domain: the header of an answer that tells the regions apart"
            " (default: the address that answers does)",
        )
        parser.add_argument(
            "--show-policy",
            action="store_true",
            help="with --domain: print the least IAM permissions for a drill of it, and end",
        )


def _add_safety(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--dry-run",
        "--plan",
        action="store_true",
        help="check that a drill could start and print its AWS calls; change nothing",
    )
    parser.add_argument(
        "--no-guard",
        action="store_true",
        help="do not arm the guard, which restores when this process cannot",
    )
    add_confirmation(parser)


def _add_objectives(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--rto-seconds",
        type=_objective,
        metavar="N",
        help="how long the failover of the clients may take",
    )
    parser.add_argument(
        "--failback-seconds",
        type=_objective,
        metavar="N",
        help="how long the failback may take",
    )
    parser.add_argument(
        "--failed-share",
        type=_share,
        metavar="X",
        help="the share of requests that may fail, from 0 to 1",
    )
    parser.add_argument(
        "--patience-seconds",
        type=_objective,
        metavar="N",
        help="how long to wait for a failover or a failback before it counts as failed",
    )


@dataclass(frozen=True)
class ReportArguments(StageArguments):
    """The arguments of `deploytool report`: a history, and one to compare it with."""

    history: Path
    other: Path | None
    report_dir: Path | None

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "history",
            type=Path,
            metavar="DRILL",
            help="the folder of a drill, or its history.jsonl",
        )
        parser.add_argument(
            "other",
            type=Path,
            nargs="?",
            metavar="OTHER",
            help="the folder or history.jsonl of another drill, to compare the first one with",
        )
        parser.add_argument(
            "--report-dir",
            type=Path,
            metavar="DIR",
            help="the folder for the reports (default: the one of the first history)",
        )


@dataclass(frozen=True)
class HistoryArguments(StageArguments):
    """The arguments of `deploytool history`. `max_age` is in seconds."""

    report_dir: Path
    max_age: float | None

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "--max-age",
            type=age,
            metavar="AGE",
            help="end with 1 when no drill that passed is younger, like 30d, 12h or 90m",
        )
        add_report_directory(parser)


def _path(text: str) -> str:
    if not text.startswith("/") or any(each.isspace() for each in text):
        raise ArgumentTypeError("must begin with a slash and have no space, like /health")
    return text


def _objective(text: str) -> float:
    value = number(text)
    if not 0 < value <= LONGEST:
        raise ArgumentTypeError(f"must be more than 0 and at most {LONGEST:.0f} seconds")
    return value


def _share(text: str) -> float:
    value = number(text)
    if not 0 <= value <= 1:
        raise ArgumentTypeError("must be from 0 to 1")
    return value


def _rate(text: str) -> float:
    value = number(text)
    if not 0 < value <= HIGHEST_RATE:
        raise ArgumentTypeError(
            f"must be more than 0 and at most {HIGHEST_RATE:.0f} requests a second"
        )
    return value
