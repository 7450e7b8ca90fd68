"""Let stacks wait for the quotas of the API calls that CloudFormation makes for their resources.

CloudFormation repeats a call that is throttled, so that a stack takes longer and does not fail
(CloudFormation CLI User Guide, "Resource type handler error codes": Throttling is retriable;
aws-cloudformation/cloudformation-coverage-roadmap#524: two custom domain names in one stack). The
wait is on the event loop, as in `durations`. Only the operations with a quota of their own are
counted (`quotas.CREATIONS` and `DELETIONS`).
"""

from collections.abc import Callable
from typing import Any

from deploytool.localcloud.clock import CloudClock
from deploytool.localcloud.ministack.patches.replace import Patcher
from deploytool.localcloud.ministack.signature import GLOBAL_REGION
from deploytool.localcloud.quotas import CREATIONS, DELETIONS, RequestQuotas

PATCHES = {
    "stacks._runs_on_worker_thread": "a type with a quota is awaited, so that it can wait",
    "stacks.run_reentrant": "CloudFormation's calls have no quotas",
}


def install(patcher: Patcher, quotas: RequestQuotas, clock: CloudClock) -> None:
    """Let each creation and deletion of a resource take its turn."""
    stacks = patcher.ministack.stacks
    responses = patcher.ministack.responses

    async def run_reentrant(
        fn: Callable[..., Any], *args: Any, thread_name: str = "ministack-reentrant"
    ) -> Any:
        table = DELETIONS if fn is stacks._delete_resource else CREATIONS
        is_change = fn in (stacks._delete_resource, stacks._provision_keeping_seed)
        if is_change and args[0] in table:
            await take_turn(*table[args[0]])
        if blocks(args[0]):
            return await run_blocking(fn, *args, thread_name=thread_name)
        return fn(*args)

    async def take_turn(service: str, operation: str) -> None:
        region = GLOBAL_REGION if service == "route53" else responses.get_region()
        while wait := quotas.take(service, region, operation, clock.now()):
            await clock.sleep(wait)

    def runs_on_worker_thread(resource_type: str) -> bool:
        has_quota = resource_type in CREATIONS or resource_type in DELETIONS
        return has_quota or bool(blocks(resource_type))

    blocks = patcher.replace("stacks._runs_on_worker_thread", runs_on_worker_thread)
    run_blocking = patcher.replace("stacks.run_reentrant", run_reentrant)
