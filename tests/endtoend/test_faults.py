"""A drill of every fault: what each does to the clients, and that it is undone afterwards."""

import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accuracy import errors
from deploytool.core.drill.history import name_server_lane, parse_history
from deploytool.core.drill.judge import Judgement, judge
from deploytool.core.drill.parsed_history import ParsedHistory
from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient

EAST, WEST = "us-east-1", "us-west-2"
EDGES = {EAST: "127.0.0.11", WEST: "127.0.0.12"}
SPEED = 20.0
WATCHED = "refuse"  # the fault whose drill dig and curl observe


@dataclass(frozen=True)
class Effect:
    """What a fault does to a client that has not moved yet, and to one that keeps its connection.

    `failures` are kinds and statuses; a fault without any does not fail a request. `kept` are the
    regions that may serve the kept connection at the end of the failover, None for no region. A
    black hole holds the connection as long as the client waits for its answer. `is_detected`: the
    checkers of the endpoint have to count failures.
    """

    failures: frozenset[str]
    kept: tuple[str | None, ...]
    is_detected: bool = True


EFFECTS = {
    "health-check": Effect(frozenset(), kept=(EAST,), is_detected=False),
    "switch": Effect(frozenset(), kept=(EAST,), is_detected=False),
    "throttle": Effect(frozenset({"500", "502", "503", "429"}), kept=(None,)),
    "unmap": Effect(frozenset({"403"}), kept=(None,)),
    "refuse": Effect(frozenset({"refused", "reset"}), kept=(WEST,)),
    "blackhole": Effect(frozenset({"timeout"}), kept=(None, WEST)),
    "slow": Effect(frozenset(), kept=(EAST,)),
    "error": Effect(frozenset({"503"}), kept=(None,)),
}


@dataclass(frozen=True)
class Drilled:
    """A drill that has ended, its judgement, and what dig and curl observed meanwhile.

    `seen` are addresses and statuses.
    """

    done: Any
    judgement: Judgement
    seen: tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def drill(deployed: Any, request: pytest.FixtureRequest) -> Callable[[str], Drilled]:
    """Return a function that drills a fault with the command, once for all tests of that fault.

    dig and curl observe the drill of one fault, where they are installed.
    """

    def observe(clients: Any) -> list[tuple[str, str]]:
        return [observe_once(clients)] if clients else []

    @cache
    def drill_once(fault: str) -> Drilled:
        wait_until_healthy(deployed)
        has_clients = all(shutil.which(name) for name in ("dig", "curl"))
        clients = None
        if fault == WATCHED and has_clients:
            clients = request.getfixturevalue("clients")

        with ThreadPoolExecutor(1) as pool:
            command = ("drill", "--fault", fault, "--report-dir", fault, "--output", "json")
            done = pool.submit(deployed.deploytool, *command, timeout=900)
            seen = observe(clients)
            while not done.done():
                time.sleep(0.1)
                seen += observe(clients)
        seen += observe(clients)

        lines = (deployed.folder / fault / "latest" / "history.jsonl").read_text().splitlines()
        return Drilled(done.result(), judge(parse_history(lines, fault)), tuple(seen))

    return drill_once


def wait_until_healthy(deployed: Any) -> None:
    """Wait until every health checker reports the API healthy.

    On a busy machine the first starts of the functions, all at once, take longer than a health
    checker waits.
    """
    deadline = time.monotonic() + 60
    while True:
        status = deployed.run(
            [sys.executable, "-m", "deploytool", "local", "status", "--output", "json"]
        ).json
        # A calculated health check, and one on an alarm, have no checkers
        verdicts = status["health_checks"].values()
        checked = any(verdict["checkers"] for verdict in verdicts)
        healthy = all(
            verdict["healthy"] and verdict["checkers"] == verdict["checkers_healthy"]
            for verdict in verdicts
        )
        if checked and healthy:
            return
        assert time.monotonic() < deadline, status["health_checks"]
        time.sleep(0.2)


def observe_once(clients: Any) -> tuple[str, str]:
    """Return the address that dig gets, and the status that curl gets there."""
    [address] = clients.dig(clients.bench.domain)
    request = clients.try_curl(clients.bench.domain, address)
    if request.code:
        return address, "no answer"
    return address, request.out.rpartition("\n")[2]


FAULTS = pytest.mark.parametrize("fault", EFFECTS)


