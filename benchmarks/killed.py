"""A deploytool that is killed at a given moment: `python -m benchmarks.killed MOMENT [COMMAND
...]`, MOMENT as JSON.

It sends SIGKILL to itself, so that the moment is exact: nothing of deploytool runs after it, as
when a machine dies.
"""

import json
import os
import signal
import sys
import threading
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from botocore.client import BaseClient

from deploytool.aws.guard import SchedulerGuard
from deploytool.cli import main
from deploytool.core.drill.history import Event, to_document
from deploytool.files.history import HistoryFile


@dataclass(frozen=True)
class Moment:
    """At the nth `call` of that name to AWS (`then` "sent": it is under way, or "answered"), or
    once the nth `event` is written.

    `delay` seconds later. `guard_seconds` is how long the guard waits then, None as long as it
    always does.
    """

    call: str = ""
    event: str = ""
    nth: int = 1
    then: str = "sent"
    delay: float = 0.0
    guard_seconds: float | None = None

    def __str__(self) -> str:
        name = f"{self.call} #{self.nth} {self.then}" if self.call else f"{self.event} #{self.nth}"
        return f"{name} + {1000 * self.delay:.0f} ms"

    def to_json(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))


def arrange(moment: Moment) -> None:
    """Let this process be killed at the moment."""
    seen: Counter[str] = Counter()
    make_call, write, arm = BaseClient._make_api_call, HistoryFile.write, SchedulerGuard.arm  # type: ignore[attr-defined]  # noqa: SLF001

    def killing_call(client: BaseClient, operation: str, parameters: Any) -> Any:  # noqa: ANN401  # botocore's own
        if operation == moment.call:
            seen[operation] += 1
        due = operation == moment.call and seen[operation] == moment.nth
        if due and moment.then == "sent":
            _kill(moment.delay)
        answer = make_call(client, operation, parameters)
        if due and moment.then == "answered":
            _kill(moment.delay)
        return answer

    def killing_write(history: HistoryFile, event: Event, *, sync: bool = False) -> None:
        write(history, event, sync=sync)
        kind = to_document(event)["type"]
        seen[kind] += 1
        if kind == moment.event and seen[kind] == moment.nth:
            _kill(moment.delay)

    def arm_shorter(guard: SchedulerGuard, drill_id: str, seconds: float) -> None:
        arm(guard, drill_id, seconds if moment.guard_seconds is None else moment.guard_seconds)

    BaseClient._make_api_call = killing_call  # type: ignore[attr-defined]  # noqa: SLF001
    HistoryFile.write = killing_write  # type: ignore[method-assign,assignment]
    SchedulerGuard.arm = arm_shorter  # type: ignore[method-assign,assignment]


def _kill(delay: float) -> None:
    if delay:
        timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()
    else:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    arrange(Moment(**json.loads(sys.argv[1])))
    sys.exit(main(sys.argv[2:]))
