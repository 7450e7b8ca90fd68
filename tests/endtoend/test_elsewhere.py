"""A project whose regions are not us-east-1, while that region's AWS API does not answer.

Route 53, IAM and CloudFront have their APIs there whatever the project's regions are.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.conftest import SPEED

GLOBAL, PRIMARY, SECONDARY = "us-east-1", "eu-west-1", "eu-central-1"
LOCAL = [sys.executable, "-m", "deploytool", "local"]
MISSING = 4  # the exit code when an API did not answer


@pytest.fixture(scope="module")
def elsewhere(
    make_bench: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """The stage, deployed to two regions of Europe."""
    folder = tmp_path_factory.mktemp("project")
    plain = make_bench(folder)
    settings = folder / "deploytool.toml"
    text = settings.read_text().replace(GLOBAL, PRIMARY).replace("us-west-2", SECONDARY)
    settings.write_text(text)

    directory = tmp_path_factory.mktemp("cloud")
    bench = type(plain)(folder, {"DEPLOYTOOL_LOCAL_DIR": str(directory)})
    up = bench.run([*LOCAL, "up", "--speed", str(SPEED)])
    assert up.code == 0, up.err
    try:
        done = bench.deploytool("deploy")
        assert done.code == 0, done.err
        yield bench
    finally:
        down = bench.run([*LOCAL, "down"])
        assert down.code == 0, down.err


@contextmanager
def dead_api(bench: Any, fault: str) -> Iterator[None]:
    """Break the API of us-east-1 for the length of a block."""
    broken = bench.run([*LOCAL, "break", GLOBAL, "--api", fault])
    assert broken.code == 0, broken.err
    try:
        yield
    finally:
        fixed = bench.run([*LOCAL, "fix", GLOBAL])
        assert fixed.code == 0, fixed.err


def calls(bench: Any) -> int:
    """Return how many calls the API of us-east-1 has got."""
    status = bench.run([*LOCAL, "status", "--output", "json"])
    return sum(status.json["calls_by_region"].get(GLOBAL, {}).values())


@pytest.mark.parametrize("fault", ["error", "hang", "unreachable"])
def test_the_projects_own_regions_are_enough(fault: str, elsewhere: Any) -> None:
    """Only what Route 53's API would say is missing, and us-east-1 is named for it."""
    with dead_api(elsewhere, fault):
        before = calls(elsewhere)
        check = elsewhere.deploytool("check", "--output", "json")
        # The attempts of one call, for whether a failover can happen. The answer does not need it
        assert (check.code, calls(elsewhere)) == (0, before + 2)
        assert check.json["summary"] == f"{PRIMARY} serves https://{elsewhere.domain}/v1"
        assert check.json["failover"]["ready"] is None
        assert GLOBAL in check.json["failover"]["unknown"]

        before = calls(elsewhere)
        outputs = elsewhere.deploytool("outputs", "--output", "json")
        assert (outputs.code, calls(elsewhere)) == (0, before)
        assert set(outputs.json["lambda"]) == {PRIMARY, SECONDARY}

        status = elsewhere.deploytool("status", "--output", "json")
        assert status.code == MISSING
        assert {gap["region"] for gap in status.json["missing"]} == {GLOBAL}
        assert status.json["served_by"] == PRIMARY
        # The attempts of one call
        assert calls(elsewhere) == before + 2


def test_new_code_reaches_both_regions(elsewhere: Any) -> None:
    """A function's code needs neither Route 53 nor IAM, and nothing is missing after that."""
    handler = elsewhere.folder / "lambda" / "api" / "handler.py"
    handler.write_text(f"{handler.read_text()}\n# changed\n")
    with dead_api(elsewhere, "error"):
        done = elsewhere.deploytool("deploy", "--output", "json")
    assert done.code == 0, done.out + done.err

    document = done.json
    updates = [stack for stack in document["stacks"] if stack["action"] == "update"]
    assert {stack["region"]: stack["stack"] for stack in updates} == {
        PRIMARY: "lambda",
        SECONDARY: "lambda",
    }
    assert document["ok"] is True
    assert document["parity"]["same"] is True
    assert document["standby_record"]["errors"] == []
