"""Deployments to the standby while the API of us-east-1 fails, in each of three ways."""

import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.busy import on_this_machine

EAST, WEST = "us-east-1", "us-west-2"
LOCAL = [sys.executable, "-m", "deploytool", "local"]
# Seconds of wall time until an API counts as dead, with the start of Python on a busy machine.
FOUND_DEAD = 20.0
# The attempts of the one call that finds it: the listing of the stacks.
ATTEMPTS = 2


class Apis:
    """The AWS APIs of the regions of a local cloud."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench

    def break_(self, region: str, kind: str) -> None:
        done = self.bench.run([*LOCAL, "break", region, "--api", kind])
        assert done.code == 0, done.err

    def fix(self) -> None:
        for region in (EAST, WEST):
            done = self.bench.run([*LOCAL, "fix", region])
            assert done.code == 0, done.err

    def calls(self, region: str) -> int:
        """Return how many calls were signed for a region so far."""
        status = self.bench.run([*LOCAL, "status", "--output", "json"])
        assert status.code == 0, status.err
        return sum(status.json["calls_by_region"].get(region, {}).values())


@pytest.fixture
def apis(deployed: Any) -> Iterator[Apis]:
    """The APIs, which all work again after the test."""
    apis = Apis(deployed)
    try:
        yield apis
    finally:
        apis.fix()


def change_code(bench: Any, text: str) -> None:
    handler = bench.folder / "lambda" / "api" / "handler.py"
    handler.write_text(f"{handler.read_text()}\n# {text}\n")


def version_in(clients: Any, region: str, address: str) -> str:
    """Return the version with which a region's own endpoint answers."""
    status, body = clients.curl(f"{region}.{clients.bench.domain}", address)
    assert (status, body["region"]) == (200, region)
    return str(body["version"])


@pytest.mark.parametrize("kind", ["error", "hang", "unreachable"])
def test_a_code_change_reaches_the_standby(
    clients: Any, deployed: Any, apis: Apis, kind: str
) -> None:
    """It answers with the new version, and us-east-1 is called no more once it is known dead."""
    old = version_in(clients, WEST, "127.0.0.12")
    change_code(deployed, f"on the day, {kind}")
    apis.break_(EAST, kind)
    before = apis.calls(EAST)

    done = deployed.deploytool("deploy", "--region", WEST, "--output", "json")
    assert done.code == 0, done.out + done.err
    assert done.json["unreachable"] == [EAST]
    assert not done.json["left"]
    assert done.json["standby_record"] == {"written": True, "errors": []}
    updated = {stack["stack"] for stack in done.json["stacks"] if stack["action"] == "update"}
    assert updated == {"lambda"}
    assert "certificate" in {stack["stack"] for stack in done.json["kept_inputs"]}

    new = version_in(clients, WEST, "127.0.0.12")
    assert new != old
    assert version_in(clients, EAST, "127.0.0.11") != new
    assert 0 < apis.calls(EAST) - before <= ATTEMPTS


def test_a_run_for_both_regions_names_the_dead_api_and_changes_nothing(
    deployed: Any, apis: Apis
) -> None:
    """It ends soon with exit code 4 and the command for the other region."""
    apis.break_(EAST, "error")
    began = time.monotonic()
    done = deployed.deploytool("deploy")
    assert time.monotonic() - began < on_this_machine(FOUND_DEAD)
    assert done.code == 4, done.out + done.err
    assert f"the API of {EAST} does not answer; nothing was changed" in done.err
    assert f"deploytool deploy --stage dev --region {WEST} --local" in done.err

    destroyed = deployed.deploytool("destroy", "--yes")
    assert destroyed.code == 4
    assert "nothing was deleted" in destroyed.err


def test_a_change_of_a_role_is_planned_as_left_and_left(deployed: Any, apis: Apis) -> None:
    """IAM's control plane is in us-east-1. The exit code is 4, and a later run changes the role."""
    template = deployed.folder / "infra" / "lambda.yaml"
    text = template.read_text()
    assert text.count("Lets function") == 1
    template.write_text(text.replace("Lets function", "Allows function"))
    apis.break_(EAST, "error")

    plan = deployed.deploytool("plan", "--region", WEST, "--output", "json")
    assert plan.code == 4, plan.out + plan.err
    steps = {step["stack"]: step for step in plan.json["steps"]}
    assert steps["lambda"]["action"] == "left"
    assert "IAM for Role" in steps["lambda"]["reason"]

    done = deployed.deploytool("deploy", "--region", WEST)
    assert done.code == 4, done.out + done.err
    assert f"left: lambda@{WEST} its change needs IAM for Role (AWS::IAM::Role)" in done.out
    assert f"When the API of {EAST} answers again: deploytool deploy --stage dev" in done.out

    apis.fix()
    later = deployed.deploytool("deploy", "--output", "json")
    assert later.code == 0, later.out + later.err
    actions = {
        f"{stack['stack']}@{stack['region']}": stack["action"] for stack in later.json["stacks"]
    }
    assert actions[f"lambda@{WEST}"] == actions[f"lambda@{EAST}"] == "update"


def test_the_primary_is_deployed_while_the_standby_is_dead(
    clients: Any, deployed: Any, apis: Apis
) -> None:
    """A line says that an unfinished drill could not be seen."""
    change_code(deployed, "the other way round")
    apis.break_(WEST, "error")
    done = deployed.deploytool("deploy", "--region", EAST)
    assert done.code == 0, done.out + done.err
    assert "a drill that was left unfinished cannot be seen" in done.err
    assert version_in(clients, EAST, "127.0.0.11") != version_in(clients, WEST, "127.0.0.12")
