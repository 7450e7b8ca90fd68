"""`python -m benchmarks.killed MOMENT COMMAND ...`: a deploytool that is killed at a moment.

MOMENT is JSON. The process sends SIGKILL to itself, so that the moment is exact: nothing of
deploytool runs after it, as when a machine loses power.
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
    """When the process is killed: `delay` seconds after the nth AWS `call` or the nth `event`.

    A call counts when it is "sent" or when it is "answered", as `then` says; an event when it is
    written to the history. `guard_seconds` replaces the guard's own delay, None keeps it.
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
        """Return the moment as an argument for the command line."""
        return json.dumps(asdict(self))


def arrange(moment: Moment) -> None:
    """Replace what makes calls and writes events, so that this process dies at the moment."""
    counts: Counter[str] = Counter()
    make_call = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001
    write = HistoryFile.write
    arm = SchedulerGuard.arm

    def killing_call(client: BaseClient, operation: str, parameters: Any) -> Any:  # noqa: ANN401  # botocore's own
        if operation == moment.call:
            counts[operation] += 1
        is_due = operation == moment.call and counts[operation] == moment.nth
        if is_due and moment.then == "sent":
            _kill(moment.delay)
        answer = make_call(client, operation, parameters)
        if is_due and moment.then == "answered":
            _kill(moment.delay)
        return answer

    def killing_write(history: HistoryFile, event: Event, *, sync: bool = False) -> None:
        write(history, event, sync=sync)
        kind = to_document(event)["type"]
        counts[kind] += 1
        if kind == moment.event and counts[kind] == moment.nth:
            _kill(moment.delay)

    def arm_sooner(guard: SchedulerGuard, drill_id: str, seconds: float) -> None:
        if moment.guard_seconds is not None:
            seconds = moment.guard_seconds
        arm(guard, drill_id, seconds)

    BaseClient._make_api_call = killing_call  # type: ignore[attr-defined]  # noqa: SLF001
    HistoryFile.write = killing_write  # type: ignore[method-assign,assignment]
    SchedulerGuard.arm = arm_sooner  # type: ignore[method-assign,assignment]


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
