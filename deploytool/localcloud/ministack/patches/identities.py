"""IAM resources of CloudFormation: `AWS::IAM::OIDCProvider`, and the permissions boundary of a
role, which MiniStack forgets.

Source: CloudFormation template reference, AWS::IAM::OIDCProvider (Ref is the ARN; another Url
replaces it).
"""

from collections.abc import Callable, Mapping
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack

_PROVIDER, _ROLE = "AWS::IAM::OIDCProvider", "AWS::IAM::Role"

Properties = Mapping[str, Any]
Made = tuple[str, dict[str, Any]]


def install(ministack: MiniStack) -> None:
    """Add the provider, and let roles keep their boundary."""
    handlers = ministack.provisioners._RESOURCE_HANDLERS
    handlers[_PROVIDER] = _provider(ministack.iam)
    ministack.provisioners._STACK_TAG_PROPERTY[_PROVIDER] = ("Tags", "list")
    ministack.provisioners._REPLACING_PROPERTIES[_PROVIDER] = ("Url",)
    ministack.provisioners._CONDITIONALLY_REPLACING_PROPERTIES[_PROVIDER] = ()
    role = handlers[_ROLE]
    role.update(
        {
            "create": _bounded(ministack.iam, role["create"], 1),
            "update": _bounded(ministack.iam, role["update"], 2),
        }
    )


def _provider(iam: Any) -> dict[str, Any]:
    def settings(properties: Properties) -> dict[str, Any]:
        return {
            "ClientIDList": list(properties.get("ClientIdList") or ()),
            "ThumbprintList": list(properties.get("ThumbprintList") or ()),
            "Tags": list(properties.get("Tags") or ()),
        }

    def create(_: str, properties: Properties, _stack: str) -> Made:
        status, _headers, body = iam._create_oidc_provider({"Url": [properties["Url"]]})
        if status != 200:
            raise ValueError(f"a provider of {properties['Url']} is there already: {body!r}")
        host = str(properties["Url"]).split("://", 1)[-1].rstrip("/")
        arn = next(each for each in iam._oidc_providers if each.endswith(f":oidc-provider/{host}"))
        iam._oidc_providers[arn].update(settings(properties))
        return arn, {"Arn": arn}

    def update(arn: str, old: Properties, new: Properties, stack: str) -> Made:
        if old["Url"] != new["Url"]:
            return create("", new, stack)
        iam._oidc_providers[arn].update(settings(new))
        return arn, {"Arn": arn}

    def delete(arn: str, _: Properties) -> None:
        iam._oidc_providers.pop(arn, None)

    return {"create": create, "update": update, "delete": delete}


def _bounded(iam: Any, theirs: Callable[..., Made], index: int) -> Callable[..., Made]:
    """Their operation on a role, and then the boundary of the properties at `index` of its
    arguments.
    """

    def operation(*arguments: Any, **named: Any) -> Made:
        made = theirs(*arguments, **named)
        role = iam._roles[made[0]]
        role.pop("PermissionsBoundary", None)
        if boundary := arguments[index].get("PermissionsBoundary"):
            role["PermissionsBoundary"] = boundary
        return made

    return operation
