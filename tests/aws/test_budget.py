"""The rate budget: a burst, then a steady rate; halved on throttling, won back slowly."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.aws.budget import Rate, RateBudget


@dataclass
class Time:
    time: float = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    """Four at once, then two a second."""
    time = Time()
    budget = RateBudget(time)
    assert [budget.reserve() for _ in range(7)] == [0, 0, 0, 0, 0.5, 1.0, 1.5]


def test_throttling_halves_the_rate_and_clean_time_wins_it_back() -> None:
    """0.2 calls a second for every ten seconds without throttling, up to the limit."""
    time = Time()
    budget = RateBudget(time)
    budget.throttled()
    assert budget.rate == 1.0
    assert budget.reserve() == 1.0
    budget.throttled()
    assert budget.rate == 0.5
    time.sleep(20.0)
    budget.reserve()
    assert budget.rate == pytest.approx(0.9)
    time.sleep(1000.0)
    budget.reserve()
    assert budget.rate == 2.0


@given(asks=st.lists(st.floats(0, 5), max_size=60), throttled=st.sets(st.integers(0, 60)))
def test_never_more_calls_than_the_budget_allows(asks: list[float], throttled: set[int]) -> None:
    """In any span of time: the burst and the rate times the span."""
    time, calls = Time(), []
    budget = RateBudget(time, Rate(2.0, 4.0))
    for number, idle in enumerate(asks):
        time.sleep(idle)
        if number in throttled:
            budget.throttled()
        time.sleep(budget.reserve())
        calls.append(time.now())
    for first in range(len(calls)):
        for last in range(first, len(calls)):
            assert last - first + 1 <= 4.0 + 2.0 * (calls[last] - calls[first]) + 1e-6
