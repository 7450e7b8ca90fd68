"""What may stand in the conditions of a template, with boto3 on a running cloud."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

EAST, WEST = "us-east-1", "us-west-2"
REGION = {"Ref": "AWS::Region"}
MAPPINGS = {"Roles": {EAST: {"role": "primary"}, WEST: {"role": "secondary"}}}


def template(value: Any, expected: Any, **properties: Any) -> dict[str, Any]:
    """A stack with a topic where both values are equal, and one where they are not."""
    return {
        "Mappings": MAPPINGS,
        "Parameters": {"Prefix": {"Type": "String", "Default": "us"}},
        "Conditions": {
            "IsEqual": {"Fn::Equals": [value, expected]},
            "IsOther": {"Fn::Not": [{"Condition": "IsEqual"}]},
        },
        "Resources": {
            "Equal": {"Type": "AWS::SNS::Topic", "Condition": "IsEqual", "Properties": properties},
            "Other": {"Type": "AWS::SNS::Topic", "Condition": "IsOther"},
        },
        "Outputs": {"Which": {"Value": {"Fn::If": ["IsEqual", "equal", "other"]}}},
    }


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("region", REGION, EAST),
        ("partition", {"Ref": "AWS::Partition"}, "aws"),
        ("account", {"Fn::Join": ["", ["x", {"Ref": "AWS::AccountId"}]]}, "x000000000000"),
        ("map", {"Fn::FindInMap": ["Roles", REGION, "role"]}, "primary"),
        ("text", {"Fn::Sub": "${Prefix}:${AWS::Region}"}, f"us:{EAST}"),
        ("part", {"Fn::Select": [1, {"Fn::Split": ["-", REGION]}]}, "east"),
    ],
)
def test_a_condition_on_the_region_is_true_there(
    aws: Any, name: str, value: Any, expected: Any
) -> None:
    """Pseudo parameters and the functions of values are evaluated before they are compared.

    Sources: CloudFormation Template Reference, "Condition functions" (a condition may use Ref of
    parameters and pseudo parameters, Fn::FindInMap, and other functions) and "Pseudo parameters".
    """
    stack = f"condition-{name}"
    aws.create_stack(stack, template(value, expected))
    assert aws.outputs(stack) == {"Which": "equal"}

    resources = aws.client("cloudformation").list_stack_resources(StackName=stack)
    names = [each["LogicalResourceId"] for each in resources["StackResourceSummaries"]]
    assert names == ["Equal"]


def test_a_change_set_sees_what_a_condition_on_the_region_changes(aws: Any) -> None:
    """The properties of a resource with such a condition are compared."""
    aws.create_stack("condition-changes", template(REGION, EAST))
    created = aws.client("cloudformation").create_change_set(
        StackName="condition-changes",
        ChangeSetName="change",
        TemplateBody=json.dumps(template(REGION, EAST, DisplayName="new")),
    )
    description = aws.client("cloudformation").describe_change_set(ChangeSetName=created["Id"])
    [change] = description["Changes"]
    assert change["ResourceChange"]["LogicalResourceId"] == "Equal"


@pytest.mark.difference
def test_the_name_of_the_stack_in_a_condition_is_refused(aws: Any) -> None:
    """On AWS it is a pseudo parameter like the others."""
    with pytest.raises(
        ClientError, match=r"does not know AWS::StackName .* in the condition IsEqual"
    ):
        aws.create_stack("condition-name", template({"Ref": "AWS::StackName"}, "x"))
