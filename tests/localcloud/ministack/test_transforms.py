"""Templates that CloudFormation expands, with boto3 and plain HTTP on a running cloud.

Sources: CloudFormation Template Reference, "Transform", "Fn::ForEach" and "AWS::Include transform";
AWS SAM Developer Guide, "AWS SAM template anatomy".
"""

import json
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

LOOP = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::LanguageExtensions
Parameters:
  Kinds: {Type: CommaDelimitedList, Default: "Orders,Alarms"}
Resources:
  Fn::ForEach::Topics:
    - Kind
    - !Ref Kinds
    - Topic${Kind}:
        Type: AWS::SNS::Topic
        Properties: {DisplayName: !Sub "${Kind} topic"}
Outputs:
  Fn::ForEach::Arns:
    - Kind
    - !Ref Kinds
    - Arn${Kind}: {Value: !Ref {"Fn::Sub": "Topic${Kind}"}}
"""

# A service as the samples of SAM write it, in one template for every region
SERVERLESS = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Description: A function behind a REST API, the same in each region.
Globals:
  Function: {Runtime: python3.13, MemorySize: 128, Timeout: 5}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      InlineCode: |
        import os
        def handler(event, context):
            return {"statusCode": 200, "body": os.environ["AWS_REGION"]}
      Events:
        Get: {Type: Api, Properties: {Path: /hello, Method: get}}
Outputs:
  Api: {Value: !Ref ServerlessRestApi}
"""

SNIPPET = "Queue:\n  Type: AWS::SQS::Queue\n"
INCLUDING = """
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Fn::Transform:
    Name: AWS::Include
    Parameters: {Location: s3://snippets/more.yaml}
"""
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


def create(aws: Any, stack: str, body: str, region: str = "us-east-1") -> dict[str, str]:
    """Create a stack from a text and return its outputs."""
    aws.client("cloudformation", region).create_stack(
        StackName=stack, TemplateBody=body, Capabilities=CAPABILITIES
    )
    outputs: dict[str, str] = aws.outputs(stack, region)
    return outputs


def resource_types(aws: Any, stack: str, region: str = "us-east-1") -> dict[str, str]:
    """Return the types of a stack's resources by logical id."""
    resources = aws.client("cloudformation", region).describe_stack_resources(StackName=stack)
    return {
        resource["LogicalResourceId"]: resource["ResourceType"]
        for resource in resources["StackResources"]
    }


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_a_serverless_api_in_two_regions(aws: Any, region: str) -> None:
    """SAM makes a function, its role and a deployed API of a few lines, which serves its region."""
    outputs = create(aws, "serverless", SERVERLESS, region)
    types = set(resource_types(aws, "serverless", region).values())
    assert {"AWS::Lambda::Function", "AWS::IAM::Role", "AWS::ApiGateway::Deployment"} <= types

    path = f"/_aws/execute-api/{outputs['Api']}/Prod/hello"
    with urllib.request.urlopen(aws.state.endpoint_url + path, timeout=20) as answer:
        assert answer.read().decode() == region


def test_a_loop(aws: Any) -> None:
    """A loop over a parameter makes a resource and an output for each value."""
    outputs = create(aws, "loop", LOOP)
    assert resource_types(aws, "loop") == {
        "TopicOrders": "AWS::SNS::Topic",
        "TopicAlarms": "AWS::SNS::Topic",
    }
    assert set(outputs) == {"ArnOrders", "ArnAlarms"}


def test_an_update_of_a_loop(aws: Any) -> None:
    """A change set shows the resource that another value of the collection adds."""
    create(aws, "growing-loop", LOOP)
    cloudformation = aws.client("cloudformation")
    created = cloudformation.create_change_set(
        StackName="growing-loop",
        ChangeSetName="one-more",
        TemplateBody=LOOP.replace("Orders,Alarms", "Orders,Alarms,Bills"),
        Capabilities=CAPABILITIES,
    )
    changes = cloudformation.describe_change_set(ChangeSetName=created["Id"])["Changes"]
    found = {
        (change["ResourceChange"]["Action"], change["ResourceChange"]["LogicalResourceId"])
        for change in changes
    }
    assert found == {("Add", "TopicBills")}


def test_an_include(aws: Any) -> None:
    """A snippet from S3 stands in the place of the transform."""
    aws.client("s3").create_bucket(Bucket="snippets")
    aws.client("s3").put_object(Bucket="snippets", Key="more.yaml", Body=SNIPPET.encode())
    create(aws, "including", INCLUDING)
    assert resource_types(aws, "including") == {
        "Topic": "AWS::SNS::Topic",
        "Queue": "AWS::SQS::Queue",
    }


@pytest.mark.difference
@pytest.mark.parametrize(
    "template",
    [
        {"Transform": "Mine", "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}},
        {
            "Transform": ["AWS::LanguageExtensions", {"Name": "Mine", "Parameters": {"A": "b"}}],
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        },
        {
            "Resources": {
                "Topic": {
                    "Type": "AWS::SNS::Topic",
                    "Properties": {"Fn::Transform": {"Name": "Mine"}},
                }
            }
        },
    ],
)
def test_macros_are_refused(aws: Any, template: Any) -> None:
    """A macro of the account runs on AWS only; here the template is refused before anything is made.

    Source: CloudFormation User Guide, "Perform custom processing on templates with template macros".
    """
    cloudformation = aws.client("cloudformation")
    body = json.dumps(template)
    with pytest.raises(ClientError, match="cannot run the macro Mine"):
        cloudformation.create_stack(
            StackName="with-a-macro", TemplateBody=body, Capabilities=CAPABILITIES
        )
    with pytest.raises(ClientError, match="cannot run the macro Mine"):
        cloudformation.create_change_set(
            StackName="with-a-macro",
            ChangeSetName="changes",
            ChangeSetType="CREATE",
            TemplateBody=body,
            Capabilities=CAPABILITIES,
        )
