"""Lambda functions in a VPC: MiniStack's CloudFormation forgets VpcConfig. Local functions run on loopback all the same."""

from collections.abc import Callable, Mapping
from typing import Any

from deploytool.localcloud.emulator import MiniStack

_FUNCTION = "AWS::Lambda::Function"

Made = tuple[str, dict[str, Any]]


def install(ministack: MiniStack) -> None:
    """Let a function say what subnets and security groups it was given."""
    service = ministack.provisioners._lambda_svc  # noqa: SLF001 - MiniStack has no public names
    handler = ministack.provisioners._RESOURCE_HANDLERS[_FUNCTION]  # noqa: SLF001 - as above

    def remembering(theirs: Callable[..., Made], index: int) -> Callable[..., Made]:
        """Their operation, and then the VPC of the properties at `index` of its arguments."""

        def operation(*arguments: Any, **named: Any) -> Made:  # noqa: ANN401 - MiniStack's
            made = theirs(*arguments, **named)
            properties: Mapping[str, Any] = arguments[index]
            function = service._functions[made[0]]  # noqa: SLF001 - as above
            function["config"]["VpcConfig"] = service._vpc_config_with_id(properties.get("VpcConfig"))  # noqa: SLF001 - as above
            return made

        return operation

    handler.update({"create": remembering(handler["create"], 1), "update": remembering(handler["update"], 2)})
