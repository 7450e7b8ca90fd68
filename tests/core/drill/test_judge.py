"""The judgement of histories written by hand: their measures, and each reason for a verdict."""

from dataclasses import replace

import pytest

from deploytool.core.drill.checkers import Verdict
from deploytool.core.drill.history import (
    FRESH_CLIENT,
    DnsAnswered,
    DrillAborted,
    DrillEnded,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    HealthSeen,
    PhaseBegan,
    Served,
    name_server_lane,
    region_lane,
)
from deploytool.core.drill.judge import judge
from deploytool.core.drill.live_state import AddressBook, HealthView, LiveState
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import InputError
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.route53.health import CheckerObservation, HealthCheck, HealthCheckConfig

EAST, WEST = "us-east-1", "us-west-2"
ADDRESS = {EAST: "192.0.2.1", WEST: "192.0.2.2"}
CONFIG = HealthCheckConfig("HTTPS", request_interval=10, failure_threshold=3)
STARTED = DrillStarted(
    0.0, 1, "0", "2026-01-01T00:00:00+00:00", "simulated", 1.0, "dev", "dev.example.com", "/v1", EAST, WEST,
    by_inverting=True, attempt=0.0, scenario=Scenario(), objectives=Objectives(), health_check=HealthCheck("check", 1, CONFIG),
    name_servers=("ns-1", "ns-2"), resolvers=(),
)  # fmt: skip


def served(at: float, region: str | None, lane: str = FRESH_CLIENT) -> Event:
    if region is None:
        return Served(at, at, lane, failure="refused")
    return Served(at, at, lane, ADDRESS[region], 200, region)


def answered(at: float, server: str, region: str) -> Event:
    return DnsAnswered(at, at, name_server_lane(server), "NOERROR", (ADDRESS[region],), 60)


def history(
    client: float = 40.0, dns: tuple[float, float] = (1.0, 3.0), back: float = 30.0
) -> list[Event]:
    """Return a history with the injection at second 100 and the restore at second 200.

    The name servers and the client move so many seconds after that.
    """
    events: list[Event] = [STARTED, FaultInjecting(99.9, "health-check"), FaultInjected(100.0)]
    events += [FaultRestoring(199.9), FaultRestored(200.0, verified=True), DrillEnded(300.0)]
    events += [served(90.2, EAST, region_lane(EAST)), served(90.2, WEST, region_lane(WEST))]
    for second in range(90, 300):
        at, since = second + 0.5, second + 0.5 - 100
        events.append(served(at, WEST if client <= since and second < 200 + back else EAST))
        for server, moves in zip(("ns-1", "ns-2"), dns, strict=True):
            events.append(answered(at, server, WEST if moves <= since < 100 + moves else EAST))
    return sorted(events, key=lambda event: event.at)


def test_a_good_history_passes_with_its_measures() -> None:
    """Each duration is measured within the time between two probes."""
    judgement = judge(history())
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert judgement.failover.dns_first == pytest.approx(1.5)
    assert judgement.failover.dns == pytest.approx(3.5)
    assert judgement.failover.client == pytest.approx(40.0)  # from the first misrouted request on
    assert judgement.failback.client == pytest.approx(30.0)
    assert judgement.served_by == {"before": EAST, "during": WEST, "after": EAST}
    assert (judgement.requests.total, judgement.requests.failed) == (210, 0)
    assert sum(judgement.requests.by_region.values()) == 210


