"""Graphs other than the default: foreign templates, an existing zone, an HTTP endpoint, a VPC.

Each is deployed in both regions.
"""

import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploytool.localcloud.state import State
from tests import forked

LIMIT = 100  # seconds for a command
ROOT = Path(__file__).parents[2]
REGIONS = ("us-east-1", "us-west-2")

# Two templates that were not written for this project: one in JSON, one in YAML.
TABLE = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {
        "TableNameParam": {"Type": "String", "MinLength": 3, "MaxLength": 255},
        "ViewType": {
            "Type": "String",
            "Default": "KEYS_ONLY",
            "AllowedValues": ["KEYS_ONLY", "NEW_IMAGE"],
        },
    },
    "Resources": {
        "OrdersTable": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": {"Ref": "TableNameParam"},
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamViewType": {"Ref": "ViewType"}},
            },
        }
    },
    "Outputs": {
        "Table": {"Value": {"Ref": "OrdersTable"}},
        "Stream": {"Value": {"Fn::GetAtt": ["OrdersTable", "StreamArn"]}},
    },
}
ALARM = """
Parameters:
  MonitoredTable: {Type: String}
  UpstreamStream: {Type: String, Default: ''}
Conditions:
  IsReplica: !Not [!Equals [!Ref UpstreamStream, '']]
Resources:
  Notifications:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: !If [IsReplica, !Sub 'replica of ${UpstreamStream}', origin]
  Throttled:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/DynamoDB
      MetricName: ThrottledRequests
      Dimensions: [{Name: TableName, Value: !Ref MonitoredTable}]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
      AlarmActions: [!Ref Notifications]
Outputs:
  Upstream: {Value: !Ref UpstreamStream}
  AlarmName: {Value: !Ref Throttled}
"""
STACKS = """
  orders:
    template: orders.json
    scope: regional
    when: {orders: true}
    parameters:
      TableNameParam: {setting: table_name}
      ViewType: NEW_IMAGE
  orders-alarm:
    template: orders-alarm.yaml
    scope: regional
    when: {orders: true}
    parameters:
      MonitoredTable: {output: orders.Table}
      UpstreamStream: {output: orders.Stream, region: primary, only: secondary}
"""

# A stack in a region that is none of the project's two, and that has no edge in the cloud.
THIRD = "eu-north-1"
ALARM_ENTRY = f"""
  health-alarm:
    template: orders-alarm.yaml
    scope: global
    region: {THIRD}
    when: {{orders: true}}
    parameters:
      MonitoredTable: {{output: health-check.HealthCheckId}}
"""


class Deploytool:
    """The command line in a folder of its own, with the session's cloud as its local one."""

    def __init__(self, folder: Path, cloud: State) -> None:
        self.folder = folder
        self.cloud = cloud

    def run(self, *arguments: str) -> Any:
        """Return the JSON that a command prints. Raises AssertionError when the command fails."""
        process = forked.run(
            [*arguments, "--local", "--output", "json"],
            self.folder,
            {**os.environ, "DEPLOYTOOL_LOCAL_DIR": str(self.cloud.directory)},
            timeout=LIMIT,
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout)


