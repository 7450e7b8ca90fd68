"""A local cloud for the tests of this folder, and a service on it.

The service is deployed with plain boto3 and called with curl: no adapter of deploytool is used.
"""

import dataclasses
import json
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from deploytool.localcloud import lifecycle
from deploytool.localcloud.settings import Settings
from deploytool.localcloud.state import State

ROOT = Path(__file__).resolve().parents[2]
REGIONS = ("us-east-1", "us-west-2")
DOMAIN = "dev.example.com"
SPEED = 20.0

HANDLER = """
import json, os
def handler(event, context):
    if "fail" in (event["queryStringParameters"] or {}):
        raise RuntimeError("secret")
    answer = {"region": os.environ["AWS_REGION"], "request_id": context.aws_request_id, "event": event}
    return {"statusCode": 200, "headers": {"x-served-by-region": os.environ["AWS_REGION"]}, "body": json.dumps(answer)}
"""


def _service_template() -> dict[str, Any]:
    """A REST API with a function on /v1, a shared and a regional domain, and their certificate."""
    region, regional = {"Ref": "AWS::Region"}, {"Fn::Sub": "${AWS::Region}." + DOMAIN}
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    domains = {
        name: {
            "Type": "AWS::ApiGateway::DomainName",
            "Properties": {
                "DomainName": domain,
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
                "RegionalCertificateArn": {"Ref": "Certificate"},
                "SecurityPolicy": "TLS_1_2",
            },
        }
        for name, domain in (("Friendly", DOMAIN), ("Regional", regional))
    }
    mappings = {
        f"{name}Mapping": {
            "Type": "AWS::ApiGateway::BasePathMapping",
            "Properties": {
                "DomainName": {"Ref": name},
                "RestApiId": {"Ref": "Api"},
                "Stage": {"Ref": "Stage"},
            },
        }
        for name in domains
    }
    return {
        "Parameters": {"ZoneId": {"Type": "String"}},
        "Resources": {
            "Certificate": {
                "Type": "AWS::CertificateManager::Certificate",
                "Properties": {
                    "DomainName": DOMAIN,
                    "SubjectAlternativeNames": [regional],
                    "ValidationMethod": "DNS",
                    "DomainValidationOptions": [
                        {"DomainName": DOMAIN, "HostedZoneId": {"Ref": "ZoneId"}},
                        {"DomainName": regional, "HostedZoneId": {"Ref": "ZoneId"}},
                    ],
                },
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}
                },
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"ZipFile": HANDLER},
                },
            },
            "Permission": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "Action": "lambda:InvokeFunction",
                    "Principal": "apigateway.amazonaws.com",
                    "SourceArn": {
                        "Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/GET/v1"
                    },
                },
            },
            "Api": {
                "Type": "AWS::ApiGateway::RestApi",
                "Properties": {
                    "Name": "service",
                    "EndpointConfiguration": {"Types": ["REGIONAL"]},
                    "DisableExecuteApiEndpoint": True,
                },
            },
            "Resource": {
                "Type": "AWS::ApiGateway::Resource",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "PathPart": "v1",
                },
            },
            "Method": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "ResourceId": {"Ref": "Resource"},
                    "HttpMethod": "GET",
                    "AuthorizationType": "NONE",
                    "Integration": {
                        "Type": "AWS_PROXY",
                        "IntegrationHttpMethod": "POST",
                        "Uri": {"Fn::Sub": uri},
                    },
                },
            },
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": "Method",
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "DeploymentId": {"Ref": "Deployment"},
                    "StageName": "live",
                },
            },
            **domains,
            **mappings,
        },
        "Outputs": {
            "ApiId": {"Value": {"Ref": "Api"}},
            "FunctionName": {"Value": {"Ref": "Function"}},
            "Region": {"Value": region},
            "CertificateArn": {"Value": {"Ref": "Certificate"}},
            **{
                f"{name}{attribute}": {"Value": {"Fn::GetAtt": [name, attribute]}}
                for name in domains
                for attribute in ("RegionalDomainName", "RegionalHostedZoneId")
            },
        },
    }


ZONE_TEMPLATE = {
    "Resources": {"Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": DOMAIN}}},
    "Outputs": {
        "ZoneId": {"Value": {"Ref": "Zone"}},
        "NameServers": {"Value": {"Fn::Join": [",", {"Fn::GetAtt": ["Zone", "NameServers"]}]}},
    },
}


