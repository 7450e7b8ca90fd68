"""Execution environments of a function, by plain boto3 calls to a local cloud."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

CALLS = 16  # as many as Route 53 has checkers of one health check

PROCESS = """
import os
def handler(event, context):
    return os.getpid()
"""

MEETING = """
import os, pathlib, time
def handler(event, context):
    folder = pathlib.Path(event["folder"])
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < event["calls"]:
        time.sleep(0.01)
    return os.getpid()
"""

RECURSIVE = """
import json, boto3
def handler(event, context):
    if event["depth"] == 0:
        return "the end"
    again = json.dumps({"depth": event["depth"] - 1})
    answer = boto3.client("lambda").invoke(FunctionName=context.function_name, Payload=again)
    return json.load(answer["Payload"])
"""


@pytest.fixture
def make_function(aws: Any) -> Iterator[Callable[[str, str], Callable[[Any], Any]]]:
    """`make(name, code)`: creates a function and returns what calls it with an event."""
    functions = aws.client("lambda")
    made: list[str] = []

    def make(name: str, code: str) -> Callable[[Any], Any]:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("index.py", code)
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="index.handler",
            Role="arn:aws:iam::000000000000:role/any",
            Code={"ZipFile": package.getvalue()},
            Timeout=60,
        )
        made.append(name)

        def call(event: Any) -> Any:
            answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
            return json.load(answer["Payload"])

        return call

    yield make
    for name in made:
        functions.delete_function(FunctionName=name)


def call_at_once(call: Callable[[Any], Any], events: list[Any]) -> list[Any]:
    """Call a function with all events at the same moment and return the answers."""
    with ThreadPoolExecutor(len(events)) as threads:
        return list(threads.map(call, events))


@pytest.mark.difference
def test_calls_at_once_share_processes(make_function: Any) -> None:
    """The first calls of 16 health checkers start fewer processes than there are calls."""
    call = make_function("shared", PROCESS)
    processes = call_at_once(call, [{}] * CALLS)
    assert len(set(processes)) < CALLS / 2


def test_calls_that_take_long_run_side_by_side(make_function: Any, tmp_path: Any) -> None:
    """Each gets a process of its own: as on AWS, an environment answers one call at a time.

    Source: Lambda Developer Guide, "Understanding Lambda function scaling".
    """
    call = make_function("side-by-side", MEETING)
    event = {"folder": str(tmp_path), "calls": 3}
    processes = call_at_once(call, [event] * 3)
    assert len(set(processes)) == 3


def test_a_function_can_call_itself(make_function: Any) -> None:
    """The inner call does not wait for the process of the outer one."""
    call = make_function("recursive", RECURSIVE)
    assert call({"depth": 2}) == "the end"
