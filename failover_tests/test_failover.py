"""Traffic moves to the secondary region, and comes back: in a drill, by command, and by itself."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# Seconds between two looks, and until a movement counts as failed. A health check with the slowest
# settings detects in five minutes, and resolvers keep an answer for one more.
PAUSE = 0.2
MOST_SECONDS = 900


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + MOST_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still false after {MOST_SECONDS} s"
        time.sleep(PAUSE)


def serving_region(client: Any, facts: Mapping[str, Any]) -> str | None:
    """Return the region that answers at the domain, None while none does."""
    try:
        answer = client.get(facts["domain"], facts["path"])
    except OSError:
        return None
    return answer.headers.get("x-served-by-region") if answer.status_code == 200 else None


def test_a_drill_moves_traffic_and_restores_it(
    deployed: Any, client: Any, facts: Mapping[str, Any], confirm: list[str], tmp_path: Path
) -> None:
    """The health check of the primary is forced to fail; a client outside sees both regions.

    No request of that client fails: both regions serve all the time.
    """
    drill = deployed.start("drill", *confirm, "--report-dir", str(tmp_path))
    seen: list[str | None] = []
    while drill.poll() is None:
        seen.append(serving_region(client, facts))
        time.sleep(PAUSE)
    output = drill.communicate()[0]
    assert drill.returncode == 0, output

    report = json.loads((tmp_path / "latest" / "drill.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "pass", report["reasons"]
    assert report["restored"] is True
    assert report["served_by"]["during"] == facts["secondary"]
    assert facts["secondary"] in seen
    assert None not in seen
    wait_for(lambda: serving_region(client, facts) == facts["primary"])


def test_traffic_moves_by_command_and_stays(
    deployed: Any, client: Any, facts: Mapping[str, Any], confirm: list[str]
) -> None:
    """`failover` moves it to the secondary although the primary is healthy, `failback` back."""
    moved = deployed.run("failover", *confirm)
    try:
        assert moved.code == 0, moved.err
        wait_for(lambda: serving_region(client, facts) == facts["secondary"])
    finally:
        back = deployed.run("failback", *confirm)
    assert back.code == 0, back.err
    wait_for(lambda: serving_region(client, facts) == facts["primary"])


@pytest.mark.local_only
def test_traffic_moves_when_the_primary_region_is_lost(
    deployed: Any, client: Any, facts: Mapping[str, Any]
) -> None:
    """Its edge refuses connections; nobody touches the health check or types a command."""
    with lost(deployed, facts["primary"]):
        wait_for(lambda: serving_region(client, facts) == facts["secondary"])
    if deployed.run("status", "--output", "json").json["served_by"] != facts["primary"]:
        back = deployed.run("failback", "--yes")  # a stage whose failback is manual needs it
        assert back.code == 0, back.err
    wait_for(lambda: serving_region(client, facts) == facts["primary"])


@pytest.mark.local_only
def test_traffic_moves_by_command_while_the_primary_regions_api_is_down(
    deployed: Any, client: Any, facts: Mapping[str, Any], confirm: list[str]
) -> None:
    """A failover needs nothing of the region that has failed."""
    with lost(deployed, facts["primary"], "--api", "unreachable"):
        moved = deployed.run("failover", *confirm)
        assert moved.code in {0, 4}, moved.err  # 4: done, and part of the answer is missing
        wait_for(lambda: serving_region(client, facts) == facts["secondary"])
    back = deployed.run("failback", *confirm)
    assert back.code == 0, back.err
    wait_for(lambda: serving_region(client, facts) == facts["primary"])


@contextmanager
def lost(deployed: Any, region: str, *options: str) -> Iterator[None]:
    """Take a region of the local cloud away within the block."""
    how = options or ("--how", "refuse")
    broken = deployed.local("break", region, *how)
    assert broken.code == 0, broken.err
    try:
        yield
    finally:
        fixed = deployed.local("fix", region)
        assert fixed.code == 0, fixed.err
