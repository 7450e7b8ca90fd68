"""Which name servers and resolvers did not follow a movement that the client did see. Pure.

The drill waits until each of them answers with the new region. One that does not is named: a client
that asks it is sent elsewhere, or waits for another one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploytool.core.drill.history import DnsAnswered
from deploytool.core.drill.measures import Movement
from deploytool.core.drill.parsed_history import ParsedHistory, Window

_SERVERS = "name-server:"
_RESOLVERS = "resolver:"


@dataclass(frozen=True)
class Behind:
    """A lane of DNS queries that did not end at the new region. `told` is what its answers show.

    `silent` means that it answered no query of the movement.
    """

    name: str
    silent: bool
    told: str


def servers_behind(history: ParsedHistory, window: Window, movement: Movement) -> Iterator[Behind]:
    """Return the name servers that did not follow a movement."""
    if _is_due(history, movement.client, movement.dns):
        yield from _behind(history, window, _SERVERS)


def resolvers_behind(
    history: ParsedHistory, window: Window, movement: Movement
) -> Iterator[Behind]:
    """Return the resolvers that did not follow a movement."""
    if _is_due(history, movement.client, movement.resolver):
        yield from _behind(history, window, _RESOLVERS)


def _is_due(history: ParsedHistory, client: float | None, arrived: float | None) -> bool:
    # Where the client did not move either, that is the finding. A drill that was stopped did not
    # wait for the last one.
    return client is not None and arrived is None and history.ended and not history.abort_reasons


def _behind(history: ParsedHistory, window: Window, prefix: str) -> Iterator[Behind]:
    lanes: dict[str, list[DnsAnswered]] = {}
    for answer in history.answers(prefix):
        answers = lanes.setdefault(answer.lane, [])
        if window.covers(answer):
            answers.append(answer)

    for lane, answers in lanes.items():
        name = lane.removeprefix(prefix)
        usable = [answer for answer in answers if answer.addresses]
        regions = [history.address_book.region_of(answer.addresses) for answer in usable]
        known = [region for region in regions if region is not None]
        if not usable:
            yield Behind(name, True, f"it answered none of {len(answers)} queries with an address")
        elif not known:
            addresses = ", ".join(sorted(usable[-1].addresses))
            told = f"its last answer was {addresses}, which served no request of this drill"
            yield Behind(name, False, told)
        elif known[-1] != window.to:
            yield Behind(name, False, _count(known, window.to))


def _count(regions: Sequence[str], to: str) -> str:
    others = sum(region != to for region in regions)
    return f"{others} of its {len(regions)} answers were another region's, the last one too"
