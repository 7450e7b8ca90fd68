"""The arguments that several commands share, and how a class of arguments is parsed."""

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from deploytool.core.errors import InputError

# aws, or local for the same as --local: a pipeline then runs the same commands on both targets.
TARGET = "DEPLOYTOOL_TARGET"
REPORTS = Path("reports")
AGE_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0}  # seconds
DEFAULT_CONFIG = Path("deploytool.toml")


def default_config() -> Path:
    """Return deploytool.toml of this folder, else of the nearest folder above that has one."""
    if DEFAULT_CONFIG.exists():
        return DEFAULT_CONFIG
    try:
        folders = Path.cwd().parents
    except OSError:
        return DEFAULT_CONFIG  # this folder has been deleted
    for folder in folders:
        if (folder / DEFAULT_CONFIG).is_file():
            return folder / DEFAULT_CONFIG
    return DEFAULT_CONFIG


@dataclass(frozen=True)
class Arguments:
    """The arguments of every command. Each field has the name of an argument's destination."""

    config: Path
    output: str
    no_color: bool

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        """Add the arguments to the parser of a command. A subclass adds its own after these."""
        # `cli.main` takes the class from the namespace, to parse it
        parser.set_defaults(arguments=cls)
        group = parser.add_argument_group("general options")
        group.add_argument(
            "--output",
            choices=("text", "json"),
            default="text",
            help="the format of the result on standard output (default: text)",
        )
        group.add_argument(
            "--config",
            type=Path,
            default=default_config(),
            metavar="FILE",
            help="the configuration file (default: deploytool.toml of this folder or of the nearest"
            " one above)",
        )
        group.add_argument(
            "--no-color",
            action="store_true",
            help="print without colors, as with the NO_COLOR environment variable",
        )

    @classmethod
    def parse(cls, namespace: Namespace) -> Self:
        """Take the values of this class from what the parser returns."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            value = getattr(namespace, field.name)
            # argparse collects a repeatable argument in a list, which could change
            values[field.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)


@dataclass(frozen=True)
class StageArguments(Arguments):
    """The arguments of a command that works on one stage."""

    stage: str | None
    regions: tuple[str, ...]
    local: bool

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        group = parser.add_argument_group("target options")
        group.add_argument(
            "--stage",
            metavar="STAGE",
            help="the stage; required when the configuration has several",
        )
        group.add_argument(
            "--region",
            dest="regions",
            action="append",
            default=[],
            metavar="REGION",
            help="use only this region (repeatable)",
        )
        group.add_argument(
            "--local",
            action="store_true",
            # check_target_variable refuses other values, after the parser, with a clear message
            default=os.environ.get(TARGET) == "local",
            help=f"use the local cloud instead of AWS, as with {TARGET}=local",
        )
        super().add_to(parser)


def check_target_variable() -> None:
    """Raise InputError when DEPLOYTOOL_TARGET does not name a target."""
    # A typing error in `local` must not select AWS
    target = os.environ.get(TARGET, "")
    if target not in ("", "aws", "local"):
        raise InputError(f"{TARGET}={target}: the targets are aws and local")


def add_wait(parser: ArgumentParser) -> None:
    """Add --wait, of the commands that hold the stage's lock."""
    parser.add_argument(
        "--wait",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="wait this long for another run on the stage to end (default: fail at once)",
    )


def add_confirmation(parser: ArgumentParser) -> None:
    """Add --yes and --confirm, of the commands that move the traffic of a stage."""
    parser.add_argument(
        "--yes",
        action="store_true",
        help="do not ask to type the domain of a protected stage",
    )
    parser.add_argument(
        "--confirm",
        default="",
        metavar="DOMAIN",
        help="the domain of a protected stage, for a run without a terminal",
    )


def add_role_arn(parser: ArgumentParser) -> None:
    """Add --role-arn, of the commands that change stacks."""
    parser.add_argument(
        "--role-arn",
        metavar="ARN",
        help="the service role that CloudFormation assumes"
        " (default: AWS_CFN_ROLE_ARN, else your own permissions)",
    )


def add_report_directory(parser: ArgumentParser) -> None:
    """Add --report-dir, of the commands that write a drill's reports."""
    parser.add_argument(
        "--report-dir",
        type=Path,
        default=REPORTS,
        metavar="DIR",
        help=f"the folder that has a folder of reports for each drill (default: {REPORTS})",
    )


def add_pair(parser: ArgumentParser) -> None:
    """Add --domain and --zone-id, of the commands for a pair that deploytool did not deploy."""
    group = parser.add_argument_group("a failover pair that deploytool did not deploy")
    group.add_argument(
        "--domain",
        default="",
        metavar="DOMAIN",
        help="the name of the pair, like api.example.com; no project is read",
    )
    group.add_argument(
        "--zone-id",
        default="",
        metavar="ID",
        help="its hosted zone (default: the public zone with the longest name that fits)",
    )


def sentence(summary: str) -> str:
    """Make the summary of a list the description above a command's own help."""
    return f"{summary[0].upper()}{summary[1:]}."


def seconds(text: str) -> float:
    """Parse a number of seconds, 0 or more."""
    value = number(text)
    # Written so that it also refuses `nan`, which compares as false
    if not value >= 0:
        raise ArgumentTypeError("must be 0 or more seconds")
    return value


def age(text: str) -> float:
    """Parse an age like 30d, in seconds."""
    unit = AGE_UNITS.get(text[-1:])
    if unit is None:
        raise ArgumentTypeError(f"{text!r} is not an age; write it like 30d, 12h or 90m")
    value = number(text[:-1]) * unit
    if not 0 < value < float("inf"):
        raise ArgumentTypeError("must be more than 0")
    return value


def number(text: str) -> float:
    """Parse a number, with a message of its own: argparse's would name the Python function."""
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None
