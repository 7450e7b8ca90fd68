"""Runs checks side by side. One that fails or has no permission never stops the others."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Generic, TypeVar

from deploytool.core.doctor.finding import Finding, Group, Topic
from deploytool.core.errors import CloudRefused, DeploytoolError
from deploytool.core.ports import Executor

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Check:
    """A check: what it is about, and the function that makes it.

    A DeploytoolError of the function means that the part was not checked. `asks_cloud` tells that it
    calls an API of AWS; with `sign_in` it does so only where that raises no CloudRefused, because
    credentials that AWS refuses once are refused by every API.
    """

    group: Group
    topic: Topic
    look: Callable[[], Iterable[Finding]]
    asks_cloud: bool = False
    sign_in: Callable[[], object] | None = None


@dataclass(frozen=True)
class Checked:
    """A check that has been made, and what it found."""

    check: Check
    findings: tuple[Finding, ...]


def run_checks(executor: Executor, checks: Sequence[Check]) -> list[Checked]:
    """Make all checks at the same time; return what each found, in the order of the checks."""
    futures = [executor.submit(partial(_make, check)) for check in checks]
    return [Checked(check, future.result()) for check, future in zip(checks, futures, strict=True)]


def _make(check: Check) -> tuple[Finding, ...]:
    try:
        if check.sign_in is not None:
            check.sign_in()
    except CloudRefused as error:
        needed = CloudRefused("it needs credentials that AWS takes", hint=error.hint)
        return (check.topic.unanswered(needed),)
    try:
        return tuple(check.look())
    except DeploytoolError as error:
        return (check.topic.unanswered(error),)
    except Exception as error:  # noqa: BLE001  # a bug in one check must not hide what others found
        message = f"unexpected {type(error).__name__}: {error}"
        hint = "this is a bug in deploytool; please report it"
        return (check.topic.unanswered(DeploytoolError(message), hint),)


class Once(Generic[T_co]):
    """A value that several checks need and that is read once. Safe to use from several threads.

    An error of the reading is raised again for each of them.
    """

    def __init__(self, read: Callable[[], T_co]) -> None:
        self._read = read
        self._lock = Lock()
        self._value: T_co | None = None
        self._error: DeploytoolError | None = None
        self._is_read = False

    def get(self) -> T_co:
        """Return the value. Raises DeploytoolError as the reading does."""
        with self._lock:
            if not self._is_read:
                try:
                    self._value = self._read()
                except DeploytoolError as error:
                    self._error = error
                self._is_read = True
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # it is read