def test_failures_flaps_and_latency_of_a_client_are_measured() -> None:
    """The requests until the movement count, and the time in which both regions served."""
    events = history()
    broken = [
        replace(each, region=None, status=503)
        if isinstance(each, Served) and 110 < each.at < 115
        else each
        for each in events
    ]
    judgement = judge(broken)
    assert (judgement.failover.failed, judgement.failover.misrouted, judgement.failover.flaps) == (
        5,
        35,
        0,
    )
    assert judgement.requests.failed == 5
    back = [
        replace(each, region=EAST, address=ADDRESS[EAST])
        if isinstance(each, Served) and each.at == 160.5
        else each
        for each in events
    ]
    assert judge(back).failover.both_served == pytest.approx(20.0)
    assert judge(back).failover.flaps == 1
    slow = [
        replace(each, sent=each.at - 0.2) if isinstance(each, Served) else each for each in events
    ]
    assert judge(slow).latency["during"].p95 == pytest.approx(0.2)


def test_no_answer_at_all_makes_the_drill_inconclusive() -> None:
    """When even the secondary does not answer, the network of the drill itself was down."""
    dead = [
        DnsAnswered(150.7, 150.7, name_server_lane(each), failure="timeout")
        for each in ("ns-1", "ns-2")
    ]
    dead += [
        served(150.7, None, lane) for lane in (FRESH_CLIENT, region_lane(EAST), region_lane(WEST))
    ]
    judgement = judge([*history(), *dead])
    assert judgement.verdict is not Verdict.PASS
    assert any("the network of the drill itself was down" in reason for reason in judgement.reasons)


def test_the_order_of_the_lines_does_not_matter() -> None:
    """Probes end in any order; only the first line must come first."""
    events = history()
    assert judge([events[0], *reversed(events[1:])]) == judge(events)


def test_a_late_answer_counts_at_the_time_of_its_request() -> None:
    """A request that times out after the client has moved does not show that it moved back."""
    late = [
        Served(sent, sent + 60.0, FRESH_CLIENT, failure="timeout") for sent in (110.5, 120.5, 139.9)
    ]
    events = [
        each for each in history() if not (isinstance(each, Served) and each.sent in (110.5, 120.5))
    ]
    judgement = judge([*events, *late])
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert judgement.failover.client == pytest.approx(40.0)
    assert (
        judgement.failover.failed,
        judgement.failover.flaps,
        judgement.failover.both_served,
    ) == (3, 0, 0.0)
    live_state = LiveState(CONFIG, lasting=5)
    for each in [*(served(second, WEST) for second in (140, 141, 142, 143, 144)), late[0]]:
        live_state.observe(each)
    assert live_state.served_by(FRESH_CLIENT) == WEST


def test_an_answer_after_the_restore_does_not_count_for_the_failover() -> None:
    """A request sent before the restore and answered after it may show either state."""
    late = [
        DnsAnswered(199.8, 200.1, name_server_lane(each), "NOERROR", (ADDRESS[EAST],), 60)
        for each in ("ns-1", "ns-2")
    ]
    judgement = judge(
        [*history(), *late, Served(199.8, 200.1, FRESH_CLIENT, ADDRESS[EAST], 200, EAST)]
    )
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert judgement.failover == judge(history()).failover


def test_a_client_that_goes_back_and_forth_arrives_when_it_stays() -> None:
    """The client has arrived at the last change to the new region, not at the first."""
    events = [
        replace(each, region=EAST) if isinstance(each, Served) and each.at == 160.5 else each
        for each in history()
    ]
    assert judge(events).failover.client == pytest.approx(61.0)


def test_a_lost_query_is_not_a_movement() -> None:
    """A name server that misses one query has not returned to the primary."""
    lost = DnsAnswered(150.2, 152.2, name_server_lane("ns-1"), failure="timeout")
    assert judge([*history(), lost]).failover == judge(history()).failover


