"""The arguments of `deploytool init`."""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from deploytool.commands.arguments.base import Arguments


@dataclass(frozen=True)
class InitArguments(Arguments):
    """The arguments of `deploytool init`. None stands for what is asked for, or has a default."""

    folder: Path
    project: str | None
    domain: str | None
    regions: str | None
    stages: tuple[str, ...]
    zone: str | None
    update: bool
    yes: bool

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder",
            type=Path,
            nargs="?",
            default=Path(),
            metavar="FOLDER",
            help="the folder of the project (default: this one)",
        )
        parser.add_argument(
            "--project",
            metavar="NAME",
            help="the name with which stacks begin (default: that of the folder)",
        )
        parser.add_argument("--domain", metavar="DOMAIN", help="a domain that you own")
        parser.add_argument(
            "--regions",
            metavar="A,B",
            help="two regions, the primary first (default: us-east-1,us-west-2)",
        )
        parser.add_argument(
            "--stage",
            dest="stages",
            action="append",
            default=[],
            metavar="STAGE",
            help="a stage (repeatable; default: dev and prod)",
        )
        parser.add_argument(
            "--zone",
            choices=("new", "existing", "external"),
            help="who answers for the domain: a new hosted zone (default), one that the account"
            " has, or another DNS provider",
        )
        parser.add_argument(
            "--update",
            action="store_true",
            help="bring what this version of deploytool has newer, and leave what you have changed",
        )
        parser.add_argument(
            "--yes", action="store_true", help="ask nothing; with --update: apply the difference"
        )
        super().add_to(parser)