@pytest.fixture(scope="module")
def backends() -> Iterator[dict[str, str]]:
    """The URLs, by region, of two servers in place of the load balancers of ECS or EC2."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(
                {"path": self.path, "asked_by": self.headers["x-api-region"]}
            ).encode()
            self.send_response(404 if "missing" in self.path else 200)
            self.send_header("x-served-by-region", self.server.region)  # type: ignore[attr-defined]  # set below
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    servers = {region: ThreadingHTTPServer(("127.0.0.1", 0), Handler) for region in REGIONS}
    for region, server in servers.items():
        server.region = region  # type: ignore[attr-defined]  # the handler reads it
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {
        region: f"http://127.0.0.1:{server.server_address[1]}/backend"
        for region, server in servers.items()
    }
    for server in servers.values():
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def arns(aws: Any) -> dict[str, str]:
    """A certificate for fn.example.org in each region, validated in a zone without deploytool."""
    route53 = aws.client("route53")
    zone = route53.create_hosted_zone(Name="example.org", CallerReference="example.org")[
        "HostedZone"
    ]["Id"]
    arns = {}
    for region in REGIONS:
        acm = aws.client("acm", region)
        names = {
            "DomainName": "fn.example.org",
            "SubjectAlternativeNames": [f"{region}.fn.example.org"],
        }
        arns[region] = acm.request_certificate(**names, ValidationMethod="DNS")["CertificateArn"]
        certificate = acm.describe_certificate(CertificateArn=arns[region])["Certificate"]
        records = [option["ResourceRecord"] for option in certificate["DomainValidationOptions"]]
        changes = [
            {
                "Action": "UPSERT",
                "ResourceRecordSet": {
                    "Name": record["Name"],
                    "Type": "CNAME",
                    "TTL": 60,
                    "ResourceRecords": [{"Value": record["Value"]}],
                },
            }
            for record in records
        ]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    return arns


def example_of_a_route() -> list[str]:
    """Return the YAML of the page: the template, its entry, and the line of the snapshot."""
    page = (ROOT / "docs" / "how-to" / "add-a-route.md").read_text()
    return re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)


def table(values: dict[str, str]) -> str:
    """Return the values as a TOML inline table."""
    return "{ " + ", ".join(f'{name} = "{value}"' for name, value in values.items()) + " }"


@pytest.fixture(scope="module")
def deploytool(
    tmp_path_factory: pytest.TempPathFactory,
    cloud: State,
    backends: dict[str, str],
    arns: dict[str, str],
) -> Deploytool:
    """A project with the shipped templates, two foreign ones, and two stages unlike the default."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "infra", folder / "infra")
    shutil.copytree(
        ROOT / "lambda", folder / "lambda", ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "infra" / "orders.json").write_text(json.dumps(TABLE))
    (folder / "infra" / "orders-alarm.yaml").write_text(ALARM)
    route, route_entry, snapshot = example_of_a_route()
    (folder / "infra" / "users.yaml").write_text(route)
    graph = folder / "infra" / "stacks.yaml"
    text = graph.read_text().replace(
        "\nsettings:\n", "\nsettings:\n  orders: false\n  table_name: orders\n"
    )
    text = text.replace("    snapshot: {resource: Deployment, of: [api, lambda]}\n", snapshot)
    entries = STACKS + ALARM_ENTRY + route_entry
    graph.write_text(text.replace("\nstacks:\n", f"\nstacks:\n{entries}"))
    (folder / "deploytool.toml").write_text(f"""
project = "any"
domain = "example.net"
regions = ["us-east-1", "us-west-2"]
[tags]
team = "orders"
[stages.web.settings]
zone = "existing"
integration = "http"
integration_url = {table(backends)}
[stages.fn]
domain = "fn.example.org"
[stages.fn.settings]
zone = "external"
certificate = "given"
certificate_arn = {table(arns)}
vpc = true
orders = true
table_name = "any-orders"
""")
    return Deploytool(folder, cloud)


def test_an_http_endpoint_behind_a_domain_of_an_existing_zone(
    deploytool: Deploytool, aws: Any, cloud: State, get: Callable[..., Any]
) -> None:
    """The zone is found by the domain, and each region's edge passes on its endpoint's answers."""
    zone = aws.client("route53").create_hosted_zone(
        Name="example.net", CallerReference="example.net"
    )["HostedZone"]["Id"]
    deploytool.run("deploy", "--stage", "web")
    outputs = deploytool.run("outputs", "--stage", "web")
    assert {"hosted-zone", "lambda", "network", "orders"}.isdisjoint(outputs)
    for region in REGIONS:
        reply = get("web.example.net", cloud.regions[region], "/v1?a=1&a=2")
        assert (reply.status, reply.headers["x-served-by-region"]) == (200, region)
        assert json.loads(reply.body) == {"path": "/backend?a=1&a=2", "asked_by": region}
        assert get("web.example.net", cloud.regions[region], "/v1?missing=1").status == 404
    records = aws.client("route53").list_resource_record_sets(HostedZoneId=zone)
    names = {record["Name"] for record in records["ResourceRecordSets"]}
    assert {"web.example.net.", "us-east-1.web.example.net.", "us-west-2.web.example.net."} <= names