@pytest.mark.parametrize(
    ("events", "verdict", "reason_part"),
    [
        (history(client=999), Verdict.FAIL, "permanently in the 100 s that the drill waited: DNS answered with that region"),
        (history(client=999, dns=(1, 999)), Verdict.FAIL, "not every name server"),
        (history(client=999, dns=(999, 999)), Verdict.FAIL, "the verdict of the health check did not change"),
        (history(back=999), Verdict.FAIL, "did not return to us-east-1"),
        ([each for each in history() if not isinstance(each, FaultRestored)], Verdict.FAIL, "not verified that the fault is undone"),
        ([each for each in history() if each.at < 230], Verdict.INCONCLUSIVE, "cut short"),
        ([*history()[:-1], DrillAborted(300.0, "interrupted")], Verdict.INCONCLUSIVE, "aborted: interrupted"),
        ([each for each in history() if not isinstance(each, Served) or each.at > 200], Verdict.FAIL, "did not move"),
        ([each for each in history() if not isinstance(each, Served) or each.at < 200], Verdict.FAIL, "did not return"),
    ],
)  # fmt: skip
def test_each_finding_gives_its_reason(
    events: list[Event], verdict: Verdict, reason_part: str
) -> None:
    """The worst finding decides the verdict, and its reason is reported."""
    judgement = judge(events)
    assert judgement.verdict is verdict, judgement.reasons
    assert any(reason_part in reason for reason in judgement.reasons), judgement.reasons


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        (history(client=80), "caches kept the old answer longer than its TTL of 60 s"),
        (history(client=80, dns=(20, 21)), "the detection alone took 20.5 s"),
        (history(client=80, dns=(1, 21)), "the last name server changed after 21.5 s"),
    ],
)
def test_slower_than_expected_is_a_note_and_no_failure(events: list[Event], cause: str) -> None:
    """The expected time holds an estimate of ours, on which no verdict may rest.

    The note names the part that took too long, and the objective that would decide.
    """
    judgement = judge(events)
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    (note,) = judgement.notes
    assert f"the failover took 80.0 s, longer than the expected 65 s ({cause})" in note
    assert "AWS publishes no number for 5 s of these" in note
    assert "drill.rto_seconds decides" in note


def test_with_an_objective_nothing_is_compared_with_an_estimate() -> None:
    """A failover within the objective of the stage has no note, however long it took."""
    events = [
        replace(each, objectives=Objectives(rto_seconds=90))
        if isinstance(each, DrillStarted)
        else each
        for each in history(client=80)
    ]
    judgement = judge(events)
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert judgement.notes == ()


def test_a_drill_that_is_stopped_early_does_not_show_that_traffic_stays() -> None:
    """A minute was not waited for, so the verdict is inconclusive and not fail."""
    kept = [each for each in history(client=999, dns=(999, 999)) if each.at < 103]
    restored = [FaultRestoring(103.0), FaultRestored(103.5, verified=True)]
    stopped = [*kept, *restored, DrillAborted(104.0, "interrupted")]
    judgement = judge(stopped)
    assert judgement.verdict is Verdict.INCONCLUSIVE, judgement.reasons
    assert any("in the 3 s that the drill waited" in reason for reason in judgement.reasons)

    killed = [*kept, PhaseBegan(103.0, "failback")]
    assert judge(killed).verdict is Verdict.FAIL


def test_a_secondary_that_fails_its_clients_fails_the_drill() -> None:
    """That a drill was stopped because of it is measured, and rests on no time."""
    lane = region_lane(WEST)
    events = [each for each in history(client=999) if each.at < 110]
    events += [served(104.0 + number, None, lane) for number in range(5)]
    events += [FaultRestoring(110.0), FaultRestored(110.5, verified=True)]
    events.append(DrillAborted(111.0, "the secondary, us-west-2, failed 100% of its last requests"))
    judgement = judge(events)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.reasons[0].startswith("the secondary, us-west-2, failed 5 of its last 5")


def test_the_time_that_aws_gives_no_number_for_is_measured() -> None:
    """Inverting needs no detection, so that all of it is the way to the last name server."""
    assert judge(history()).failover.propagation == pytest.approx(3.5)
    detected = [
        replace(each, by_inverting=False) if isinstance(each, DrillStarted) else each
        for each in history()
    ]
    # The first name server tells the detection: nothing read the health check.
    assert judge(detected).failover.propagation == pytest.approx(2.0)


