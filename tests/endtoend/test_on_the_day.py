"""The commands that read, while the AWS API of us-east-1 does not answer."""

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploytool.core.drill.record import (
    SCHEMA_VERSION,
    DrillRecord,
    RestoreConcurrency,
    RestoreEdge,
    record_name,
)
from tests.busy import on_this_machine

EAST, WEST = "us-east-1", "us-west-2"
FAULTS = ("error", "hang", "unreachable")
LIMIT = 10.0  # seconds of wall time
MISSING = 4  # the exit code when an API did not answer


@dataclass(frozen=True)
class Timed:
    """A command that has ended, and the seconds of wall time that it took."""

    ran: Any
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.ran.out)


def run(bench: Any, *words: str) -> Timed:
    """Run a command and check that it ends within the limit, with 0 or 4."""
    started = time.monotonic()
    ran = bench.deploytool(*words)
    seconds = time.monotonic() - started
    assert ran.code in (0, MISSING), ran.out + ran.err
    assert seconds < on_this_machine(LIMIT), f"{words} took {seconds:.1f} s: {ran.out}{ran.err}"
    return Timed(ran, seconds)


def run_both(bench: Any, *commands: str) -> tuple[Timed, ...]:
    """Run commands at the same time, each with --output json, and check them as `run` does."""
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(run, bench, command, "--output", "json") for command in commands]
        return tuple(future.result() for future in futures)


def local(bench: Any, *words: str) -> None:
    """Run a command of the local cloud."""
    done = bench.run([sys.executable, "-m", "deploytool", "local", *words])
    assert done.code == 0, done.err


@pytest.fixture(scope="module")
def outputs(deployed: Any) -> dict[str, Any]:
    """The outputs of the stage while every API answers, without stacks that have none."""
    shown: dict[str, Any] = {}
    for stack, regions in deployed.deploytool("outputs", "--output", "json").json.items():
        for region, values in regions.items():
            if values:
                shown.setdefault(stack, {})[region] = values
    return shown


@pytest.fixture(params=FAULTS)
def dead(request: pytest.FixtureRequest, outputs: Any, deployed: Any) -> Iterator[Any]:
    """The stage, while the API of us-east-1 does not answer in one of three ways."""
    local(deployed, "break", EAST, "--api", request.param)
    try:
        yield deployed
    finally:
        local(deployed, "fix", EAST)


def test_the_commands_that_read_work_without_us_east_1(dead: Any, outputs: Any) -> None:
    """Each ends in time, says what is known and what is missing, and its exit code is 0 or 4."""
    check, status = run_both(dead, "check", "status")
    assert check.ran.code == 0
    assert check.json["summary"] == f"{EAST} serves https://{dead.domain}/v1"

    assert status.ran.code == MISSING
    state = status.json
    assert (state["served_by"], state["unfinished_drill"]) == (EAST, False)
    assert state["deployed"]["at"]
    assert {gap["region"] for gap in state["missing"]} == {EAST}
    assert {stack["region"] for stack in state["stacks"]} == {WEST}

    known, restore = run_both(dead, "outputs", "restore")
    assert known.ran.code == MISSING
    assert known.json == outputs
    assert "are those of the deployment of" in known.ran.err
    for answer in (known, restore):
        assert check.json["summary"] in answer.ran.err

    assert restore.ran.code == MISSING
    assert restore.json["restored"] is False
    assert [gap["region"] for gap in restore.json["missing"]] == [EAST]


def test_a_drill_names_the_dead_api(deployed: Any) -> None:
    """It needs Route 53's API, so it ends with 4 and changes nothing; JSON has the error."""
    local(deployed, "break", EAST, "--api", "unreachable")
    try:
        done = deployed.deploytool("drill", "--dry-run", "--output", "json")
    finally:
        local(deployed, "fix", EAST)
    assert done.code == MISSING, done.err
    assert f"the AWS API of {EAST} did not answer" in json.loads(done.out)["error"]


def test_a_drill_is_undone_as_far_as_the_apis_answer(deployed: Any, clients: Any) -> None:
    """The steps of us-east-1 wait, and the record remains for the next run."""
    project = json.loads(
        clients.aws("ssm", "get-parameter", "--region", WEST, "--name", standby_name(deployed))[
            "Parameter"
        ]["Value"]
    )
    function = project["functions"][EAST]
    steps = (RestoreConcurrency(EAST, function, None), RestoreEdge(EAST))
    moment = "2026-11-25T12:00:00+00:00"
    record = DrillRecord(
        SCHEMA_VERSION, "drill-1", "throttle", deployed.stage, "ana@laptop", moment, moment, steps
    )
    name = record_name(project["project"], deployed.stage)
    words = ("ssm", "put-parameter", "--region", WEST, "--type", "String", "--name", name)
    clients.aws(*words, "--value", record.to_json())

    local(deployed, "break", EAST, "--how", "error", "--api", "error")
    try:
        restore = run(deployed, "restore", "--output", "json")
        assert restore.ran.code == MISSING
        assert restore.json["calls"] == [f"the local cloud's edge of {EAST}: serving"]
        [waiting] = restore.json["missing"]
        assert (waiting["region"], function in waiting["what"]) == (EAST, True)
        state = run(deployed, "status", "--output", "json").json
        assert state["drill"]["id"] == "drill-1"
    finally:
        local(deployed, "fix", EAST)

    assert run(deployed, "restore", "--output", "json").json["restored"] is True
    assert run(deployed, "status", "--output", "json").json["drill"] is None


def test_a_dead_standby_region_is_named_too(deployed: Any) -> None:
    """Who serves and the stacks of us-east-1 are known; what the standby keeps is not."""
    local(deployed, "break", WEST, "--api", "hang")
    try:
        state = run(deployed, "status", "--output", "json")
        assert state.ran.code == MISSING
        assert state.json["served_by"] == EAST
        assert {gap["region"] for gap in state.json["missing"]} == {WEST}
        assert {stack["region"] for stack in state.json["stacks"]} == {EAST}
        assert run(deployed, "check").ran.code == 0
    finally:
        local(deployed, "fix", WEST)


def test_the_records_are_written_by_what_changes_something_alone(
    deployed: Any, clients: Any
) -> None:
    """A deployment with nothing to do leaves them; `destroy` removes them with the stage."""
    name = standby_name(deployed)
    words = ("ssm", "get-parameter", "--region", WEST, "--name", name)
    before = clients.aws(*words)["Parameter"]["Value"]
    again = deployed.deploytool("deploy", "--output", "json")
    assert again.json["standby_record"] == {"written": False, "errors": []}
    assert clients.aws(*words)["Parameter"]["Value"] == before

    assert deployed.deploytool("destroy", "--yes").code == 0
    prefix = str(Path(name).parent)
    kept = clients.aws("ssm", "get-parameters-by-path", "--region", WEST, "--path", prefix)
    assert kept["Parameters"] == []


def standby_name(bench: Any) -> str:
    """Return the name of the parameter with the standby's record."""
    return f"/deploytool/hello/{bench.stage}/standby"
