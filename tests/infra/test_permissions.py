"""CloudFormation's role against what the schemas of the resource types publish.

The schemas are those of CloudFormation's registry, as cfn-lint installs them. A new version of
cfn-lint can bring new permissions: then these tests tell which.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from deploytool.core.permissions.exceptions import FOR_DELETION, TIED, WITHHELD, Tied
from deploytool.core.permissions.needs import UNPUBLISHED, Need, missing, needs_of
from deploytool.core.permissions.policy import Permission, Statement, is_allowed, parse_statements
from deploytool.core.permissions.usage import uses
from deploytool.core.project.template import load_yaml
from deploytool.files.schemas import InstalledSchemas, _document

INFRA = Path(__file__).parents[2] / "infra"
SCHEMAS = InstalledSchemas()
BOOTSTRAP = "github-oidc.yaml"
TEMPLATES = sorted(
    path.name for path in INFRA.glob("*.yaml") if path.name not in ("stacks.yaml", BOOTSTRAP)
)
# Names of the schemas that IAM does not know, so that no policy can allow them. Of S3's, IAM knows
# the Put action alone, which is for deleting too (Amazon S3 User Guide, "Required permissions for
# Amazon S3 API operations").
NOT_ACTIONS = {
    "AWS::ApiGatewayV2::Stage": {"apigateway:TagResource", "apigateway:UntagResource"},
    "AWS::EC2::VPCEndpoint": {"vpc-lattice:DescribeServiceNetworkVpcEndpointAssociation"},
    "AWS::Lambda::Function": {"lambda:AssociateRuntimeAlias"},
    "AWS::Logs::LogGroup": {"s3:REST.PUT.OBJECT"},
    "AWS::S3::Bucket": {
        "s3:DeleteBucketAnalyticsConfiguration",
        "s3:DeleteBucketCors",
        "s3:DeleteBucketEncryption",
        "s3:DeleteBucketLifecycle",
        "s3:DeleteBucketMetricsConfiguration",
        "s3:DeleteBucketReplication",
        "s3:DeleteBucketTagging",
        "s3:PutBucketReplication",
        "s3:PutObjectLockConfiguration",
    },
}


def document(name: str) -> dict[str, Any]:
    parsed = load_yaml((INFRA / name).read_text(encoding="utf-8"), name)
    assert isinstance(parsed, dict)
    return parsed


def policies_of(role: str) -> Iterator[dict[str, Any]]:
    """Yield the managed policies of a role of the bootstrap's template."""
    resources = document(BOOTSTRAP)["Resources"]
    for policy in resources[role]["Properties"]["ManagedPolicyArns"]:
        yield resources[policy["Ref"]]["Properties"]["PolicyDocument"]


def role_statements() -> list[Statement]:
    """Return the statements of CloudFormation's role."""
    statements: list[Statement] = []
    for policy in policies_of("CloudFormationRole"):
        statements += parse_statements(policy)
    return statements


def resources() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the template, the logical id and the resource, for each of the stage's templates."""
    for name in TEMPLATES:
        for logical_id, resource in document(name)["Resources"].items():
            yield name, logical_id, resource


def all_needs() -> list[Need]:
    needs: list[Need] = []
    for name in TEMPLATES:
        needs += needs_of(name, document(name), SCHEMAS)
    return needs


KINDS = sorted({str(resource["Type"]) for _, _, resource in resources()})
# The rows of the table that are about the types of the templates.
ROWS = [row for row in TIED if row.kind in KINDS]


def row_id(row: Tied) -> str:
    return f"{row.kind}-{row.property}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_resource_type_publishes_its_permissions(kind: str) -> None:
    """No type is unknown, or known without permissions."""
    published = SCHEMAS.published(kind)
    assert published is not None
    assert published.all


def test_the_role_of_cloudformation_has_what_the_resource_types_publish() -> None:
    """A permission that is missing stops the first deployment, and only on AWS."""
    lacking = missing(all_needs(), role_statements())
    assert [f"{need.template}: {need.kind} needs {need.permission}" for need in lacking] == []


def test_the_plan_role_may_read_what_drift_detection_reads() -> None:
    """CloudFormation reads the resources with the permissions of the caller.

    Without one it reports an error or false drift. Source: CloudFormation User Guide, "Detect
    unmanaged configuration changes to stacks and resources with drift detection".
    """
    role = document(BOOTSTRAP)["Resources"]["PlanRole"]["Properties"]
    statements: list[Statement] = []
    for policy in policies_of("PlanRole"):
        statements += parse_statements(policy)
    for policy in role["Policies"]:
        statements += parse_statements(policy["PolicyDocument"])

    needs: list[Need] = []
    for name in TEMPLATES:
        needs += needs_of(name, document(name), SCHEMAS, reading=True)
    lacking = missing(needs, statements)
    assert [f"{need.template}: {need.kind} needs {need.permission}" for need in lacking] == []
    for action in (
        "BatchDescribeTypeConfigurations",
        "DescribeStackDriftDetectionStatus",
        "DescribeStackResourceDrifts",
        "DetectStackDrift",
        "DetectStackResourceDrift",
        "ListStackResources",
    ):
        assert is_allowed(statements, Permission(f"cloudformation:{action}"))


