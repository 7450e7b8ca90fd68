"""Calls beside the caller: results and errors come back, and no bug is lost."""

import threading
from concurrent.futures import CancelledError

import pytest

from deploytool.core.errors import DeploytoolError
from deploytool.net.executor import ExecutorClosed, ThreadExecutor
from deploytool.simulated.executor import InlineExecutor
from deploytool.work.tasks import PendingCalls, for_each


def refuse() -> int:
    raise DeploytoolError("refused")


def break_down() -> int:
    raise ZeroDivisionError


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


def test_a_bug_in_a_call_whose_result_nobody_reads_is_raised_at_the_end() -> None:
    """A refusal in such a call is none: the caller has chosen not to read it."""
    with ThreadExecutor() as executor:
        executor.submit(refuse)
    with pytest.raises(ZeroDivisionError), ThreadExecutor() as executor:
        executor.submit(break_down)


def test_a_loop_gets_results_and_refusals() -> None:
    """A DeploytoolError is a result like any other: the loop decides what it means."""
    calls = PendingCalls(InlineExecutor())
    results: list[object] = []
    calls.start(lambda: 1, results.append)
    calls.start(refuse, results.append)
    assert calls.handle_finished()
    assert not calls.handle_finished()
    assert results[0] == 1
    assert isinstance(results[1], DeploytoolError)


def test_a_bug_in_a_call_ends_the_loop() -> None:
    """It is raised in the thread of the loop, and no handler gets it."""
    calls = PendingCalls(InlineExecutor())
    results: list[object] = []
    calls.start(break_down, results.append)
    with pytest.raises(ZeroDivisionError):
        calls.handle_finished()
    assert not results


def test_a_loop_waits_until_a_call_has_finished() -> None:
    """The wait ends with the call, not with its time limit. Without a call there is no wait."""
    with ThreadExecutor() as executor:
        calls = PendingCalls(executor)
        assert not calls.wait(60.0)
        results: list[object] = []
        calls.start(lambda: 1, results.append)
        assert calls.wait(60.0)
        assert calls.handle_finished()
        assert results == [1]


def test_a_wait_has_a_time_limit() -> None:
    """A call that does not end delays the loop no longer than that."""
    with ThreadExecutor() as executor:
        release = threading.Event()
        future = executor.submit(release.wait)
        executor.wait([future], 0.001)
        assert not future.done()
        release.set()


def test_an_error_of_the_block_is_raised_with_a_note_of_a_bug() -> None:
    """The bug does not replace the error, and it is not lost."""

    def block() -> None:
        with ThreadExecutor() as executor:
            executor.submit(break_down)
            raise DeploytoolError("refused")

    with pytest.raises(DeploytoolError, match="refused") as caught:
        block()
    assert caught.value.__notes__ == ["a call beside it failed too: ZeroDivisionError()"]


def test_a_call_that_would_start_others_ends_with_the_executor() -> None:
    """A check beside work that has ended meanwhile is not needed any more: that is no error."""

    def check() -> None:
        while True:
            for_each(executor, str.upper, ["a", "b"])

    with ThreadExecutor() as executor:
        late = executor.submit(check)
    assert isinstance(late.exception(), ExecutorClosed | CancelledError)
