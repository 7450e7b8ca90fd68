"""Calls for several items that run beside each other."""

import pytest

from deploytool.net.executor import ThreadExecutor
from deploytool.work.tasks import for_each


def test_results_come_by_item() -> None:
    """In the order of the items."""
    with ThreadExecutor() as executor:
        assert for_each(executor, len, ["a", "bcd"]) == {"a": 1, "bcd": 3}


def test_every_call_ends_before_an_error_is_raised() -> None:
    """A plan must not leave a change set behind because another one failed."""
    ended: list[int] = []

    def call(number: int) -> None:
        if number == 0:
            raise ValueError("the first")
        ended.append(number)

    with pytest.raises(ValueError, match="the first"), ThreadExecutor() as executor:
        for_each(executor, call, [0, 1, 2])
    assert sorted(ended) == [1, 2]


def test_an_error_that_nobody_waited_for_is_raised_at_the_end() -> None:
    """A bug in a call beside the run must not be lost."""

    def call() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError), ThreadExecutor() as executor:
        executor.start(call)