def test_a_published_permission_that_the_role_lacks_belongs_to_an_unused_property() -> None:
    """Each one stands in a row of the table, and no template sets the property of that row."""
    statements = role_statements()
    for _, name, resource in resources():
        kind = resource["Type"]
        published = SCHEMAS.published(kind)
        assert published is not None
        for action in sorted(published.all):
            if any(statement.names(action) for statement in statements):
                continue
            if action in WITHHELD.get(kind, ()):
                continue
            if action in FOR_DELETION.get(kind, ()):
                assert resource["DeletionPolicy"] == "Retain", name
                continue
            rows = [row for row in TIED if row.kind == kind and action in row.actions]
            assert rows, f"{kind} needs {action}"
            for row in rows:
                assert not uses(resource, row.property), f"{name} sets {row.property}: {action}"


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_a_row_of_the_table_names_a_property_and_published_permissions(row: Tied) -> None:
    """A row that is misspelled or out of date would hide a permission, or none."""
    name = SCHEMAS._files[row.kind]
    schema = _document(SCHEMAS._resources / f"{name}.json")
    assert row.property.partition(".")[0] in schema["properties"]
    published = SCHEMAS.published(row.kind)
    assert published is not None
    assert row.actions & published.all
    assert [action for action in sorted(row.actions) if not SCHEMAS.is_action(action)] == []


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_a_property_of_the_table_needs_its_permissions_as_soon_as_it_is_set(row: Tied) -> None:
    """The same template with the property needs actions that it did not need before."""
    first, *rest = row.property.split(".")
    value: Any = "x"
    for name in reversed(rest):
        value = {name: value}
    plain = {"Type": row.kind, "DeletionPolicy": "Retain", "Properties": {}}
    using = {**plain, "Properties": {first: value}}

    def needed(resource: object) -> set[str]:
        needs = needs_of("x.yaml", {"Resources": {"X": resource}}, SCHEMAS)
        return {need.permission.action for need in needs}

    published = SCHEMAS.published(row.kind)
    assert published is not None
    assert needed(using) - needed(plain) <= row.actions
    assert row.actions & published.all <= needed(using)


@pytest.mark.parametrize("kind", KINDS)
def test_the_names_that_are_no_actions_are_known(kind: str) -> None:
    """A name that IAM does not know is left out. Each new one is looked at first."""
    published = SCHEMAS.published(kind)
    assert published is not None
    assert set(published.unknown) == NOT_ACTIONS.get(kind, set())


def test_api_gateway_may_create_its_role() -> None:
    """The first custom domain name of an account needs it; no schema publishes it."""
    wanted = Permission("iam:CreateServiceLinkedRole", "ops.apigateway.amazonaws.com")
    needs = [need for need in all_needs() if need.permission == wanted]
    domain_names = {"AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName"}
    assert {need.kind for need in needs} == set(UNPUBLISHED) == domain_names
    assert missing(needs, role_statements()) == []

    # No other service's role, and none without the condition
    [statement] = [entry for entry in role_statements() if entry.names(wanted.action)]
    assert statement.services == ("ops.apigateway.amazonaws.com",)
    [resource] = statement.resources
    assert "role/aws-service-role/ops.apigateway.amazonaws.com/" in resource


def example_of(resource: object) -> str:
    """Return an example of the ARN that a policy's resource stands for."""
    text = resource["Fn::Sub"] if isinstance(resource, dict) else str(resource)
    values = {
        "AWS::Partition": "aws",
        "AWS::AccountId": "123456789012",
        "Project": "hello",
        "Stage": "dev",
        "DomainName": "dev.example.com",
    }
    return re.sub(r"\$\{([^}]+)\}", lambda name: values[name[1]], text).replace("*", "x")


def allowed_actions() -> list[Any]:
    """Return a case for each action of the roles: the action, and the resources of its statement."""
    cases: list[Any] = []
    for policy in (*policies_of("CloudFormationRole"), *policies_of("PlanRole")):
        for statement in policy["Statement"]:
            actions = statement["Action"]
            listed = [actions] if isinstance(actions, str) else actions
            for action in listed:
                resource = statement["Resource"]
                targets = resource if isinstance(resource, list) else [resource]
                case_id = f"{statement['Sid']}-{action}"
                cases.append(pytest.param(action, targets, id=case_id))
    return cases


@pytest.mark.parametrize(("action", "targets"), allowed_actions())
def test_an_action_is_allowed_on_resources_that_it_takes(action: str, targets: list[Any]) -> None:
    """An action that takes no resource is allowed for `*` alone: with an ARN nothing is allowed.

    Source: Service Authorization Reference, resource types of each action.
    """
    assert SCHEMAS.is_action(action), f"IAM has no action {action}"
    if targets == ["*"]:
        return
    formats = SCHEMAS.arn_formats(action)
    assert formats, f"{action} takes no resource, so it must stand in a statement for *"
    arns = [example_of(target) for target in targets]
    assert any(SCHEMAS.takes(action, arn) for arn in arns), (arns, formats)


def test_what_is_changed_by_its_tag_gets_the_tag() -> None:
    """CloudFormation tags each of these with the stack's name when it creates it.

    Otherwise the role may not change or delete what it has created.
    """
    for kind in sorted({kind for kind in KINDS if kind.startswith("AWS::EC2::")}):
        schema = _document(SCHEMAS._resources / f"{SCHEMAS._files[kind]}.json")
        tagging = schema["tagging"]
        # An association has no tag. The actions on it look at its route table and its subnet.
        if not tagging["taggable"]:
            assert kind == "AWS::EC2::SubnetRouteTableAssociation"
            continue
        assert tagging["cloudFormationSystemTags"], kind
        assert tagging["tagOnCreate"], kind
