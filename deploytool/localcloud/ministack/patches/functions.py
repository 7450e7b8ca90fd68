"""Lambda functions: keep `VpcConfig`, and answer as soon as the function has answered.

MiniStack's CloudFormation drops VpcConfig. (Local functions run on loopback whatever it says.) Each
call of a function that logs nothing waits 50 ms for the first log line, which is longer than all
else that a call costs.
"""

from collections.abc import Callable
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "lambda_runtime.Worker._drain_stderr_bounded": "a call waits 50 ms for its first log line",
    "AWS::Lambda::Function.create": "VpcConfig is dropped",
    "AWS::Lambda::Function.update": "VpcConfig is dropped",
}

_FUNCTION = "AWS::Lambda::Function"
# Seconds that a call waits for its first log line. A later line is logged with the next call.
_FIRST_LINE_SECONDS = 0.002

# The physical id and the attributes of a resource
Resource = tuple[str, dict[str, Any]]


def install(patcher: Patcher) -> None:
    """Shorten the wait for log lines and keep each function's subnets and security groups."""

    # All defaults but the first are MiniStack's own.
    def drain_stderr_bounded(
        self: Any,
        first_line_wait: float = _FIRST_LINE_SECONDS,
        idle_confirm: float = 0.005,
        hard_cap: float = 0.250,
    ) -> Any:
        return drain_original(self, first_line_wait, idle_confirm, hard_cap)

    drain_original = patcher.replace(
        "lambda_runtime.Worker._drain_stderr_bounded", drain_stderr_bounded
    )

    service = patcher.ministack.provisioners._lambda_svc
    handler = patcher.handler(_FUNCTION)
    create = _keeping_vpc_config(service, handler["create"], properties_index=1)
    update = _keeping_vpc_config(service, handler["update"], properties_index=2)
    patcher.replace_operation(_FUNCTION, "create", create)
    patcher.replace_operation(_FUNCTION, "update", update)


def _keeping_vpc_config(
    service: Any, operation: Callable[..., Resource], properties_index: int
) -> Callable[..., Resource]:
    """Wrap a handler's operation so that the function keeps the VpcConfig of its properties."""

    def run(*arguments: Any, **options: Any) -> Resource:
        resource = operation(*arguments, **options)
        properties = arguments[properties_index]
        function = service._functions[resource[0]]
        function["config"]["VpcConfig"] = service._vpc_config_with_id(properties.get("VpcConfig"))
        return resource

    return run
