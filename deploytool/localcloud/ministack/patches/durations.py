"""Let resources take as long as on AWS: MiniStack creates each one at once.

MiniStack asks `_runs_on_worker_thread` whether a type's handler blocks, and awaits `run_reentrant`
if so. Both are replaced. Every type is awaited, and the wait is on the event loop, so that a stack
that waits delays neither another stack nor a request. Handlers that do not block still run on the
event loop, one at a time, because MiniStack's state is not safe for threads.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from deploytool.localcloud.durations import Durations
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "stacks._runs_on_worker_thread": "every type is awaited, so that it can take time",
    "stacks.run_reentrant": "resources exist at once",
}


def install(patcher: Patcher, durations: Durations) -> None:
    """Add each resource's duration to its operations.

    This patch comes after the others, because they change which types block.
    """

    async def run_reentrant(
        fn: Callable[..., Any], *args: Any, thread_name: str = "ministack-reentrant"
    ) -> Any:
        seconds = _seconds(patcher.ministack, durations, fn, args)
        if blocks(args[0]):
            result = await run_blocking(fn, *args, thread_name=thread_name)
        else:
            result = fn(*args)

        # The resource exists, and CloudFormation waits until it is stable.
        await asyncio.sleep(seconds)
        return result

    def runs_on_worker_thread(resource_type: str) -> bool:  # noqa: ARG001 - MiniStack's signature
        return True

    blocks = patcher.replace("stacks._runs_on_worker_thread", runs_on_worker_thread)
    run_blocking = patcher.replace("stacks.run_reentrant", run_reentrant)


def _seconds(
    ministack: MiniStack,
    durations: Durations,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> float:
    """Return the seconds that a call of one of MiniStack's functions takes.

    The resource type is the first argument. The position of the logical id depends on the function.
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
        return 0.0  # the update leaves this resource as it is
    return durations.creation(resource_type, logical_id, region)
