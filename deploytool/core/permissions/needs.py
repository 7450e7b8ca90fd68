"""The permissions that CloudFormation needs for the resources of templates. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deploytool.core.permissions.arns import STACK_NAME, arns_of
from deploytool.core.permissions.exceptions import FOR_DELETION, TIED, WITHHELD
from deploytool.core.permissions.policy import SERVICE_KEYS, Permission, Statement, is_allowed
from deploytool.core.permissions.published import Published, Schemas
from deploytool.core.permissions.usage import uses
from deploytool.core.transforms import declared_resources

# What no schema publishes. API Gateway creates its service-linked role with its caller's rights when
# the account's first custom domain name is made, else it answers "AccessDeniedException: Caller does
# not have permissions to create a Service Linked Role" (amplify-education/serverless-domain-manager
# issue 112, HumanCellAtlas/data-store issue 1726). The name of the service is from the API Gateway
# Developer Guide, "Using service-linked roles for API Gateway".
_API_GATEWAY_ROLE = Permission("iam:CreateServiceLinkedRole", "ops.apigateway.amazonaws.com")
UNPUBLISHED: Mapping[str, tuple[Permission, ...]] = {
    "AWS::ApiGateway::DomainName": (_API_GATEWAY_ROLE,),
    "AWS::ApiGatewayV2::DomainName": (_API_GATEWAY_ROLE,),
}

# The beginning of a type -> the service that gets the role which is passed (iam:PassedToService).
PASSED_TO: Mapping[str, str] = {
    "AWS::ApiGateway": "apigateway.amazonaws.com",
    "AWS::CodeBuild::": "codebuild.amazonaws.com",
    "AWS::ECS::": "ecs-tasks.amazonaws.com",
    "AWS::Events::": "events.amazonaws.com",
    "AWS::KinesisFirehose::": "firehose.amazonaws.com",
    "AWS::Lambda::": "lambda.amazonaws.com",
    "AWS::Pipes::": "pipes.amazonaws.com",
    "AWS::S3::": "s3.amazonaws.com",
    "AWS::SNS::": "sns.amazonaws.com",
    "AWS::Scheduler::": "scheduler.amazonaws.com",
    "AWS::StepFunctions::": "states.amazonaws.com",
}


@dataclass(frozen=True, order=True)
class Need:
    """A permission that CloudFormation needs for a resource of a template."""

    template: str
    kind: str  # the resource's type
    resource: str  # its logical id
    permission: Permission


def needs_of(
    template: str,
    document: Mapping[str, Any],
    schemas: Schemas,
    known: Mapping[str, str] | None = None,
    *,
    reading: bool = False,
) -> list[Need]:
    """Return what CloudFormation needs for the resources of a template, sorted.

    `known` are the values of parameters and pseudo parameters. With the stack's name among them,
    the permissions name what they act on. With `reading` only what CloudFormation needs to read the
    resources, as drift detection does. A type that the schemas do not know, such as a custom
    resource's, needs nothing here.
    """
    needs: set[Need] = set()
    for name, resource in declared_resources(document).items():
        kind = str(resource.get("Type", ""))
        published = schemas.published(kind)
        if published is None:
            continue
        arns: tuple[str, ...] = ()
        if known and STACK_NAME in known:
            arns = arns_of(kind, name, resource, known)
        for permission in _permissions(kind, resource, published, reading=reading):
            for located in _located(permission, arns, schemas):
                needs.add(Need(template, kind, name, located))
    return sorted(needs)


def _located(permission: Permission, arns: Iterable[str], schemas: Schemas) -> Iterable[Permission]:
    """Return a permission for each of the ARNs that its action takes; as it is when it takes none."""
    taken = [arn for arn in arns if schemas.takes(permission.action, arn)]
    if not taken:
        return (permission,)
    return [replace(permission, arn=arn) for arn in taken]


def missing(needs: Iterable[Need], statements: Iterable[Statement]) -> list[Need]:
    """Return the needs that the statements of a role do not allow."""
    known = tuple(statements)
    return [need for need in needs if not is_allowed(known, need.permission)]


def _permissions(
    kind: str, resource: Mapping[str, Any], published: Published, *, reading: bool
) -> set[Permission]:
    names = published.read if reading else published.all
    names -= WITHHELD.get(kind, frozenset())
    names -= _unused(kind, resource)
    if resource.get("DeletionPolicy") == "Retain":
        names -= FOR_DELETION.get(kind, frozenset())

    permissions = {_permission(kind, name) for name in names}
    if not reading:
        permissions.update(UNPUBLISHED.get(kind, ()))
    return permissions


def _unused(kind: str, resource: Mapping[str, Any]) -> frozenset[str]:
    """Return the actions that a resource does not need, because no property that needs them is set."""
    needed: set[str] = set()
    tied: set[str] = set()
    for row in TIED:
        if row.kind != kind:
            continue
        tied |= row.actions
        if uses(resource, row.property):
            needed |= row.actions
    return frozenset(tied - needed)


def _permission(kind: str, action: str) -> Permission:
    if action not in SERVICE_KEYS or action != "iam:PassRole":
        return Permission(action)
    for beginning, service in PASSED_TO.items():
        if kind.startswith(beginning):
            return Permission(action, service)
    return Permission(action)
