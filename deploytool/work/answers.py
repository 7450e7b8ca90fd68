"""Questions to several APIs at the same time. One that does not answer leaves a gap in the answer."""

from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from deploytool.core.errors import ApiUnavailable
from deploytool.core.ports import Executor
from deploytool.core.service.missing import Missing

T = TypeVar("T")

PAUSE = 1.0  # seconds of wall time after which the answers are looked at again


@dataclass(frozen=True)
class Answer(Generic[T]):
    """The answer to one question. `what` names it for people."""

    what: str
    future: Future[T]

    @property
    def is_here(self) -> bool:
        """Whether the API has answered, or will not."""
        return self.future.done()

    @property
    def missing(self) -> Missing | None:
        """What is missing because the API did not answer, None when it did. Waits for that."""
        error = self.future.exception()
        if not isinstance(error, ApiUnavailable):
            return None
        return Missing(self.what, error.region, str(error))

    def value(self) -> T | None:
        """Return the answer, None when the API did not answer. Waits for it.

        Raises what the call raised, if that was another error.
        """
        if self.missing is not None:
            return None
        return self.future.result()


class Questions:
    """The questions of one command, all asked at the same time."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._answers: list[Answer[Any]] = []

    def ask(self, what: str, call: Callable[[], T]) -> Answer[T]:
        """Start a call. An API that does not answer is no error."""
        answer = Answer(what, self._executor.submit(call))
        self._answers.append(answer)
        return answer

    def wait_until(
        self, is_enough: Callable[[Answer[Any]], bool], answers: Collection[Answer[Any]]
    ) -> None:
        """Return when one of the answers is enough, or when all of them are there."""
        waiting = list(answers)
        while waiting:
            here = [answer for answer in waiting if answer.is_here]
            if any(is_enough(answer) for answer in here):
                return
            waiting = [answer for answer in waiting if not answer.is_here]
            if waiting:
                self._executor.wait([answer.future for answer in waiting], PAUSE)

    def missing(self) -> tuple[Missing, ...]:
        """Return what is missing, in the order of the questions. Waits for every answer."""
        gaps = [answer.missing for answer in self._answers]
        return tuple(gap for gap in gaps if gap is not None)
