"""Lambda functions.

MiniStack's CloudFormation forgets VpcConfig (local functions run on loopback all the same), and
each call of a function that logs nothing waits 50 ms for its first line, looking fifty times: more
than all else that a call costs.
"""

from collections.abc import Callable, Mapping
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack

_FUNCTION = "AWS::Lambda::Function"
# How long a call waits for its first line; one that comes later stands with the next call's
_LOG_SECONDS = 0.002

Made = tuple[str, dict[str, Any]]


def install(ministack: MiniStack) -> None:
    """Let a function say what subnets and security groups it was given, and answer as soon as it
    has its answer.
    """
    worker = ministack.lambda_runtime.Worker
    drain = worker._drain_stderr_bounded  # MiniStack's own
    worker._drain_stderr_bounded = lambda self, **named: drain(
        self, **{"first_line_wait": _LOG_SECONDS, **named}
    )
    service = ministack.provisioners._lambda_svc
    handler = ministack.provisioners._RESOURCE_HANDLERS[_FUNCTION]

    def remembering(theirs: Callable[..., Made], index: int) -> Callable[..., Made]:
        """Their operation, and then the VPC of the properties at `index` of its arguments."""

        def operation(*arguments: Any, **named: Any) -> Made:
            made = theirs(*arguments, **named)
            properties: Mapping[str, Any] = arguments[index]
            function = service._functions[made[0]]
            vpc = service._vpc_config_with_id(properties.get("VpcConfig"))  # as above
            function["config"]["VpcConfig"] = vpc
            return made

        return operation

    handler.update(
        {"create": remembering(handler["create"], 1), "update": remembering(handler["update"], 2)}
    )
