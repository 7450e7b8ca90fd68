"""Properties are compared with the schema of their type, with boto3 on a running cloud.

Sources: CloudFormation User Guide, "Validate stack deployments"; aws/aws-cdk-cli pull request 1463.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from deploytool.core.project.template import load_yaml
from deploytool.localcloud.ministack.patches.property_syntax import property_errors

INFRA = Path(__file__).parents[3] / "infra"

ROLE = "arn:aws:iam::000000000000:role/some"
FUNCTION = {
    "Runtime": "python3.13",
    "Handler": "index.handler",
    "Role": ROLE,
    "Code": {"ZipFile": "def handler(event, context): pass"},
}


def without(name: str) -> dict[str, Any]:
    """Return the function's properties without one."""
    return {key: value for key, value in FUNCTION.items() if key != name}


@pytest.mark.parametrize(
    ("name", "properties", "path", "reason"),
    [
        (
            "missing",
            without("Role"),
            "/Resources/Function/Properties",
            "Required property [Role] not found",
        ),
        (
            "misspelled",
            {**FUNCTION, "MemorySise": 512},
            "/Resources/Function/Properties/MemorySise",
            "Unsupported property [MemorySise]",
        ),
    ],
)
def test_refused(aws: Any, name: str, properties: Any, path: str, reason: str) -> None:
    """Neither a creation nor a change set takes it, and DescribeEvents has property and path."""
    function = {"Type": "AWS::Lambda::Function", "Properties": properties}
    topic = {"Type": "AWS::SNS::Topic"}
    body = json.dumps({"Resources": {"Topic": topic, "Function": function}})
    cloudformation = aws.client("cloudformation")
    stack = f"syntax-{name}"

    cloudformation.create_stack(StackName=stack, TemplateBody=body)
    with pytest.raises(AssertionError, match="DescribeEvents"):
        aws.outputs(stack)
    assert aws.status(stack) == "ROLLBACK_COMPLETE"
    failed = cloudformation.describe_events(StackName=stack, Filters={"FailedEvents": True})
    (event,) = [
        event for event in failed["OperationEvents"] if event["EventType"] == "VALIDATION_ERROR"
    ]
    assert (event["ValidationPath"], event["ValidationStatusReason"]) == (path, reason)

    aws.create_stack(f"{stack}-set", {"Resources": {"Topic": topic}})
    created = cloudformation.create_change_set(
        StackName=f"{stack}-set", ChangeSetName="changes", TemplateBody=body
    )
    change_set = cloudformation.describe_change_set(ChangeSetName=created["Id"])
    assert change_set["Status"] == "FAILED"
    assert "AWS::EarlyValidation::PropertyValidation" in change_set["StatusReason"]


@pytest.mark.difference
def test_a_property_that_is_newer_than_the_schemas() -> None:
    """A property that AWS has and the installed cfn-lint does not know is refused here.

    Route 53 has ChangeGuardrails since 2026-11-20 (Developer Guide, "Hosted zone tiers"). Once
    cfn-lint knows it, this test needs another example.
    """
    properties = {"Name": "example.com", "ChangeGuardrails": []}
    zone = {"Type": "AWS::Route53::HostedZone", "Properties": properties}
    ((_, _, _, path, reason),) = property_errors("Zone", zone)
    assert path == "/Resources/Zone/Properties/ChangeGuardrails"
    assert reason == "Unsupported property [ChangeGuardrails]"


def test_what_a_condition_leaves_out_is_not_looked_at(aws: Any) -> None:
    """A resource whose condition is false is not validated."""
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Condition": "Never",
                "Properties": {"MemorySise": 1},
            },
        },
    }
    aws.create_stack("syntax-never", template)


@pytest.mark.parametrize("resource_type", ["Custom::Thing", "AWS::CloudFormation::CustomResource"])
def test_custom_resources_take_any_property(resource_type: str) -> None:
    """A custom resource has properties of its own (CloudFormation User Guide, "Custom resources")."""
    properties = {"ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:f", "Mine": 1}
    assert list(property_errors("Thing", {"Type": resource_type, "Properties": properties})) == []


@pytest.mark.parametrize("template", sorted(INFRA.glob("*.yaml")), ids=lambda path: path.name)
def test_our_own_templates_pass(template: Path) -> None:
    """No resource of the project's templates has a wrong property."""
    document = load_yaml(template.read_text(encoding="utf-8"), template.name)
    for name, definition in document.get("Resources", {}).items():
        assert list(property_errors(name, definition)) == []
