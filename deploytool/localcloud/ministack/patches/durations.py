"""Resources that take as long as on AWS: MiniStack makes each at once.

MiniStack asks `_runs_on_worker_thread` whether a type's handler blocks, and awaits `run_reentrant`
if so. Both are replaced: every type is awaited, the wait is the event loop's, and the handlers that
do not block still run on the loop, one at a time, as MiniStack's own state needs it. So a stack
that waits holds up neither another stack nor a request.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from deploytool.localcloud.ministack.durations import Durations
from deploytool.localcloud.ministack.emulator import MiniStack


def install(ministack: MiniStack, durations: Durations) -> None:
    """Let resources take their time. After the other gaps: those say which types block."""
    stacks = ministack.stacks
    blocks, their_run = stacks._runs_on_worker_thread, stacks.run_reentrant
    seconds_of = _seconds_of(stacks, durations)

    async def run(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        seconds = seconds_of(function, arguments)
        if blocks(arguments[0]):
            result = await their_run(function, *arguments, **options)
        else:
            result = function(*arguments)
        # The resource is there, and CloudFormation waits until it is stable
        await asyncio.sleep(seconds)
        return result

    stacks._runs_on_worker_thread = lambda _: True
    stacks.run_reentrant = run


def _seconds_of(
    stacks: Any, durations: Durations
) -> Callable[[Callable[..., Any], tuple[Any, ...]], float]:
    """How long a call of one of MiniStack's functions takes; the first of its arguments is the
    resource's type.
    """
    deletes = {stacks._delete_resource}
    updates = {stacks._update_keeping_seed, stacks._update_resource}

    def seconds(function: Callable[..., Any], arguments: tuple[Any, ...]) -> float:
        if function in deletes:
            return durations.deletion(arguments[0])
        # The properties before and after: left alone
        if function in updates and arguments[2] == arguments[3]:
            return 0.0
        return durations.creation(arguments[0])

    return seconds
