"""What every command says first: where it works, and that this is not AWS where it is not.

And at its end, whether AWS could be reached at all.

A run with --local says nothing: its target is on the command line, and it has no account.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from deploytool.core.errors import CloudRefused
from deploytool.core.whereabouts import Caller, Whereabouts
from deploytool.render.terminal import Terminal
from deploytool.render.whereabouts import warning_lines, whereabouts_document, whereabouts_lines
from deploytool.targets.target import Target


def announce(
    terminal: Terminal, target: Target, regions: tuple[str, ...], service_role: str = ""
) -> None:
    """Print the account, the caller and the addresses before a command changes something.

    `regions` are the primary and the secondary one, or a single one. STS is asked in the secondary
    one first: it answers on the day on which the primary region is down. Raises CloudRefused when
    the credentials are refused.
    """
    if target.name != "aws":
        return
    caller = target.caller(tuple(reversed(regions)))
    whereabouts = Whereabouts(caller, regions, target.endpoints(regions[0]), service_role)
    Terminal.about = whereabouts_document(whereabouts)
    for line in whereabouts_lines(whereabouts):
        terminal.note(line)


def warn_of_endpoint(terminal: Terminal, target: Target, regions: tuple[str, ...]) -> None:
    """Say loudly that the calls of a command that changes nothing do not go to AWS."""
    if target.name != "aws":
        return
    try:
        endpoints = target.endpoints(regions[0])
    except CloudRefused:
        # A file of the user's is broken. The command says so where it needs AWS, and `check` does not
        return
    whereabouts = Whereabouts(Caller(), regions, endpoints)
    for line in warning_lines(whereabouts):
        terminal.note(line)


@contextmanager
def telling_if_offline(terminal: Terminal, target: Target) -> Iterator[None]:
    """Say after the block, however it ends, that no API answered: it may be this machine."""
    try:
        yield
    finally:
        if target.name == "aws" and target.clients.is_offline:
            terminal.note(
                "[yellow]! no API of AWS has answered this run: is this machine online?[/]"
            )
