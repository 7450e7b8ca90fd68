"""Resource types that a local cloud leaves out on request, with boto3 on a cloud of its own.

The template is a web ACL for a REST API's stage, as the samples of AWS WAF write it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploytool.core.errors import InputError
from deploytool.localcloud import lifecycle
from deploytool.localcloud.settings import Settings, parse_arguments

from .conftest import Aws

ASSOCIATION = "AWS::WAFv2::WebACLAssociation"
VISIBILITY = {
    "SampledRequestsEnabled": True,
    "CloudWatchMetricsEnabled": True,
    "MetricName": "protected",
}


def protected_api() -> dict[str, Any]:
    """Return an API with a web ACL that is associated with its stage."""
    api = {"Ref": "Api"}
    return {
        "Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "protected"}},
            "Method": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    "RestApiId": api,
                    "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "HttpMethod": "GET",
                    "AuthorizationType": "NONE",
                    "Integration": {"Type": "MOCK"},
                },
            },
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": "Method",
                "Properties": {"RestApiId": api},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": api,
                    "DeploymentId": {"Ref": "Deployment"},
                    "StageName": "live",
                },
            },
            "Acl": {
                "Type": "AWS::WAFv2::WebACL",
                "Properties": {
                    "Name": "protected",
                    "Scope": "REGIONAL",
                    "DefaultAction": {"Allow": {}},
                    "VisibilityConfig": VISIBILITY,
                },
            },
            "Association": {
                "Type": ASSOCIATION,
                "Properties": {
                    "ResourceArn": {
                        "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}::"
                        "/restapis/${Api}/stages/${Stage}"
                    },
                    "WebACLArn": {"Fn::GetAtt": ["Acl", "Arn"]},
                },
            },
        },
        "Outputs": {"Association": {"Value": {"Ref": "Association"}}},
    }


@pytest.fixture(scope="module")
def sparing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """A cloud that leaves the association out, and global accelerators, whose service it lacks."""
    left_out = (ASSOCIATION, "AWS::GlobalAccelerator::Accelerator")
    settings = Settings(tmp_path_factory.mktemp("sparing"), left_out=left_out)
    with lifecycle.private(settings) as state:
        yield Aws(state)


@pytest.mark.difference
def test_a_type_that_is_missing_is_refused(aws: Aws) -> None:
    """Without the request a template with such a type is refused, and nothing is made.

    The refusal names the option. A type that AWS does not have either is refused in AWS's words.
    """
    with pytest.raises(
        ClientError, match=r"Unrecognized resource types.*WebACLAssociation"
    ) as lack:
        aws.start_stack("protected", protected_api())
    assert str(lack.value).endswith(f"deploytool local up --leave-out {ASSOCIATION}")

    misspelled = {"Resources": {"Topic": {"Type": "AWS::SNS::Topik"}}}
    with pytest.raises(ClientError) as unknown:
        aws.start_stack("misspelled", misspelled)
    assert str(unknown.value).endswith("Unrecognized resource types: [AWS::SNS::Topik]")


def test_everything_else_is_made(sparing: Aws) -> None:
    """The stack is created, updated and deleted; the resource that is left out stands for nothing."""
    outputs = sparing.create_stack("protected", protected_api())
    assert outputs == {"Association": "protected-Association-left-out"}
    (api,) = sparing.client("apigateway").get_rest_apis()["items"]
    assert sparing.client("apigateway").get_stage(restApiId=api["id"], stageName="live")

    changed = protected_api()
    changed["Resources"]["Association"]["Properties"]["ResourceArn"] = "arn:aws:another"
    assert sparing.update_stack("protected", changed) == outputs
    assert sparing.delete_stack("protected") == "DELETE_COMPLETE"
    assert sparing.client("apigateway").get_rest_apis()["items"] == []


def test_its_attributes_can_be_read(sparing: Aws) -> None:
    """Fn::GetAtt of a resource that is left out gives a text, which says so."""
    template = {
        "Resources": {
            "Accelerator": {
                "Type": "AWS::GlobalAccelerator::Accelerator",
                "Properties": {"Name": "front"},
            }
        },
        "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Accelerator", "DnsName"]}}},
    }
    assert sparing.create_stack("front", template) == {"Name": "left-out-DnsName"}


def test_settings(tmp_path: Any) -> None:
    """The types reach the process of the cloud, and something else than a type is bad input."""
    settings = Settings(tmp_path, left_out=(ASSOCIATION, "AWS::EKS::Cluster"))
    assert parse_arguments(settings.to_arguments())[0].left_out == settings.left_out
    with pytest.raises(InputError, match="--leave-out WAF: not a resource type"):
        Settings(tmp_path, left_out=("WAF",))
