"""A project with templates that CloudFormation expands: a SAM API in two regions, and a loop.

The templates are written as the samples of AWS SAM and of AWS::LanguageExtensions are, and the code
of the function is an artifact of the graph.
"""

import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from deploytool.localcloud.state import State

from .test_any_graph import REGIONS, ROOT, Deploytool

ORDERS = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Description: Takes orders by a REST API and keeps them in a table, the same in each region.
Parameters:
  CodeBucket: {Type: String}
  CodeKey: {Type: String}
Globals:
  Function: {Runtime: python3.13, MemorySize: 128, Timeout: 5}
Resources:
  Orders:
    Type: AWS::Serverless::SimpleTable
    Properties: {PrimaryKey: {Name: id, Type: String}}
  Take:
    Type: AWS::Serverless::Function
    Properties:
      Handler: take.handler
      CodeUri: {Bucket: !Ref CodeBucket, Key: !Ref CodeKey}
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Orders}}]
      Environment: {Variables: {TABLE: !Ref Orders}}
      Events:
        Get: {Type: Api, Properties: {Path: "/orders/{id}", Method: get}}
Outputs:
  Api: {Value: !Ref ServerlessRestApi}
  Function: {Value: !GetAtt Take.Arn}
"""
TAKE = """
import json, os
def handler(event, context):
    answer = {"region": os.environ["AWS_REGION"], "id": event["pathParameters"]["id"]}
    return {"statusCode": 200, "body": json.dumps(answer)}
"""
TOPICS = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::LanguageExtensions
Description: A topic for each kind of message.
Parameters:
  Kinds: {Type: CommaDelimitedList}
Resources:
  Fn::ForEach::Topics:
    - Kind
    - !Ref Kinds
    - Topic${Kind}:
        Type: AWS::SNS::Topic
        Properties: {DisplayName: !Sub "${Kind} topic"}
"""
GRAPH = """
settings: {kinds: "Orders,Alarms"}
artifacts:
  take: {source: ../take, bucket: {output: code-bucket.BucketName}}
stacks:
  code-bucket: {template: code-bucket.yaml, scope: regional}
  orders:
    template: orders.yaml
    scope: regional
    parameters:
      CodeBucket: {artifact: take, part: bucket}
      CodeKey: {artifact: take, part: key}
  topics:
    template: topics.yaml
    scope: global
    parameters: {Kinds: {setting: kinds}}
"""
CONFIG = """
project = "serverless"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, cloud: State) -> Deploytool:
    """A project whose only template of ours is that of the code's bucket."""
    folder: Path = tmp_path_factory.mktemp("serverless")
    files = {
        "infra/orders.yaml": ORDERS,
        "infra/topics.yaml": TOPICS,
        "infra/stacks.yaml": GRAPH,
        "take/take.py": TAKE,
        "deploytool.toml": CONFIG,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "infra" / "code-bucket.yaml", folder / "infra")
    return Deploytool(folder, cloud)


def test_a_serverless_api_in_two_regions_and_a_loop(
    project: Deploytool, aws: Any, cloud: State
) -> None:
    """All of it is linted, deployed and called, and afterwards there is nothing left to do.

    A loop that gets another value is planned with the resource that it adds.
    """
    assert project.run("lint")["cfn_lint"] == []
    project.run("deploy", "--stage", "dev")
    outputs = project.run("outputs", "--stage", "dev")
    for region in REGIONS:
        path = f"/_aws/execute-api/{outputs['orders'][region]['Api']}/Prod/orders/7"
        with urllib.request.urlopen(cloud.endpoint_url + path, timeout=20) as answer:
            assert json.loads(answer.read()) == {"region": region, "id": "7"}
    plan = project.run("plan", "--stage", "dev")
    assert {step["action"] for step in plan["steps"]} == {"nothing"}

    graph = project.folder / "infra" / "stacks.yaml"
    graph.write_text(GRAPH.replace("Orders,Alarms", "Orders,Alarms,Bills"), encoding="utf-8")
    plan = project.run("plan", "--stage", "dev")
    (step,) = [step for step in plan["steps"] if step["action"] == "update"]
    assert [(each["effect"], each["logical_id"]) for each in step["resources"]] == [
        ("create", "TopicBills")
    ]
