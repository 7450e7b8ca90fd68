"""The arguments of `deploytool failover` and `deploytool failback`."""

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import dataclass

from deploytool.commands.arguments.base import StageArguments, add_confirmation, number

LONGEST = 86_400.0  # seconds
# Twice the longest that a failback takes by the rules of Route 53, and a little more
TIMEOUT = 600.0
MOST_REASON = 200  # characters; the record of the switch holds at most 4 KB


@dataclass(frozen=True)
class MoveArguments(StageArguments):
    """The arguments of a command that moves traffic. `timeout` is in the target's seconds."""

    reason: str
    force: bool
    timeout: float
    yes: bool
    confirm: str

    @classmethod
    def add_to(cls, parser: ArgumentParser) -> None:
        super().add_to(parser)
        parser.add_argument(
            "--reason",
            type=_reason,
            default="",
            metavar="TEXT",
            help="why; `deploytool status` shows it",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="move traffic even to a region that does not serve",
        )
        parser.add_argument(
            "--timeout",
            type=_timeout,
            default=TIMEOUT,
            metavar="SECONDS",
            help="how long to wait for the traffic; the switch stays as it was set"
            f" (default: {TIMEOUT:.0f})",
        )
        add_confirmation(parser)


def _reason(text: str) -> str:
    # One line, so that no output is broken by it
    reason = " ".join(text.split())
    if len(reason) > MOST_REASON:
        raise ArgumentTypeError(f"has {len(reason)} characters; at most {MOST_REASON}")
    return reason


def _timeout(text: str) -> float:
    value = number(text)
    if not 0 < value <= LONGEST:
        raise ArgumentTypeError(f"must be more than 0 and at most {LONGEST:.0f} seconds")
    return value
