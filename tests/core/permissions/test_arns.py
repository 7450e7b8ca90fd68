"""What the actions for a resource act on."""

from typing import Any

import pytest

from deploytool.core.permissions.arns import arns_of
from deploytool.core.permissions.names import generated, sure_length
from deploytool.core.permissions.text import texts_of

KNOWN = {
    "AWS::Partition": "aws",
    "AWS::AccountId": "1",
    "AWS::StackName": "hello-dev-users",
    "Stage": "dev",
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", ("a",)),
        (1, ("1",)),
        (None, ()),
        ({"Ref": "AWS::NoValue"}, ()),
        ({"Ref": "Stage"}, ("dev",)),
        ({"Ref": "Bucket"}, ("*",)),
        ({"Fn::Sub": "${AWS::StackName}-${Bucket}"}, ("hello-dev-users-*",)),
        ({"Fn::Sub": "${!Stage}"}, ("${Stage}",)),
        ({"Fn::Sub": ["${A}-${Stage}", {"A": {"Ref": "Stage"}}]}, ("dev-dev",)),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}]]}, ("a-dev",)),
        ({"Fn::If": ["C", "a", {"Ref": "AWS::NoValue"}]}, ("a",)),
        ({"Fn::Sub": ["${A}", {"A": {"Fn::If": ["C", "a", "b"]}}]}, ("a", "b")),
        ({"Fn::Select": [0, ["a"]]}, ("*",)),
    ],
)
def test_the_texts_of_a_value(value: Any, expected: tuple[str, ...]) -> None:
    """Each branch of a condition gives a text, and what is not known is a wildcard."""
    assert texts_of(value, KNOWN) == expected


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        ("AWS::S3::Bucket", {}, ["arn:aws:s3:::hello-dev-users-thing-*"]),
        ("AWS::S3::Bucket", {"BucketName": "mine"}, ["arn:aws:s3:::mine"]),
        ("AWS::S3::Bucket", {"BucketName": {"Ref": "Name"}}, []),
        (
            "AWS::Logs::LogGroup",
            {"LogGroupName": {"Fn::Sub": "/ecs/${AWS::StackName}"}},
            ["arn:aws:logs:*:1:log-group:/ecs/hello-dev-users"],
        ),
        ("AWS::IAM::Role", {}, ["arn:aws:iam::1:role/hello-dev-users-Thing-*"]),
        ("AWS::IAM::Role", {"Path": "/p/", "RoleName": "r"}, ["arn:aws:iam::1:role/p/r"]),
        (
            "AWS::Lambda::Function",
            {"FunctionName": {"Fn::If": ["C", "f", {"Ref": "AWS::NoValue"}]}},
            [
                "arn:aws:lambda:*:1:function:f",
                "arn:aws:lambda:*:1:function:hello-dev-users-Thing-*",
            ],
        ),
        ("AWS::Events::Rule", {"Name": "r"}, ["arn:aws:events:*:1:rule/r"]),
        ("AWS::Events::Rule", {"Name": "r", "EventBusName": "b"}, []),
        ("AWS::ApiGateway::RestApi", {}, ["arn:aws:apigateway:*::/restapis"]),
        (
            "AWS::ApiGatewayV2::DomainName",
            {"DomainName": "a.example.com"},
            ["arn:aws:apigateway:*::/domainnames/a.example.com"],
        ),
        ("AWS::ApiGateway::DomainName", {"DomainName": {"Ref": "D"}}, []),
        ("AWS::DynamoDB::Table", {"TableName": "t"}, []),
    ],
)
def test_the_arns_of_a_resource(kind: str, properties: Any, expected: list[str]) -> None:
    """A name of which nothing is known gives none, and neither does a type that is not known."""
    assert list(arns_of(kind, "Thing", {"Properties": properties}, KNOWN)) == expected


def test_a_generated_name_is_shortened_for_the_service() -> None:
    """Half of what is left is sure: 25 characters of a role's 64 (KensioSoftware/yulin 1113)."""
    assert sure_length(64) == 25
    assert sure_length(63) == 25
    assert generated("a" * 46, "Role", 64) == f"{'a' * 46}-Role-*"
    assert generated("a" * 47, "Role", 64) == f"{'a' * 25}*"
