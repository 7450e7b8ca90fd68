"""The check of one region's own endpoint: how many answers decide it."""

from types import SimpleNamespace
from typing import Any

import pytest

from deploytool.work.rollout.endpoints import EndpointCheck, EndpointState, Failed, Passed
from deploytool.work.stacks.operations import RetryAfter


class SlowEndpoints:
    """Endpoints of which each call takes 100 seconds; `problems` are those of the answers."""

    def __init__(self, *problems: str | None) -> None:
        self.problems = list(problems)
        self.seconds = 0.0
        self.probes = SimpleNamespace(clock=self)
        self.endpoint = SimpleNamespace(url=lambda region: f"https://{region}.example.com")

    def now(self) -> float:
        return self.seconds

    def state(self, _region: str, _versions: frozenset[str]) -> EndpointState:
        self.seconds += 100.0
        return EndpointState(self.problems.pop(0))


def result_of(endpoints: Any) -> Passed | Failed:
    """Poll until the check has a result; its limit is 60 seconds."""
    check = EndpointCheck("us-west-2", settle=60.0, steady=1)
    while True:
        result = check.poll(endpoints, endpoints, 1.0, lambda _event: None)
        if not isinstance(result, RetryAfter):
            return result
        endpoints.seconds += result.seconds


@pytest.mark.parametrize("slow", [0, 1, 2])
def test_single_slow_answers_do_not_fail_a_check(slow: int) -> None:
    """Each of them takes longer than the whole limit, as the start of a function may."""
    assert result_of(SlowEndpoints(*["timeout"] * slow, None)) == Passed()


def test_a_check_fails_after_three_answers_and_its_limit() -> None:
    """The problem is that of the last answer."""
    endpoints = SlowEndpoints("timeout", "timeout", "refused", None)
    assert result_of(endpoints) == Failed("refused")
