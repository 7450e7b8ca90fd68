"""The rate budget: a burst, then a steady rate, which is halved on throttling and grows back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.aws.budget import Rate, RateBudget


class ManualClock:
    """A clock that only sleeping advances."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_a_burst_goes_at_once_and_the_rest_at_the_rate(clock: Any) -> None:
    """Four calls at once, then two a second."""
    budget = RateBudget(clock)
    assert [budget.reserve() for _ in range(7)] == [0, 0, 0, 0, 0.5, 1.0, 1.5]


def test_throttling_halves_the_rate_which_grows_back(clock: Any) -> None:
    """It gains 0.2 calls a second for every ten seconds without throttling, up to the limit."""
    budget = RateBudget(clock)
    budget.throttled()
    assert budget.rate == 1.0
    assert budget.reserve() == 1.0
    budget.throttled()
    assert budget.rate == 0.5
    clock.sleep(20.0)
    budget.reserve()
    assert budget.rate == pytest.approx(0.9)
    clock.sleep(1000.0)
    budget.reserve()
    assert budget.rate == 2.0


@given(pauses=st.lists(st.floats(0, 5), max_size=60), throttled=st.sets(st.integers(0, 60)))
def test_never_more_calls_than_the_budget_allows(pauses: list[float], throttled: set[int]) -> None:
    """In any span of time: the burst, and the rate times the span."""
    clock = ManualClock()
    call_times: list[float] = []
    budget = RateBudget(clock, Rate(2.0, 4.0))
    for number, pause in enumerate(pauses):
        clock.sleep(pause)
        if number in throttled:
            budget.throttled()
        clock.sleep(budget.reserve())
        call_times.append(clock.now())

    for first in range(len(call_times)):
        for last in range(first, len(call_times)):
            span = call_times[last] - call_times[first]
            assert last - first + 1 <= 4.0 + 2.0 * span + 1e-6
