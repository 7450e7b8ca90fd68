"""IAM resources of CloudFormation: `AWS::IAM::OIDCProvider`, and a role's permissions boundary.

MiniStack lacks the provider and drops the boundary. Source: CloudFormation template reference,
AWS::IAM::OIDCProvider (Ref is the ARN; another Url replaces it).
"""

from collections.abc import Callable, Mapping
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Handler, Patcher

PATCHES = {
    "AWS::IAM::OIDCProvider": "the resource type is unknown",
    "AWS::IAM::Role.create": "PermissionsBoundary is dropped",
    "AWS::IAM::Role.update": "PermissionsBoundary is dropped",
}

_PROVIDER = "AWS::IAM::OIDCProvider"
_ROLE = "AWS::IAM::Role"

Properties = Mapping[str, Any]
# The physical id and the attributes of a resource
Resource = tuple[str, dict[str, Any]]


def install(patcher: Patcher) -> None:
    """Add the provider, and let roles keep their boundary."""
    iam = patcher.ministack.iam
    provisioners = patcher.ministack.provisioners

    patcher.add_resource_type(_PROVIDER, _provider_handler(iam))
    provisioners._STACK_TAG_PROPERTY[_PROVIDER] = ("Tags", "list")
    provisioners._REPLACING_PROPERTIES[_PROVIDER] = ("Url",)
    provisioners._CONDITIONALLY_REPLACING_PROPERTIES[_PROVIDER] = ()

    role = patcher.handler(_ROLE)
    create = _keeping_boundary(iam, role["create"], properties_index=1)
    update = _keeping_boundary(iam, role["update"], properties_index=2)
    patcher.replace_operation(_ROLE, "create", create)
    patcher.replace_operation(_ROLE, "update", update)


def _provider_handler(iam: Any) -> Handler:
    def settings(properties: Properties) -> dict[str, Any]:
        return {
            "ClientIDList": list(properties.get("ClientIdList") or ()),
            "ThumbprintList": list(properties.get("ThumbprintList") or ()),
            "Tags": list(properties.get("Tags") or ()),
        }

    def create(_: str, properties: Properties, _stack: str) -> Resource:
        url = str(properties["Url"])
        status, _headers, body = iam._create_oidc_provider({"Url": [url]})
        if status != 200:
            raise ValueError(f"there is an OIDC provider for {url} already: {body!r}")

        # The answer is XML; the ARN ends in the URL without its scheme.
        host = url.split("://", 1)[-1].rstrip("/")
        ending = f":oidc-provider/{host}"
        arn = next(known for known in iam._oidc_providers if known.endswith(ending))
        iam._oidc_providers[arn].update(settings(properties))
        return arn, {"Arn": arn}

    def update(arn: str, old: Properties, new: Properties, stack: str) -> Resource:
        if old["Url"] != new["Url"]:
            return create("", new, stack)
        iam._oidc_providers[arn].update(settings(new))
        return arn, {"Arn": arn}

    def delete(arn: str, _: Properties) -> None:
        iam._oidc_providers.pop(arn, None)

    return {"create": create, "update": update, "delete": delete}


def _keeping_boundary(
    iam: Any, operation: Callable[..., Resource], properties_index: int
) -> Callable[..., Resource]:
    """Wrap a handler's operation so that the role gets the boundary of its properties."""

    def run(*arguments: Any, **options: Any) -> Resource:
        resource = operation(*arguments, **options)
        role = iam._roles[resource[0]]
        boundary = arguments[properties_index].get("PermissionsBoundary")
        if boundary:
            role["PermissionsBoundary"] = boundary
        else:
            role.pop("PermissionsBoundary", None)
        return resource

    return run