@dataclasses.dataclass(frozen=True)
class Aws:
    """Raw boto3 clients of a cloud, in a new Session for each call: no user setting matters."""

    state: State

    def client(self, service: str, region: str = REGIONS[0]) -> Any:
        """A client for a service in a region."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            endpoint_url=self.state.endpoint_url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=20),
        )

    def start_stack(
        self, name: str, template: Mapping[str, Any], region: str = REGIONS[0], **parameters: str
    ) -> None:
        """Begin to create a stack."""
        given = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ]
        self.client("cloudformation", region).create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            Parameters=given,
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )

    def create_stack(
        self, name: str, template: Mapping[str, Any], region: str = REGIONS[0], **parameters: str
    ) -> dict[str, str]:
        """Return the outputs of a stack once it is complete.

        Raises AssertionError with its events when it fails.
        """
        self.start_stack(name, template, region, **parameters)
        return self.outputs(name, region)

    def delete_stack(self, name: str, region: str = REGIONS[0]) -> str:
        """The status of a stack once it is deleted or cannot be."""
        cloudformation = self.client("cloudformation", region)
        stack_id = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        cloudformation.delete_stack(StackName=name)
        return str(
            settled(lambda: cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0])[
                "StackStatus"
            ]
        )

    def status(self, name: str, region: str = REGIONS[0]) -> str:
        """The status of a stack now."""
        return str(
            self.client("cloudformation", region).describe_stacks(StackName=name)["Stacks"][0][
                "StackStatus"
            ]
        )

    def update_stack(
        self, name: str, template: Mapping[str, Any], region: str = REGIONS[0]
    ) -> dict[str, str]:
        """The outputs of a stack once it has been updated."""
        self.client("cloudformation", region).update_stack(
            StackName=name, TemplateBody=json.dumps(template)
        )
        return self.outputs(name, region)

    def outputs(self, name: str, region: str = REGIONS[0]) -> dict[str, str]:
        """Wait until a stack has settled."""
        cloudformation = self.client("cloudformation", region)
        stack = settled(lambda: cloudformation.describe_stacks(StackName=name)["Stacks"][0])
        if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
            raise AssertionError(
                [
                    (e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason"))
                    for e in events
                ]
            )
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


def settled(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the stack once nothing is in progress.

    Each poll is a request, so the cloud gets its turn; the timeout is pytest's.
    """
    while True:
        stack = read()
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            return stack


@dataclasses.dataclass(frozen=True)
class Service:
    """The service as deployed: the outputs of its stacks, by region."""

    domain: str
    zone_id: str
    name_servers: tuple[str, ...]
    regions: Mapping[str, Mapping[str, str]]


@dataclasses.dataclass(frozen=True)
class Reply:
    """What curl received."""

    status: int
    headers: Mapping[str, str]
    body: str


def curl(state: State, host: str, address: str, path: str = "/v1", *options: str) -> Reply:
    """Get https://<host><path> at an edge's address, verifying the certificate with the local CA.

    Raises CalledProcessError.
    """
    connect = ("--connect-to", f"{host}:443:{address}:{state.https_port}")
    command = [
        "curl",
        "-q",
        "-sS",
        "-i",
        "--noproxy",
        "*",
        "--max-time",
        "20",
        "--cacert",
        str(state.ca),
        *connect,
        *options,
    ]
    done = subprocess.run(
        [*command, f"https://{host}{path}"], capture_output=True, text=True, check=True
    )
    head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
    start, *fields = head.split("\n")
    headers = {
        name.lower(): value for name, _, value in (field.partition(": ") for field in fields)
    }
    return Reply(int(start.split()[1]), headers, body)


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A local cloud for the tests of this folder; it ends with the last of them."""
    with lifecycle.private(Settings(tmp_path_factory.mktemp("cloud"), REGIONS, SPEED)) as state:
        yield state


@pytest.fixture(scope="package")
def aws(cloud: State) -> Aws:
    """Clients of that cloud."""
    return Aws(cloud)


@pytest.fixture(scope="package")
def service(aws: Aws) -> Service:
    """A service in both regions behind one domain."""
    zone = aws.create_stack("zone", ZONE_TEMPLATE)
    template = _service_template()
    regions = {
        region: aws.create_stack("service", template, region, ZoneId=zone["ZoneId"])
        for region in REGIONS
    }
    return Service(DOMAIN, zone["ZoneId"], tuple(zone["NameServers"].split(",")), regions)


@pytest.fixture(scope="package")
def get(cloud: State) -> Callable[..., Reply]:
    """`get(host, address, path, *options)`: what curl gets from an edge of that cloud."""

    def call(host: str, address: str, path: str = "/v1", *options: str) -> Reply:
        return curl(cloud, host, address, path, *options)

    return call


@pytest.fixture
def domain() -> str:
    """A domain that only this test uses."""
    return f"{uuid.uuid4().hex[:8]}.example"


@pytest.fixture
def configure(
    cloud: State, domain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """`configure(project, *settings)` writes the configuration of a project in the current folder.

    The folder has the shipped graph, and commands find the local cloud.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEPLOYTOOL_LOCAL_DIR", str(cloud.ca.parent))
    without_caches = shutil.ignore_patterns("__pycache__")
    for name in ("infra", "lambda"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=without_caches)

    def configure(project: str, *settings: str) -> None:
        lines = [
            f'project = "{project}"',
            f'domain = "{domain}"',
            'regions = ["us-east-1", "us-west-2"]',
            "[stages.dev.settings]",
            *settings,
        ]
        Path("deploytool.toml").write_text("\n".join(lines) + "\n")

    return configure