def test_a_flaky_checker_is_noted() -> None:
    """It decides nothing: Route 53 counts an endpoint as healthy above 18 % of the checkers."""
    reading = replace(seen(95, *[True] * 15, False), at=95.0)
    judgement = judge(sorted([*history(), reading], key=lambda event: event.at))
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    (note,) = judgement.notes
    assert "1 of 16 health checkers had found the endpoint unhealthy" in note


@pytest.mark.parametrize(
    ("objectives", "reason_part"),
    [
        (Objectives(rto_seconds=30), "rto_seconds = 30"),
        (Objectives(failback_seconds=20), "failback_seconds = 20"),
        (Objectives(failed_share=0.01), "failed_share = 0.01"),
    ],
)
def test_a_missed_objective_fails_the_drill(objectives: Objectives, reason_part: str) -> None:
    """The reason names the objective and its value."""
    events = [
        replace(each, objectives=objectives) if isinstance(each, DrillStarted) else each
        for each in history()
    ]
    events += [served(110 + number / 10, None) for number in range(9)]
    judgement = judge(sorted(events, key=lambda event: event.at))
    assert judgement.verdict is Verdict.FAIL
    assert any(reason_part in reason for reason in judgement.reasons)


def test_a_history_without_its_first_line_is_refused() -> None:
    """The first line has the settings that the other events are judged by."""
    with pytest.raises(InputError, match="drill_started"):
        judge(history()[1:])
    with pytest.raises(InputError, match="drill_started"):
        judge([])


def test_a_good_answer_tells_the_region_of_its_address() -> None:
    """An address has no region before its first good answer; a failed answer tells none."""
    book = AddressBook()
    book.learn(Served(0, 0, FRESH_CLIENT, "192.0.2.9", 500, None))
    assert book.region_of(["192.0.2.9"]) is None
    book.learn(served(1, EAST))
    book.learn(served(1, WEST))
    assert book.region_of([ADDRESS[EAST], "192.0.2.9"]) == EAST
    assert book.region_of([ADDRESS[EAST], ADDRESS[WEST]]) is None


def seen(number: int, *passed: bool, inverted: bool = False) -> HealthSeen:
    checkers = tuple(
        CheckerObservation("us-east-1", "192.0.2.3", each, "", checked=str(number))
        for each in passed
    )
    return HealthSeen(float(number), 1, inverted=inverted, checkers=checkers)


def test_the_verdict_follows_the_checkers_as_route_53_counts() -> None:
    """Enough checkers must fail three times in a row to change the verdict.

    The same reading counts once, and Inverted swaps the verdict at once.
    """
    view = HealthView(CONFIG)
    assert view.healthy is None
    view.observe(seen(1, *[True] * 6))
    for number in (2, 3, 3, 3):
        view.observe(seen(number, *[False] * 5, True))
        assert view.healthy is True
    view.observe(seen(4, *[False] * 5, True))
    assert view.checkers == (1, 6)
    assert view.healthy is False  # 1 of 6 is 17 %: not more than 18 %
    view.observe(seen(4, *[False] * 5, True, inverted=True))
    assert view.healthy is True
    view.observe(HealthSeen(5.0, failure="throttled"))
    assert view.healthy is True


def test_a_lane_is_served_by_the_region_of_its_last_answers() -> None:
    """All of the last answers must be good, and there must be enough of them."""
    live_state = LiveState(CONFIG, 2)
    live_state.observe(served(1, EAST))
    assert live_state.served_by(FRESH_CLIENT) is None
    live_state.observe(served(2, EAST))
    assert live_state.served_by(FRESH_CLIENT) == EAST
    live_state.observe(served(3, None))
    assert live_state.served_by(FRESH_CLIENT) is None
    assert live_state.failures() == [f"{FRESH_CLIENT}: refused"]
