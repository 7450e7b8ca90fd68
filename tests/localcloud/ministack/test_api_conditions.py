"""A region's AWS API that is broken: what plain clients meet, and what CloudFormation then does."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from deploytool.aws.limits import Limits
from deploytool.aws.parameters import ParameterLocks
from deploytool.aws.route53 import Route53Zones
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.cli import main
from deploytool.core.errors import ApiUnavailable
from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.ministack.api_state import ApiCondition
from deploytool.localcloud.settings import Settings
from deploytool.localcloud.state import State
from tests.localcloud.conftest import Aws, settled

EAST, WEST = "us-east-1", "us-west-2"
NAME = "/a/parameter"
# Two attempts, which wait for a hanging API as little as a busy machine allows
SHORT = Limits(connect=1.0, read=1.0, attempts=2)

# One read in each protocol: JSON, query, REST with JSON, REST with XML, EC2's and S3's
READS = {
    "ssm": ("get_parameter", {"Name": NAME}),
    "cloudformation": ("describe_stacks", {}),
    "lambda": ("list_functions", {}),
    "apigateway": ("get_rest_apis", {}),
    "scheduler": ("list_schedules", {}),
    "ec2": ("describe_vpcs", {}),
    "s3": ("list_buckets", {}),
    "sts": ("get_caller_identity", {}),
    "cloudwatch": ("list_metrics", {}),
    "acm": ("list_certificates", {}),
    "events": ("list_rules", {}),
}
GLOBAL_READS = {"route53": ("list_hosted_zones", {}), "iam": ("list_roles", {})}


@pytest.fixture(scope="module")
def own_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A cloud of these tests' own, whose clients the broken APIs do not disturb."""
    settings = Settings(tmp_path_factory.mktemp("cloud"), (EAST, WEST), 20.0)
    with lifecycle.private(settings) as state:
        yield state


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A cloud without an edge in us-east-1."""
    settings = Settings(tmp_path_factory.mktemp("elsewhere"), ("eu-west-1", "eu-central-1"))
    with lifecycle.private(settings) as state:
        yield state


@pytest.fixture
def cloud(own_cloud: State) -> Iterator[State]:
    """The same cloud, with every API fixed at the end of the test."""
    yield own_cloud
    for region in (EAST, WEST):
        ControlClient(own_cloud).set_api_condition(region, "answering")


@pytest.fixture
def aws(cloud: State) -> Aws:
    return Aws(cloud)


@pytest.fixture
def control(cloud: State) -> ControlClient:
    return ControlClient(cloud)


def read(aws: Aws, service: str, region: str) -> Any:
    operation, arguments = (READS | GLOBAL_READS)[service]
    return getattr(aws.client(service, region), operation)(**arguments)


@pytest.mark.parametrize("service", [*READS, *GLOBAL_READS])
def test_a_failing_api_answers_503_in_every_protocol(
    service: str, aws: Aws, control: ControlClient
) -> None:
    """ServiceUnavailable, as each API reference has it among its common errors."""
    control.set_api_condition(EAST, "failing")
    with pytest.raises(ClientError) as caught:
        read(aws, service, EAST)
    response: Any = caught.value.response
    assert response["Error"]["Code"] == "ServiceUnavailable"
    assert "temporary failure" in response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 503


@pytest.mark.parametrize("condition", ["failing", "hanging", "unreachable"])
def test_the_other_regions_api_answers(
    condition: ApiCondition, aws: Aws, control: ControlClient
) -> None:
    """But Route 53's and IAM's control planes are in us-east-1, wherever the client is."""
    control.set_api_condition(EAST, condition)
    aws.client("ssm", WEST).put_parameter(Name=NAME, Value="x", Type="String", Overwrite=True)
    for service in READS:
        read(aws, service, WEST)

    if condition == "failing":
        for service in GLOBAL_READS:
            with pytest.raises(ClientError, match="ServiceUnavailable"):
                read(aws, service, WEST)


def test_an_unreachable_api_closes_the_connection(aws: Aws, control: ControlClient) -> None:
    """Without an answer."""
    control.set_api_condition(EAST, "unreachable")
    for service in ("ssm", "cloudformation", "route53"):
        with pytest.raises(ConnectionClosedError):
            read(aws, service, EAST)


def test_a_hanging_api_answers_nothing_until_it_is_fixed(aws: Aws, control: ControlClient) -> None:
    """Then the connection is closed, and the request has had no effect."""
    control.set_api_condition(EAST, "hanging")
    errors: list[Exception] = []

    def put() -> None:
        with pytest.raises(ConnectionClosedError) as caught:
            aws.client("ssm", EAST).put_parameter(Name="/b", Value="x", Type="String")
        errors.append(caught.value)

    calls = control.status().calls_by_region[EAST].get("ssm.PutParameter", 0)
    thread = threading.Thread(target=put)
    thread.start()
    while control.status().calls_by_region[EAST].get("ssm.PutParameter", 0) == calls:
        pass  # each look is a request, so the cloud gets its turn
    assert not errors
    control.set_api_condition(EAST, "answering")
    thread.join()
    assert len(errors) == 1
    with pytest.raises(ClientError, match="ParameterNotFound"):
        aws.client("ssm", EAST).get_parameter(Name="/b")


def connection_to(cloud: State) -> HTTPConnection:
    """A plain connection to the API, with a short time limit."""
    host, _, port = cloud.endpoint_url.removeprefix("http://").partition(":")
    return HTTPConnection(host, int(port), timeout=0.5)


SIGNED = {"Authorization": f"AWS4-HMAC-SHA256 Credential=x/20260101/{EAST}/acm/aws4_request"}


def test_a_client_that_leaves_a_hanging_api_can_come_back(
    cloud: State, aws: Aws, control: ControlClient
) -> None:
    """Its time limit ends the wait."""
    control.set_api_condition(EAST, "hanging")
    connection = connection_to(cloud)
    connection.request("POST", "/", b"{}", SIGNED)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    control.set_api_condition(EAST, "answering")
    read(aws, "acm", EAST)


def test_a_cloud_with_a_hanging_api_ends(tmp_path: Path) -> None:
    """The requests that wait are dropped."""
    with lifecycle.private(Settings(tmp_path, (EAST, WEST))) as state:
        ControlClient(state).set_api_condition(EAST, "hanging")
        connection = connection_to(state)
        connection.request("POST", "/", b"{}", SIGNED)
        while not ControlClient(state).status().calls_by_region.get(EAST):
            pass
    with pytest.raises(RemoteDisconnected):
        connection.getresponse()
    connection.close()


def test_a_presigned_url_belongs_to_the_region_that_it_is_signed_for(
    cloud: State, aws: Aws, control: ControlClient
) -> None:
    """The scope is in its query."""
    bucket = {"CreateBucketConfiguration": {"LocationConstraint": WEST}}
    aws.client("s3", WEST).create_bucket(Bucket="presigned", **bucket)
    aws.client("s3", WEST).put_object(Bucket="presigned", Key="k", Body=b"content")
    object_of = {"Bucket": "presigned", "Key": "k"}
    # The emulator checks the signature of such a URL, so the access key must exist
    aws.client("iam").create_user(UserName="signer")
    key = aws.client("iam").create_access_key(UserName="signer")["AccessKey"]
    urls = {
        region: boto3.client(
            "s3",
            region,
            endpoint_url=cloud.endpoint_url,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            config=Config(signature_version="s3v4"),
        ).generate_presigned_url("get_object", Params=object_of)
        for region in (EAST, WEST)
    }
    control.set_api_condition(EAST, "failing")
    assert urlopen(urls[WEST], timeout=20).read() == b"content"
    with pytest.raises(OSError, match="503"):
        urlopen(urls[EAST], timeout=20)


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("failing", "(ServiceUnavailable)"),
        ("unreachable", "Connection was closed"),
        ("hanging", "Read timeout"),
    ],
)
def test_the_aws_cli_says_it_as_against_aws(
    condition: ApiCondition, says: str, cloud: State, control: ControlClient
) -> None:
    """With one attempt and a short time limit of its own."""
    control.set_api_condition(WEST, condition)
    variables = {k: v for k, v in lifecycle.environment(cloud).items() if v is not None}
    command = ["aws", "--region", WEST, "--cli-read-timeout", "1", "ssm", "describe-parameters"]
    done = subprocess.run(
        command,
        env={**os.environ, **variables, "AWS_MAX_ATTEMPTS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert says in done.stderr


def test_the_control_api_always_answers(cloud: State, control: ControlClient) -> None:
    """Also the emulator's own paths, as its health."""
    for region in (EAST, WEST):
        control.set_api_condition(region, "hanging")
    assert control.status().apis == {EAST: "hanging", WEST: "hanging"}
    assert control.api_condition(WEST) == "hanging"
    assert urlopen(f"{cloud.endpoint_url}/_ministack/health", timeout=20).status == 200


