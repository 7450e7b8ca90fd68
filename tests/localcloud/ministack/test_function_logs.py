"""The log group of a function, with boto3 on a running cloud.

Source: Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs".
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deploytool.localcloud.ministack.patches.function_logs import MOST_STREAMS

TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def template(name: str, *actions: str) -> dict[str, Any]:
    """Return a function whose role may do these actions."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [TRUST]},
                    "Policies": [
                        {
                            "PolicyName": "logs",
                            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
                        }
                    ],
                },
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": name,
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"ZipFile": "def handler(event, context):\n    print('line')\n"},
                },
            },
        }
    }


@pytest.mark.parametrize(
    ("name", "actions", "is_created"),
    [
        ("may-create", ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"), True),
        ("may-write", ("logs:CreateLogStream", "logs:PutLogEvents"), False),
    ],
)
def test_a_missing_group_is_created_with_permission_alone(
    aws: Any, name: str, actions: tuple[str, ...], is_created: bool
) -> None:
    """Lambda creates the group of a function whose role may; another function has no logs."""
    aws.create_stack(name, template(name, *actions))
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps({}))
    assert answer["StatusCode"] == 200
    logs = aws.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    assert bool(groups) is is_created


SLOW = """
import time

def handler(event, context):
    time.sleep(2)
    print("line")
"""


def test_a_call_that_outlives_its_stack_creates_no_group(aws: Any) -> None:
    """The role may not create the group, and both are gone when the call ends."""
    document = template("outlives", "logs:PutLogEvents")
    document["Resources"]["Function"]["Properties"]["Code"] = {"ZipFile": SLOW}
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/lambda/outlives"}}
    document["Resources"]["Group"] = group
    aws.create_stack("outlives", document)

    with ThreadPoolExecutor() as pool:
        call = pool.submit(aws.client("lambda").invoke, FunctionName="outlives")
        time.sleep(0.5)
        cloudformation = aws.client("cloudformation")
        cloudformation.delete_stack(StackName="outlives")
        waiter = cloudformation.get_waiter("stack_delete_complete")
        waiter.wait(StackName="outlives", WaiterConfig={"Delay": 1})
        # The call ends with or without an answer
        call.exception()
    logs = aws.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/outlives")["logGroups"]
    assert groups == []


def test_a_group_that_exists_is_written(aws: Any) -> None:
    """A function without the permission writes into a group that somebody has created."""
    aws.create_stack("has-group", template("has-group", "logs:PutLogEvents"))
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="/aws/lambda/has-group")
    aws.client("lambda").invoke(FunctionName="has-group")
    streams = logs.describe_log_streams(logGroupName="/aws/lambda/has-group")["logStreams"]
    assert len(streams) == 1


@pytest.mark.difference
def test_the_newest_streams_are_kept(aws: Any) -> None:
    """AWS keeps what a function writes for as long as its log group says, by default for ever.

    Source: CloudWatch Logs User Guide, "Change log data retention in CloudWatch Logs".
    """
    actions = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
    aws.create_stack("talks", template("talks", *actions))
    client = aws.client("lambda")
    with ThreadPoolExecutor(4) as pool:
        for _ in range(MOST_STREAMS + 20):
            pool.submit(client.invoke, FunctionName="talks")

    paginator = aws.client("logs").get_paginator("describe_log_streams")
    streams = 0
    for page in paginator.paginate(logGroupName="/aws/lambda/talks"):
        streams += len(page["logStreams"])
    assert streams == MOST_STREAMS
