"""Events of logs."""

import json

import pytest

from deploytool.core.service.logs import LogEvent, in_order


def event(text: str, time: float = 1.0, region: str = "us-east-1", id_: str = "") -> LogEvent:
    return LogEvent(time, region, "/aws/lambda/hello-dev-lambda", id_, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plain\n", "plain"),
        (json.dumps({"level": "ERROR", "message": "no table", "x": 1}), "ERROR no table"),
        (
            json.dumps({"level": "ERROR", "errorType": "KeyError", "message": "t"}),
            "ERROR KeyError t",
        ),
        (json.dumps({"message": 3}), ""),
        ("[1]", "[1]"),
        ("{", "{"),
    ],
)
def test_the_message_is_without_lambdas_json(text: str, message: str) -> None:
    """Anything that is not Lambda's JSON is shown as it is."""
    assert event(text).message == message


@pytest.mark.parametrize(
    ("text", "is_error"),
    [
        ("Traceback (most recent call last):", True),
        ("KeyError: 'x'", True),
        ("2026-11-27 Task timed out after 3.00 seconds", True),
        ('{"errorType": "KeyError"}', True),
        ("0 errors found", False),
        ("us-east-1 serves", False),
    ],
)
def test_errors_are_recognised(text: str, *, is_error: bool) -> None:
    assert event(text).is_error is is_error


def test_the_order_is_that_of_time_across_regions() -> None:
    """An event that two readings return is one; what the runtime says of each call is left out."""
    first, second = event("a", 1.0, "us-west-2"), event("b", 2.0)
    noise = event("REPORT RequestId: 1 Duration: 3 ms")
    assert in_order([second, first, noise, second]) == [first, second]
