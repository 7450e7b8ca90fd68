"""The arguments of `deploytool logs`."""

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import dataclass

from deploytool.commands.arguments.base import StageArguments, age

TEN_MINUTES = 600.0  # seconds


@dataclass(frozen=True)
class LogsArguments(StageArguments):
    """The arguments of `deploytool logs`. `since` is in seconds."""

    since: float
    text: str
    follow: bool

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "--since",
            type=age,
            default=TEN_MINUTES,
            metavar="AGE",
            help="how far back to begin, like 90m, 12h or 2d (default: 10m)",
        )
        parser.add_argument(
            "--filter",
            dest="text",
            type=_text,
            default="",
            metavar="TEXT",
            help="only lines that contain this text",
        )
        parser.add_argument(
            "--follow", action="store_true", help="go on until Ctrl-C, as `tail -f` does"
        )


def _text(text: str) -> str:
    if '"' in text:
        raise ArgumentTypeError("must have no quotation mark, which ends a filter of CloudWatch")
    return text
