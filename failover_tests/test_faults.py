"""A drill of every fault: what each does to the clients, and that it is undone afterwards."""

import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accuracy import errors
from deploytool.core.drill.history import name_server_lane, parse_history
from deploytool.core.drill.judge import Judgement, judge
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
    black hole holds the connection as long as the client waits for its answer.
    """

    failures: frozenset[str]
    kept: tuple[str | None, ...]
    by_inverting: bool = False


EFFECTS = {
    "health-check": Effect(frozenset(), kept=(EAST,), by_inverting=True),
    "throttle": Effect(frozenset({"500", "502", "503", "429"}), kept=(None,)),
    "unmap": Effect(frozenset({"403"}), kept=(None,)),
    "refuse": Effect(frozenset({"refused", "reset"}), kept=(WEST,)),
    "blackhole": Effect(frozenset({"timeout"}), kept=(None, WEST)),
    "slow": Effect(frozenset(), kept=(EAST,)),
    "error": Effect(frozenset({"503"}), kept=(None,)),
}
LOCAL_ONLY = {"refuse", "blackhole", "slow", "error"}


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
    """Drills a fault as a user would, once however many tests ask; dig and curl watch one of them,
    where they are installed.
    """

    @cache
    def made(fault: str) -> Drilled:
        until_well(deployed)
        watches = fault == WATCHED and all(map(shutil.which, ("dig", "curl")))
        look = (
            partial(look_once, request.getfixturevalue("clients"))
            if watches
            else tuple[tuple[str, str], ...]
        )
        with ThreadPoolExecutor(1) as pool:
            command = ("drill", "--fault", fault, "--report-dir", fault, "--output", "json")
            done = pool.submit(deployed.deploytool, *command, timeout=900)
            seen = [*look()]
            while not done.done():
                time.sleep(0.1)
                seen += look()
        lines = (deployed.folder / fault / "history.jsonl").read_text().splitlines()
        judgement = judge(parse_history(lines, fault))
        return Drilled(done.result(), judgement, (*seen, *look()))

    return made


def until_well(deployed: Any) -> None:
    """The functions' first starts, all at once, take longer than a health checker waits on a busy
    machine.
    """
    deadline = time.monotonic() + 60
    while deployed.target == "local":
        status = deployed.run(
            [sys.executable, "-m", "deploytool", "local", "status", "--output", "json"]
        ).json
        if all(
            0 < each["checkers"] == each["checkers_healthy"]
            for each in status["health_checks"].values()
        ):
            return
        assert time.monotonic() < deadline, status["health_checks"]
        time.sleep(0.2)


def look_once(clients: Any) -> tuple[tuple[str, str]]:
    """The address that dig gives, and what curl gets there."""
    [address] = clients.dig(clients.bench.domain)
    called = clients.try_curl(clients.bench.domain, address)
    return ((address, "no answer" if called.code else called.out.rpartition("\n")[2]),)


FAULTS = pytest.mark.parametrize(
    "fault",
    [
        pytest.param(each, marks=pytest.mark.local_only if each in LOCAL_ONLY else ())
        for each in EFFECTS
    ],
)


@FAULTS
def test_traffic_moves_and_returns(drill: Callable[[str], Drilled], fault: str) -> None:
    """The drill passes: primary, secondary, primary again; the fault is undone and verified."""
    found = drill(fault)
    assert found.done.code == 0, found.done.err
    report = found.done.json
    assert report["verdict"] == "pass", report["reasons"]
    assert report["fault"] == fault
    assert report["served_by"] == {"before": EAST, "during": WEST, "after": EAST}
    assert report["restored"] is True


@FAULTS
def test_each_part_takes_as_long_as_the_rules_say(
    drill: Callable[[str], Drilled], fault: str
) -> None:
    """A real fault takes its time to be detected, an inverted health check none; DNS after that,
    the client last.
    """
    judgement = drill(fault).judgement
    expected, interval = judgement.expected, judgement.started.scenario.client_interval
    for moved in (judgement.failover, judgement.failback):
        assert moved.detection is not None
        assert moved.dns is not None
        assert moved.client is not None
        assert moved.detection <= expected.detection + expected.propagation + interval
        assert moved.detection <= moved.dns <= expected.dns + interval
        assert moved.client <= expected.total + interval
        assert moved.flaps == 0
    assert judgement.failover.detection is not None
    if not EFFECTS[fault].by_inverting:
        config = judgement.started.health_check.config
        assert judgement.failover.detection > config.request_interval * (
            config.failure_threshold - 2
        )


@FAULTS
def test_requests_fail_as_that_fault_makes_them(
    drill: Callable[[str], Drilled], fault: str
) -> None:
    """Until the client has moved, and in no other way; a fault that hurts nobody fails none, and
    they are misrouted meanwhile.
    """
    history, effect = drill(fault).judgement.history, EFFECTS[fault]
    moved = drill(fault).judgement.failover
    failed = [each for each in history.served() if history.failover.covers(each) and not each.good]
    assert {each.failure or str(each.status) for each in failed} <= effect.failures
    assert moved.failed == len(failed)
    assert bool(failed) is bool(effect.failures)
    assert moved.misrouted > 0 or failed


@FAULTS
def test_a_kept_connection_has_a_lane_of_its_own(
    drill: Callable[[str], Drilled], fault: str
) -> None:
    """DNS does not move it: it stays as long as the connection holds, well served or not."""
    history, effect = drill(fault).judgement.history, EFFECTS[fault]
    kept = [
        each for each in history.served("client:kept-connection") if history.failover.covers(each)
    ]
    assert kept or fault == "blackhole"  # which may hold one request all the time
    served = kept[-1].region if kept and kept[-1].good else None
    assert served in effect.kept
    assert (drill(fault).judgement.failover.kept_connection is not None) is (served == WEST)


@pytest.mark.local_only
@pytest.mark.parametrize("fault", ["health-check", "error"])
def test_what_is_measured_is_what_the_cloud_did(
    drill: Callable[[str], Drilled], deployed: Any, fault: str
) -> None:
    """Within one interval between two probes; where this machine let more time pass between two,
    within that. `make accuracy`.
    """
    history = drill(fault).judgement.history
    state = lifecycle.load(Path(deployed.env["DEPLOYTOOL_LOCAL_DIR"]))
    assert state is not None
    rate = history.started.speed / history.started.scenario.client_interval
    lanes = [
        history.served(),
        *(history.answers(name_server_lane(each)) for each in history.started.name_servers),
    ]
    longest = max(
        (late.at - early.at) / history.started.speed
        for lane in lanes
        for early, late in pairwise(lane)
    )
    found = errors(
        (deployed.folder / fault / "history.jsonl").read_text().splitlines(),
        ControlClient(state).event_log(),
        rate,
    )
    assert len(found) == 8
    assert [each for each in found if abs(each.seconds) > max(1 / rate, longest) + 0.1] == []


@pytest.mark.local_only
def test_dig_and_curl_see_the_move(drill: Callable[[str], Drilled], clients: Any) -> None:
    """The primary serves, refuses, the secondary serves, the primary serves again; nobody took the
    drill's word for it.
    """
    east, west = EDGES[EAST], EDGES[WEST]
    moves = [each for each, _ in groupby(drill(WATCHED).seen)]
    assert moves == [(east, "200"), (east, "no answer"), (west, "200"), (east, "200")]