def test_a_function_in_a_vpc_behind_a_given_certificate_beside_foreign_stacks(
    deploytool: Deploytool, aws: Any, cloud: State, get: Callable[..., Any]
) -> None:
    """The function has its subnets, and a foreign stack takes an output of the other region.

    No record is written.
    """
    deploytool.run("deploy", "--stage", "fn")
    outputs = deploytool.run("outputs", "--stage", "fn")
    assert {"hosted-zone", "certificate", "record-set", "regional-record"}.isdisjoint(outputs)
    for region in REGIONS:
        reply = get("fn.example.org", cloud.regions[region])
        assert (reply.status, reply.headers["x-served-by-region"]) == (200, region)
        function = aws.client("lambda", region).get_function_configuration(
            FunctionName="any-fn-lambda"
        )
        assert function["VpcConfig"]["SubnetIds"] == outputs["network"][region]["SubnetIds"].split(
            ","
        )
        arn = function["FunctionArn"]
        assert aws.client("lambda", region).list_tags(Resource=arn)["Tags"]["team"] == "orders"
        assert aws.client("dynamodb", region).describe_table(TableName="any-orders")["Table"][
            "LatestStreamArn"
        ]
    # The route of docs/how-to/add-a-route.md, published after its methods exist.
    for region in REGIONS:
        for path in ("/v1/users", "/v1/users/7/orders"):
            reply = get("fn.example.org", cloud.regions[region], path)
            assert (reply.status, json.loads(reply.body)) == (200, {"path": path})

    third = aws.client("cloudwatch", THIRD).describe_alarms()["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in third] == [outputs["health-alarm"][THIRD]["AlarmName"]]
    alarms = outputs["orders-alarm"]
    assert alarms["us-east-1"]["Upstream"] == ""
    assert alarms["us-west-2"]["Upstream"] == outputs["orders"]["us-east-1"]["Stream"]
    assert outputs["health-check"]["us-east-1"]["HealthCheckId"]


def test_new_code_updates_only_the_function_s_stacks(
    deploytool: Deploytool, cloud: State, get: Callable[..., Any]
) -> None:
    """With --stack lambda only those are deployed; without it the other stacks are unchanged."""
    before = json.loads(get("fn.example.org", cloud.regions["us-east-1"]).body)
    handler = deploytool.folder / "lambda" / "api" / "handler.py"
    handler.write_text(handler.read_text() + "\n# changed\n")
    outcome = deploytool.run("deploy", "--stage", "fn", "--stack", "lambda")
    assert changed(outcome) == {"lambda@us-east-1", "lambda@us-west-2"}
    assert json.loads(get("fn.example.org", cloud.regions["us-east-1"]).body) != before
    handler.write_text(handler.read_text() + "\n# again\n")
    assert changed(deploytool.run("deploy", "--stage", "fn")) == {
        "lambda@us-east-1",
        "lambda@us-west-2",
    }


def test_stacks_of_earlier_settings_are_destroyed_with_their_stage(
    deploytool: Deploytool, aws: Any
) -> None:
    """A stack that the current settings do not have is destroyed too."""
    toml = deploytool.folder / "deploytool.toml"
    toml.write_text(
        toml.read_text().replace("vpc = true\norders = true", "vpc = false\norders = false")
    )
    deploytool.run("destroy", "--stage", "fn", "--yes")
    for region in (*REGIONS, THIRD):
        stacks = aws.client("cloudformation", region).describe_stacks()["Stacks"]
        assert [
            stack["StackName"] for stack in stacks if stack["StackName"].startswith("any-fn-")
        ] == []


def changed(outcome: Any) -> set[str]:
    """Return the stacks that a deployment updated."""
    return {
        f"{stack['stack']}@{stack['region']}"
        for stack in outcome["stacks"]
        if stack["action"] == "update"
    }