def test_calls_are_counted_by_the_region_that_they_are_signed_for(
    aws: Aws, control: ControlClient
) -> None:
    """Those that are not answered too."""
    before = control.status().calls_by_region
    control.set_api_condition(EAST, "failing")
    for region in (EAST, WEST, WEST):
        with pytest.raises(ClientError):
            aws.client("ssm", region).get_parameter(Name="/none")
    with pytest.raises(ClientError):
        aws.client("cloudformation", EAST).describe_stacks()
    after = control.status().calls_by_region

    def more(region: str, operation: str) -> int:
        return after[region].get(operation, 0) - before.get(region, {}).get(operation, 0)

    assert more(EAST, "ssm.GetParameter") == 1
    assert more(WEST, "ssm.GetParameter") == 2
    assert more(EAST, "cloudformation.DescribeStacks") == 1
    assert more(WEST, "cloudformation.DescribeStacks") == 0


ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}
PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "1"}}
ZONE = {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "api.example.org"}}


def events(aws: Aws, stack: str) -> dict[tuple[str, str], str]:
    """The reasons of a stack's events, by logical id and status."""
    answer = aws.client("cloudformation", WEST).describe_stack_events(StackName=stack)
    return {
        (event["LogicalResourceId"], event["ResourceStatus"]): event.get("ResourceStatusReason", "")
        for event in answer["StackEvents"]
    }


