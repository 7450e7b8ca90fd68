"""Traffic moved by command: there, kept there, and back, also while us-east-1's API is dead.

Each test begins where the one before it has left the traffic, or moves it there first.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from benchmarks.killed import Moment
from benchmarks.sweep import Stage
from benchmarks.switch_sweep import PUT, WRITE, SwitchKill, all_kills, kill_and_finish, read_switch
from deploytool.core.failover.direction import Direction
from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.ministack.api_state import ApiCondition

EAST, WEST = "us-east-1", "us-west-2"
EDGES = {EAST: "127.0.0.11", WEST: "127.0.0.12"}
SPEED = 60.0  # a minute of the alarm lasts a second


Move = Callable[..., Any]


@pytest.fixture(scope="module")
def move(deployed: Any) -> Move:
    """Return a function that runs a command and returns its JSON."""

    def move(direction: str, *words: str) -> Any:
        done = deployed.deploytool(direction, "--output", "json", *words)
        assert done.code == 0, done.err
        return done.json

    return move


@pytest.fixture(scope="module")
def bring(move: Move, clients: Any) -> Callable[[str], None]:
    """Return a function that brings traffic to where a command in that direction begins."""

    def bring(direction: str) -> None:
        begins_at_primary = direction == "failover"
        [address] = clients.dig(clients.bench.domain)
        if (address == EDGES[EAST]) is not begins_at_primary:
            move("failback" if begins_at_primary else "failover")

    return bring


@pytest.fixture(scope="module")
def cloud(deployed: Any) -> ControlClient:
    """What breaks and fixes the regions of the local cloud."""
    state = lifecycle.load(Path(deployed.env["DEPLOYTOOL_LOCAL_DIR"]))
    assert state is not None
    return ControlClient(state)


@pytest.fixture
def stage(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The stage as the sweep sees it; this process finds the local cloud by the environment."""
    monkeypatch.setenv("DEPLOYTOOL_LOCAL_DIR", deployed.env["DEPLOYTOOL_LOCAL_DIR"])
    return Stage(deployed.folder, deployed.stage)


@contextmanager
def observed(clients: Any) -> Iterator[list[str]]:
    """Let dig ask for the domain while the block runs. Yields the answers, each change once."""
    seen: list[str] = []

    def observe() -> None:
        while not ended:
            seen.extend(clients.dig(clients.bench.domain))
            time.sleep(0.05)

    ended: list[bool] = []
    answers: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(observe)
        yield answers
        ended.append(True)
        future.result()
    answers += [address for address, _ in groupby(seen)]


def test_traffic_moves_stays_and_comes_back(deployed: Any, move: Move, clients: Any) -> None:
    """What dig and curl see is what the commands say, within the bounds that the rules give.

    The primary is healthy all the time: only the switch keeps traffic at the secondary.
    """
    with observed(clients) as answers:
        there = move("failover", "--reason", "a test")
    assert answers == [EDGES[EAST], EDGES[WEST]]
    assert there["served_by"] == WEST
    assert there["switch"]["held"] is True
    assert there["switch"]["why"] == "a test"
    assert_within_bounds(there)
    status, body = clients.curl(deployed.domain, EDGES[WEST])
    assert (status, body["region"]) == (200, WEST)

    # Longer than every period of the alarm, and than every health checker needs
    time.sleep(200 / SPEED)
    again = move("failover")
    assert again["already"] is True
    assert again["switch"] == there["switch"]
    assert again["seconds"] == {"name_servers": None, "client": None}

    with observed(clients) as answers:
        back = move("failback")
    assert answers == [EDGES[WEST], EDGES[EAST]]
    assert back["served_by"] == EAST
    assert back["switch"]["held"] is False
    assert back["switch"]["returning"] is False
    assert_within_bounds(back)
    assert move("failback")["already"] is True


def assert_within_bounds(moved: Any) -> None:
    """The seconds are within the bounds, and the client follows the name servers."""
    seconds, expected = moved["seconds"], moved["expected_seconds"]
    # A tenth of a second of wall time passes between two probes
    margin = 0.2 * SPEED
    assert 0 < seconds["name_servers"] <= expected["total"] - expected["dns_ttl"] + margin
    assert seconds["client"] <= expected["total"] + margin


@pytest.mark.parametrize(("direction", "region"), [("failover", WEST), ("failback", EAST)])
def test_traffic_is_not_moved_to_a_region_that_does_not_serve(
    deployed: Any, cloud: ControlClient, stage: Stage, direction: str, region: str
) -> None:
    """The command is refused, and nothing is written."""
    before = read_switch(stage)
    cloud.set_condition(region, "refusing")
    try:
        done = deployed.deploytool(direction)
    finally:
        cloud.set_condition(region, "serving")
    assert done.code == 1, done.err
    assert f"{region}, does not serve" in done.err
    assert "--force" in done.err
    assert read_switch(stage) == before


def test_an_interrupted_command_goes_on_with_the_next_run(
    deployed: Any, move: Move, bring: Callable[[str], None]
) -> None:
    """Ctrl-C ends the wait with 130 and says that the switch stays set."""
    bring("failover")
    process = subprocess.Popen(
        deployed.command("failover"),
        cwd=deployed.folder,
        env=deployed.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    while "the switch holds" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGINT)
    said += process.communicate(timeout=30)[1]
    assert process.returncode == 130, said
    assert "the switch stays set" in said

    assert move("failover")["already"] is True


KILLS = [
    SwitchKill(Direction.FAILBACK, Moment(call=PUT, delay=0.001)),
    SwitchKill(Direction.FAILOVER, Moment(call=WRITE, then="answered")),
    SwitchKill(Direction.FAILBACK, Moment(call=PUT, then="answered", delay=0.3)),
    SwitchKill(Direction.FAILOVER, Moment(call=PUT, then="answered", delay=0.3)),
]


@pytest.mark.parametrize("kill", KILLS, ids=str)
def test_the_next_run_finishes_what_a_killed_one_began(
    stage: Stage, bring: Callable[[str], None], kill: SwitchKill
) -> None:
    """Four moments like those of `python -m benchmarks.switch_sweep`; `status` tells the state."""
    bring(kill.direction)
    assert kill_and_finish(stage, kill).problem == ""


def test_the_sweep_has_forty_different_moments() -> None:
    """Twenty of each command."""
    assert len(set(all_kills())) == 40
    assert [kill.direction for kill in all_kills()] == 20 * list(Direction)


@pytest.mark.parametrize(
    ("condition", "direction"),
    [("failing", "failback"), ("hanging", "failover"), ("unreachable", "failback")],
)
def test_traffic_moves_while_the_api_of_us_east_1_is_dead(
    move: Move,
    cloud: ControlClient,
    bring: Callable[[str], None],
    condition: ApiCondition,
    direction: str,
) -> None:
    """Neither command calls us-east-1, nor Route 53, IAM and CloudFront, which are there."""
    bring(direction)
    cloud.set_api_condition(EAST, condition)
    before = calls_to(cloud, EAST)
    try:
        moved = move(direction)
    finally:
        cloud.set_api_condition(EAST, "answering")
    assert moved["served_by"] == (WEST if direction == "failover" else EAST)
    assert None not in moved["seconds"].values()
    assert calls_to(cloud, EAST) == before


def calls_to(cloud: ControlClient, region: str) -> Any:
    """Return what the local cloud has counted of calls that are signed for a region."""
    return cloud.status().calls_by_region.get(region, {})
