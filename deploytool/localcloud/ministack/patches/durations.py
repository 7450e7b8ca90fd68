"""Resources that take as long as on AWS: MiniStack makes each at once.

MiniStack asks `_runs_on_worker_thread` whether a type's handler blocks, and awaits `run_reentrant`
if so. Both are replaced: every type is awaited, the wait is the event loop's, and the handlers that
do not block still run on the loop, one at a time, as MiniStack's own state needs it. So a stack
that waits holds up neither another stack nor a request.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from deploytool.localcloud.durations import Durations
from deploytool.localcloud.ministack.emulator import MiniStack


def install(ministack: MiniStack, durations: Durations) -> None:
    """Let resources take their time. After the other gaps: those say which types block."""
    stacks = ministack.stacks
    blocks = stacks._runs_on_worker_thread
    run_blocking = stacks.run_reentrant

    async def run(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        seconds = _seconds(ministack, durations, function, arguments)
        if blocks(arguments[0]):
            result = await run_blocking(function, *arguments, **options)
        else:
            result = function(*arguments)

        # The resource is there, and CloudFormation waits until it is stable.
        await asyncio.sleep(seconds)
        return result

    stacks._runs_on_worker_thread = lambda _: True
    stacks.run_reentrant = run


def _seconds(
    ministack: MiniStack,
    durations: Durations,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> float:
    """How long a call of one of MiniStack's functions takes.

    MiniStack hands in the resource's type first; where its logical id stands depends on the
    function.
    """
    stacks = ministack.stacks
    resource_type = arguments[0]
    region = ministack.responses.get_region()

    if function is stacks._provision_keeping_seed:
        return durations.creation(resource_type, arguments[1], region)
    if function is stacks._delete_resource:
        return durations.deletion(resource_type, arguments[4], region)

    old_properties, new_properties, logical_id = arguments[2], arguments[3], arguments[5]
    if old_properties == new_properties:
        return 0.0  # an update leaves the resource alone
    return durations.creation(resource_type, logical_id, region)