def end_of(aws: Aws, stack: str) -> str:
    client = aws.client("cloudformation", WEST)
    return str(settled(lambda: client.describe_stacks(StackName=stack)["Stacks"][0])["StackStatus"])


@pytest.mark.parametrize("condition", ["failing", "hanging", "unreachable"])
def test_a_stack_elsewhere_cannot_create_a_global_resource(
    condition: ApiCondition, aws: Aws, control: ControlClient
) -> None:
    """What it has created of its own region is deleted: it can be rolled back."""
    control.set_api_condition(EAST, condition)
    stack = f"create-{condition}"
    zone = {**ZONE, "DependsOn": "Parameter"}
    template = {"Resources": {"Parameter": PARAMETER, "Zone": zone}}
    aws.start_stack(stack, template, WEST)
    assert end_of(aws, stack) == "ROLLBACK_COMPLETE"
    reason = events(aws, stack)["Zone", "CREATE_FAILED"]
    assert "Service Unavailable (Service: Route 53, Status Code: 503" in reason
    assert "HandlerErrorCode: ServiceInternalError" in reason
    assert ("Parameter", "DELETE_COMPLETE") in events(aws, stack)


def test_a_stack_elsewhere_can_change_what_is_its_regions(aws: Aws, control: ControlClient) -> None:
    """A global resource in it that the update leaves as it is needs no API."""
    aws.create_stack("update", {"Resources": {"Role": ROLE, "Parameter": PARAMETER}}, WEST)
    control.set_api_condition(EAST, "failing")
    changed = {**PARAMETER, "Properties": {"Type": "String", "Value": "2"}}
    aws.client("cloudformation", WEST).update_stack(
        StackName="update",
        TemplateBody=json.dumps({"Resources": {"Role": ROLE, "Parameter": changed}}),
        Capabilities=["CAPABILITY_IAM"],
    )
    assert end_of(aws, "update") == "UPDATE_COMPLETE"

    role = {**ROLE, "Properties": {**ROLE["Properties"], "Description": "changed"}}
    aws.client("cloudformation", WEST).update_stack(
        StackName="update",
        TemplateBody=json.dumps({"Resources": {"Role": role, "Parameter": changed}}),
        Capabilities=["CAPABILITY_IAM"],
    )
    assert end_of(aws, "update") == "UPDATE_ROLLBACK_COMPLETE"
    assert "Service: IAM" in events(aws, "update")["Role", "UPDATE_FAILED"]


def test_a_stack_with_a_global_resource_cannot_be_deleted_until_the_api_is_back(
    aws: Aws, control: ControlClient
) -> None:
    """DELETE_FAILED keeps the resource in the stack, and a second deletion deletes it."""
    aws.create_stack("delete", {"Resources": {"Role": ROLE, "Parameter": PARAMETER}}, WEST)
    control.set_api_condition(EAST, "unreachable")
    assert aws.delete_stack("delete", WEST) == "DELETE_FAILED"
    assert "Service: IAM" in events(aws, "delete")["Role", "DELETE_FAILED"]
    control.set_api_condition(EAST, "answering")
    assert aws.delete_stack("delete", WEST) == "DELETE_COMPLETE"