@FAULTS
def test_traffic_moves_and_returns(drill: Callable[[str], Drilled], fault: str) -> None:
    """The drill passes: primary, secondary, primary again; the fault is undone and verified."""
    done = drill(fault).done
    assert done.code == 0, done.err
    report = done.json
    assert report["verdict"] == "pass", report["reasons"]
    assert report["fault"] == fault
    assert report["served_by"] == {"before": EAST, "during": WEST, "after": EAST}
    assert report["restored"] is True


@FAULTS
def test_each_part_takes_as_long_as_the_rules_say(
    drill: Callable[[str], Drilled], fault: str
) -> None:
    """Detection comes before DNS, DNS before the client, each within the expected time.

    A real fault takes time to be detected by the checkers; an inverted health check and the switch
    do not need them.
    """
    judgement = drill(fault).judgement
    interval = judgement.started.scenario.client_interval
    for moved, expected in (
        (judgement.failover, judgement.expected.failover),
        (judgement.failback, judgement.expected.failback),
    ):
        assert moved.detection is not None
        assert moved.dns is not None
        assert moved.client is not None
        assert moved.detection <= expected.detection + expected.propagation + interval
        assert moved.detection <= moved.dns <= expected.dns + interval
        assert moved.client <= expected.total + interval
        assert moved.flaps == 0
    assert judgement.failover.detection is not None
    if EFFECTS[fault].is_detected:
        config = judgement.started.health_check.config
        intervals = config.failure_threshold - 2
        assert judgement.failover.detection > config.request_interval * intervals


@FAULTS
def test_requests_fail_as_that_fault_makes_them(
    drill: Callable[[str], Drilled], fault: str
) -> None:
    """They fail in no other way, until the client has moved.

    Under a fault that fails no request, the requests until then are misrouted.
    """
    history = drill(fault).judgement.history
    moved = drill(fault).judgement.failover
    effect = EFFECTS[fault]
    during = [request for request in history.served() if history.failover.covers(request)]
    failed = [request for request in during if not request.good]
    assert {request.failure or str(request.status) for request in failed} <= effect.failures
    assert moved.failed == len(failed)
    assert bool(failed) is bool(effect.failures)
    assert moved.misrouted > 0 or failed


@FAULTS
def test_a_kept_connection_has_a_lane_of_its_own(
    drill: Callable[[str], Drilled], fault: str
) -> None:
    """DNS does not move it: it stays until the connection ends, whether or not it is served."""
    history = drill(fault).judgement.history
    requests = history.served("client:kept-connection")
    kept = [request for request in requests if history.failover.covers(request)]
    # A black hole may hold one request during the whole failover
    assert kept or fault == "blackhole"
    served = kept[-1].region if kept and kept[-1].good else None
    assert served in EFFECTS[fault].kept
    assert (drill(fault).judgement.failover.kept_connection is not None) is (served == WEST)


@pytest.mark.parametrize("fault", ["health-check", "error"])
def test_the_measures_agree_with_the_event_log_of_the_cloud(
    drill: Callable[[str], Drilled], deployed: Any, fault: str
) -> None:
    """They agree within one interval between two probes, or the longest that this run had.

    `make accuracy` measures the same over 30 drills.
    """
    history = drill(fault).judgement.history
    state = lifecycle.load(Path(deployed.env["DEPLOYTOOL_LOCAL_DIR"]))
    assert state is not None
    rate = history.started.speed / history.started.scenario.client_interval
    measured = errors(
        (deployed.folder / fault / "latest" / "history.jsonl").read_text().splitlines(),
        ControlClient(state).event_log(),
        rate,
    )
    assert len(measured) == 8
    allowed = max(1 / rate, longest_interval(history)) + 0.1
    assert [error for error in measured if abs(error.seconds) > allowed] == []


def longest_interval(history: ParsedHistory) -> float:
    """Return the longest time between two probes of one lane, in seconds of wall time."""
    lanes: list[Any] = [history.served()]
    for name_server in history.started.name_servers:
        lanes.append(history.answers(name_server_lane(name_server)))

    longest = 0.0
    for lane in lanes:
        for earlier, later in pairwise(lane):
            longest = max(longest, (later.at - earlier.at) / history.started.speed)
    return longest


def test_dig_and_curl_observe_the_move(drill: Callable[[str], Drilled], clients: Any) -> None:
    """Independent clients get the primary, no answer, the secondary, and the primary again."""
    east, west = EDGES[EAST], EDGES[WEST]
    moves = [answer for answer, _ in groupby(drill(WATCHED).seen)]
    assert moves == [(east, "200"), (east, "no answer"), (west, "200"), (east, "200")]
