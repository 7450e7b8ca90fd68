"""A movement as a value: what it waits for, and when the name servers and the client have moved."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.failover.addresses import AddressBook
from deploytool.core.failover.events import ClientServed, NameServerAnswered
from deploytool.core.failover.move import LASTING, SILENT_AFTER, Move, Phase

EAST, WEST = "us-east-1", "us-west-2"
SERVERS = ("ns-1", "ns-2")
Observation = NameServerAnswered | ClientServed


def observed(events: Sequence[Observation], servers: Sequence[str] = SERVERS) -> Move:
    """Return a movement to the west after these observations."""
    move = Move.begin(WEST, servers)
    for event in events:
        move = move.observe(event)
    return move


def answers(server: str, region: str | None, *times: float) -> list[Observation]:
    return [NameServerAnswered(at, server, ("192.0.2.1",), region) for at in times]


def silence(server: str, *times: float) -> list[Observation]:
    return [NameServerAnswered(at, server, failure="timeout") for at in times]


def served(region: str, *times: float) -> list[Observation]:
    return [ClientServed(at, "192.0.2.1", region) for at in times]


EVERYWHERE = [
    *answers("ns-1", EAST, 0),
    *answers("ns-2", EAST, 0),
    *answers("ns-1", WEST, 50, 51, 52),
    *answers("ns-2", WEST, 60, 61, 62),
]


@pytest.mark.parametrize(
    ("events", "phase"),
    [
        ([], Phase.NAME_SERVERS),
        (answers("ns-1", WEST, 1, 2, 3), Phase.NAME_SERVERS),  # ns-2 has not answered
        (EVERYWHERE, Phase.CLIENT),
        ([*EVERYWHERE, *served(EAST, 1, 2, 3)], Phase.CLIENT),
        ([*EVERYWHERE, *served(WEST, 90, 91)], Phase.CLIENT),  # not often enough
        ([*EVERYWHERE, *served(WEST, 90, 91, 92)], Phase.DONE),
        # A name server that falls back is waited for again
        ([*EVERYWHERE, *served(WEST, 90, 91, 92), *answers("ns-1", EAST, 93)], Phase.NAME_SERVERS),
        # An address of an unknown region is not taken for the destination
        ([*EVERYWHERE, *answers("ns-1", None, 93)], Phase.NAME_SERVERS),
        # A request that fails says that the client is not there
        (
            [*EVERYWHERE, *served(WEST, 90, 91, 92), ClientServed(93, failure="timeout")],
            Phase.CLIENT,
        ),
    ],
)
def test_it_waits_for_every_name_server_and_for_the_client(
    events: Sequence[Observation], phase: Phase
) -> None:
    """The phases follow from the last answers of each."""
    assert observed(events).phase is phase


def test_a_silent_name_server_is_not_waited_for_for_ever() -> None:
    """It is named; those that answer must agree."""
    there = [*answers("ns-1", WEST, 1, 2, 3), *served(WEST, 1, 2, 3)]
    lost_a_datagram = observed([*there, *silence("ns-2", 1)])
    assert lost_a_datagram.phase is Phase.NAME_SERVERS
    assert lost_a_datagram.silent == ()

    silent = observed([*there, *silence("ns-2", *range(SILENT_AFTER))])
    assert silent.phase is Phase.DONE
    assert silent.silent == ("ns-2",)


def test_one_name_server_must_answer() -> None:
    """Without any answer nobody knows where traffic goes, so the wait goes on."""
    events = [*served(WEST, 1, 2, 3)]
    for server in SERVERS:
        events += silence(server, *range(2 * SILENT_AFTER))
    assert observed(events).phase is Phase.NAME_SERVERS


def test_a_lost_datagram_changes_nothing() -> None:
    """The time of a name server is that of its first answer with the destination."""
    events = [*EVERYWHERE, *silence("ns-1", 62), *answers("ns-1", WEST, 63)]
    assert observed(events).name_servers_at == 60


def test_the_seconds_count_to_the_last_name_server_and_to_the_client() -> None:
    """They are the first of the answers in a row from the destination."""
    events = [*EVERYWHERE, *served(EAST, 0), *served(WEST, 95, 96, 97)]
    move = observed(events)
    assert (move.name_servers_at, move.client_at) == (60, 95)


def test_what_was_there_from_the_start_took_no_time() -> None:
    """There are no seconds where nothing moved."""
    events = [*answers("ns-1", WEST, 0, 1, 2), *answers("ns-2", WEST, 0, 1, 2)]
    move = observed([*events, *served(WEST, 0, 1, 2)])
    assert move.phase is Phase.DONE
    assert (move.name_servers_at, move.client_at) == (None, None)
    assert move.has_nothing_to_move


def test_it_says_what_it_waits_for() -> None:
    """Each name server that is not there is named with what it answers."""
    events = [*answers("ns-1", EAST, 1), *silence("ns-2", 1), *served(EAST, 1)]
    assert observed(events).complaint() == (
        "ns-1 answers with us-east-1; ns-2 does not answer (timeout);"
        " the client is not at us-west-2 yet (it is served by us-east-1)"
    )


OBSERVATIONS = st.lists(
    st.builds(
        NameServerAnswered,
        at=st.floats(0, 1000),
        name_server=st.sampled_from(SERVERS),
        addresses=st.just(("192.0.2.1",)),
        region=st.sampled_from([None, EAST, WEST]),
        failure=st.sampled_from(["", "timeout"]),
    )
    | st.builds(
        ClientServed,
        at=st.floats(0, 1000),
        address=st.just("192.0.2.1"),
        region=st.sampled_from([EAST, WEST]),
        failure=st.sampled_from(["", "timeout"]),
    ),
    max_size=60,
)


@given(OBSERVATIONS)
def test_it_ends_only_with_the_destination_everywhere(events: list[Observation]) -> None:
    """At the end the last answers of a name server, and of the client, are the destination's."""
    move = observed(events)
    if move.phase is not Phase.DONE:
        return
    last = [event for event in events if isinstance(event, ClientServed)][-LASTING:]
    assert [event.region for event in last] == [WEST] * LASTING
    assert not any(event.failure for event in last)

    spoke = set(SERVERS) - set(move.silent)
    assert spoke
    for server in spoke:
        heard = [
            event.region
            for event in events
            if isinstance(event, NameServerAnswered)
            and event.name_server == server
            and not event.failure
        ]
        assert heard[-LASTING:] == [WEST] * LASTING


@given(
    st.lists(st.tuples(st.sampled_from([EAST, WEST]), st.lists(st.sampled_from("abcd")))),
    st.lists(st.sampled_from("abcde")),
)
def test_a_region_is_never_guessed(seen: list[tuple[str, list[str]]], answer: list[str]) -> None:
    """A DNS answer has a region only when each of its addresses was last seen in that region."""
    book = AddressBook()
    last: dict[str, str] = {}
    for region, addresses in seen:
        book = book.learn(region, addresses)
        last.update(dict.fromkeys(addresses, region))
    regions = {last.get(address) for address in answer}
    assert book.region_of(answer) == (regions.pop() if len(regions) == 1 else None)
    assert book.unknown(answer) == tuple(address for address in answer if address not in last)
