"""Who serves, for a command that lacks a part of its answer because an API is dead."""

import threading
from collections.abc import Callable
from typing import TypeVar

from deploytool.commands._context import CommandContext
from deploytool.commands.check import look
from deploytool.core.service.findings import Findings
from deploytool.targets.service import configured_service

Result = TypeVar("Result")

# Seconds of wall time after which an API that has not answered is probably dead
PATIENCE = 1.5


def with_findings(
    context: CommandContext, work: Callable[[], Result], is_complete: Callable[[Result], bool]
) -> tuple[Result, Findings | None]:
    """Do the work; return its result, and a check of the service unless it is complete.

    The check begins beside work that takes long, so that both end soon.
    """
    service = configured_service(context.project, context.graph)
    executor = context.target.ports.executor
    ended = threading.Event()

    def look_late() -> Findings | None:
        return None if ended.wait(PATIENCE) else look(context, service)

    late = executor.submit(look_late)
    try:
        result = work()
    finally:
        ended.set()
    if is_complete(result):
        return result, None
    return result, late.result() or look(context, service)
