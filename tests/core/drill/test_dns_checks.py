"""Name servers and resolvers that do not follow a movement are named."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from deploytool.core.drill.checkers import Verdict
from deploytool.core.drill.history import DnsAnswered, DrillEnded, Event, resolver_lane
from deploytool.core.drill.judge import judge
from tests.core.drill.test_judge import ADDRESS, EAST, WEST, answered, history


def with_server(
    change: Callable[[DnsAnswered], DnsAnswered], name: str = "ns-2", since: float = 90.0
) -> Sequence[Event]:
    """Return a good history in which the answers of one name server are changed."""
    events: list[Event] = []
    for event in history():
        is_changed = isinstance(event, DnsAnswered) and event.lane == f"name-server:{name}"
        if is_changed and event.at >= since:
            assert isinstance(event, DnsAnswered)
            events.append(change(event))
        else:
            events.append(event)
    return events


def dead(answer: DnsAnswered) -> DnsAnswered:
    """Return no answer."""
    return replace(answer, rcode="", addresses=(), failure="timeout")


def lie(answer: DnsAnswered) -> DnsAnswered:
    """Return an address that nobody knows."""
    return replace(answer, addresses=("203.0.113.9",))


def stuck(answer: DnsAnswered) -> DnsAnswered:
    """Return the primary's address for ever."""
    return replace(answer, addresses=(ADDRESS[EAST],))


@pytest.mark.parametrize(
    ("change", "verdict", "told"),
    [
        (dead, Verdict.INCONCLUSIVE, "it answered none of"),
        (lie, Verdict.FAIL, "203.0.113.9, which served no request"),
        (stuck, Verdict.FAIL, "another region's, the last one too"),
    ],
)
def test_a_name_server_that_does_not_follow_is_named(
    change: Callable[[DnsAnswered], DnsAnswered], verdict: Verdict, told: str
) -> None:
    """The client moves by the other one, so that nothing else would tell of it."""
    judgement = judge(with_server(change))
    assert judgement.verdict is verdict
    assert judgement.failover.dns is None
    [reason] = [each for each in judgement.reasons if "in the failover" in each]
    assert reason.startswith(f"name server ns-2 did not answer with {WEST}")
    assert told in reason


def test_a_name_server_that_dies_before_the_failback_is_named_once() -> None:
    """It has followed the failover."""
    judgement = judge(with_server(dead, since=200.0))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    [reason] = judgement.reasons
    assert "in the failback" in reason


def test_a_drill_that_was_cut_short_blames_no_name_server() -> None:
    """It did not wait for the last one."""
    events = [each for each in with_server(dead) if not isinstance(each, DrillEnded)]
    assert not any("name server" in reason for reason in judge(events).reasons)


def test_a_resolver_that_ignores_the_ttl_is_a_note() -> None:
    """The resolver is not part of the stage, and the drill still passes."""
    events = list(history())
    for second in range(90, 300):
        stale = answered(second + 0.6, "ns-1", EAST)
        assert isinstance(stale, DnsAnswered)
        events.append(replace(stale, lane=resolver_lane("192.0.2.53")))
    judgement = judge(sorted(events, key=lambda event: event.at))
    assert judgement.verdict is Verdict.PASS
    [note] = [each for each in judgement.notes if "192.0.2.53" in each]
    assert note.startswith("resolver 192.0.2.53 did not follow the failover")
