"""Stacks whose parameters name values in Parameter Store, with boto3 on a running cloud."""

import json
from typing import Any

TEMPLATE = {
    "Parameters": {
        "Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/golden/image"},
        "Plain": {"Type": "String", "Default": "a&b"},
    },
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Image"}}}
    },
    "Outputs": {"Image": {"Value": {"Ref": "Image"}}},
}


def parameters_of(aws: Any, stack: str) -> dict[str, tuple[str, str | None]]:
    """Return the value and the resolved value of each parameter, as DescribeStacks shows them."""
    [described] = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {
        parameter["ParameterKey"]: (parameter["ParameterValue"], parameter.get("ResolvedValue"))
        for parameter in described["Parameters"]
    }


def test_the_name_and_the_value_are_shown_and_a_changed_value_is_an_update(aws: Any) -> None:
    """ParameterValue is the name that was given, ResolvedValue what is stored there, and an update
    with the same template takes the value that is stored now.

    Sources: CloudFormation API reference, Parameter (ResolvedValue); aws/aws-cdk issue 8888, in which
    `update-stack --use-previous-template` brings the new value in.
    """
    ssm, cloudformation = aws.client("ssm"), aws.client("cloudformation")
    ssm.put_parameter(Name="/golden/image", Type="String", Value="image-1")
    aws.create_stack("stored", TEMPLATE)
    shown = {"Image": ("/golden/image", "image-1"), "Plain": ("a&b", None)}
    assert parameters_of(aws, "stored") == shown

    ssm.put_parameter(Name="/golden/image", Type="String", Value="image-2", Overwrite=True)
    assert parameters_of(aws, "stored") == shown
    created = cloudformation.create_change_set(
        StackName="stored", ChangeSetName="again", TemplateBody=json.dumps(TEMPLATE)
    )
    description = cloudformation.describe_change_set(ChangeSetName=created["Id"])
    assert description["Status"] == "CREATE_COMPLETE"
    cloudformation.execute_change_set(ChangeSetName=created["Id"])
    assert aws.outputs("stored") == {"Image": "image-2"}
    assert parameters_of(aws, "stored")["Image"] == ("/golden/image", "image-2")
