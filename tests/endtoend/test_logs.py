"""`deploytool logs`: what the functions of both regions print."""

import os
import subprocess
import sys
import time
from typing import Any

import pytest

EAST, WEST = "us-east-1", "us-west-2"
HANDLER = '\n_plain = handler\n\ndef handler(event, context):\n    print("served \\x1b[2Jby", REGION)\n    return _plain(event, context)\n'
ENV = [sys.executable, "-m", "deploytool", "local"]


@pytest.fixture(scope="module")
def talking(bench: Any) -> Any:
    """A stage whose function prints a line for each call."""
    handler = bench.folder / "lambda" / "api" / "handler.py"
    handler.write_text(handler.read_text() + HANDLER)
    done = bench.deploytool("deploy")
    assert done.code == 0, done.err
    assert bench.deploytool("check").code == 0
    return bench


def test_both_regions_are_shown_in_the_order_of_time(talking: Any) -> None:
    """Each line has its time, region and function; a printed escape does not act."""
    done = talking.deploytool("logs", "--filter", "served", "--output", "json")
    assert done.code == 0, done.err
    events = done.json["events"]
    assert {event["region"] for event in events} == {EAST, WEST}
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    text = talking.deploytool("logs", "--filter", "served").out
    assert f"{WEST}  hello-dev-lambda" in text
    assert "\x1b[2J" not in text
    assert talking.deploytool("logs", "--filter", "xyzzy", "--output", "json").json["events"] == []


def test_a_region_whose_api_is_dead_is_named_and_the_other_shown(talking: Any) -> None:
    """The exit code is 4."""
    assert talking.run([*ENV, "break", EAST, "--api", "unreachable"]).code == 0
    try:
        done = talking.deploytool("logs", "--output", "json")
    finally:
        talking.run([*ENV, "fix", EAST])
    assert done.code == 4
    assert [gap["region"] for gap in done.json["missing"]] == [EAST]
    assert {event["region"] for event in done.json["events"]} == {WEST}


def test_new_lines_are_followed_until_ctrl_c(talking: Any) -> None:
    """Then the exit code is 0, as that was the wish."""
    process = subprocess.Popen(
        talking.command("logs", "--follow", "--since", "1m"),
        cwd=talking.folder,
        env={**os.environ, **talking.env, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    first = process.stdout.readline()
    assert "served" in first or "serves" in first
    deadline = time.monotonic() + 60
    assert talking.deploytool("check").code == 0
    while "served" not in process.stdout.readline():
        assert time.monotonic() < deadline
    process.send_signal(2)
    assert process.wait(timeout=60) == 0
    process.stdout.close()


def test_a_json_document_cannot_be_followed(talking: Any) -> None:
    """It has an end."""
    assert talking.deploytool("logs", "--follow", "--output", "json").code == 2


def test_a_failing_check_shows_the_last_errors(talking: Any) -> None:
    """The reason stands below the problem, without another command."""
    handler = talking.folder / "lambda" / "api" / "handler.py"
    good = handler.read_text()
    handler.write_text(
        good + '\n\ndef handler(event, context):\n    raise KeyError("table name")\n'
    )
    assert talking.deploytool("deploy", "--parallel").code == 0
    done = talking.deploytool("check")
    handler.write_text(good)
    assert done.code == 1
    assert "deploytool logs" in done.out
    assert "table name" in done.out