def test_a_certificate_with_records_of_ours_needs_route_53(
    aws: Aws, control: ControlClient
) -> None:
    """CloudFormation writes them; one that is validated elsewhere needs nothing of us-east-1."""
    control.set_api_condition(EAST, "failing")
    properties = {"DomainName": "x.example.org", "ValidationMethod": "DNS"}
    options = [{"DomainName": "x.example.org", "HostedZoneId": "Z0000000000001"}]
    certificate = {
        "Type": "AWS::CertificateManager::Certificate",
        "Properties": {**properties, "DomainValidationOptions": options},
    }
    aws.start_stack("certificate", {"Resources": {"Certificate": certificate}}, WEST)
    assert end_of(aws, "certificate") == "ROLLBACK_COMPLETE"
    assert "Service: Route 53" in events(aws, "certificate")["Certificate", "CREATE_FAILED"]


HANDLER = """
import json, os
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
def handler(event, context):
    config = Config(retries={"total_max_attempts": 1})
    codes = {}
    for region in event:
        try:
            boto3.client("ssm", region, config=config).describe_parameters()
            codes[region] = "answered"
        except ClientError as error:
            codes[region] = error.response["Error"]["Code"]
    return codes
"""


def test_a_function_meets_the_broken_api_and_runs_itself(aws: Aws, control: ControlClient) -> None:
    """Functions are a data plane; what they call is not."""
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "caller",
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"ZipFile": HANDLER},
            "Timeout": 30,
        },
    }
    aws.create_stack("function", {"Resources": {"Role": ROLE, "Function": function}}, WEST)
    control.set_api_condition(EAST, "failing")
    answer = aws.client("lambda", WEST).invoke(
        FunctionName="caller", Payload=json.dumps([EAST, WEST])
    )
    assert json.loads(answer["Payload"].read()) == {EAST: "ServiceUnavailable", WEST: "answered"}


@pytest.mark.parametrize("fault", ["error", "hang", "unreachable"])
def test_a_project_elsewhere_loses_the_global_services_alone(
    fault: str, elsewhere: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With us-east-1's API dead, Route 53's calls name that region, and its own regions work."""
    monkeypatch.setenv("DEPLOYTOOL_LOCAL_DIR", str(elsewhere.directory))
    assert main(["local", "break", EAST, "--api", fault]) == 0

    clients = Clients(Endpoint(elsewhere.endpoint_url, "local", "local"), SHORT)
    with pytest.raises(ApiUnavailable) as caught:
        Route53Zones(clients).find("example.org")
    assert caught.value.region == EAST
    assert caught.value.exit_code == 4
    locks = ParameterLocks(clients)
    for region in elsewhere.regions:
        assert locks.read(region, "/none") is None

    assert main(["local", "fix", EAST]) == 0
    assert set(ControlClient(elsewhere).status().apis.values()) == {"answering"}
    again = Clients(Endpoint(elsewhere.endpoint_url, "local", "local"), SHORT)
    assert Route53Zones(again).find("example.org") == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["break", "us-west-2", "--api", "error"], "no region us-west-2; it has eu-west-1"),
        (["break", EAST, "--how", "refuse"], "no region us-east-1; it has eu-west-1"),
        (["break", EAST], "nothing to break"),
        (["break", EAST, "--api", "error", "--seconds", "3"], "only --how slow has them"),
        (["fix", "us-west-2", "--api"], "no region us-west-2"),
    ],
)
def test_what_cannot_be_broken_is_refused(
    words: list[str],
    says: str,
    elsewhere: State,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """us-east-1 has an API in every cloud, but no edge in this one."""
    monkeypatch.setenv("DEPLOYTOOL_LOCAL_DIR", str(elsewhere.directory))
    assert main(["local", *words]) == 2
    assert says in capsys.readouterr().err


def test_both_parts_of_a_region_break_in_one_command(
    elsewhere: State, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And are fixed together, or the API alone."""
    monkeypatch.setenv("DEPLOYTOOL_LOCAL_DIR", str(elsewhere.directory))
    control = ControlClient(elsewhere)
    region = "eu-west-1"
    for words, edge, api in (
        (["break", region, "--how", "refuse", "--api", "error"], "refusing", "failing"),
        (["fix", region, "--api"], "refusing", "answering"),
        (["break", region, "--api", "hang"], "refusing", "hanging"),
        (["fix", region], "serving", "answering"),
    ):
        assert main(["local", *words]) == 0
        assert (control.condition(region), control.api_condition(region)) == (edge, api)
    said = capsys.readouterr().out
    assert "eu-west-1 refuses connections." in said
    assert "The AWS API of eu-west-1 accepts connections and never answers." in said
