"""CloudWatch alarms, and the health checks above them: contract tests with boto3 on a running cloud.

The cloud of these tests is fast: a minute of its time is 3 s. Each wait is a request, which gives
the cloud its turn; the timeout is pytest's.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.state import State

STANDBY = "us-west-2"
NAMESPACE = "deploytool"

ENDPOINT = {
    "Type": "HTTPS",
    "FullyQualifiedDomainName": "nowhere.example.net",
    "Port": 443,
    "RequestInterval": 30,
    "Disabled": True,  # so that it is healthy
}


def dimensions(stage: str) -> list[dict[str, str]]:
    return [{"Name": "Project", "Value": "shop"}, {"Name": "Stage", "Value": stage}]


def switch_alarm(stage: str) -> dict[str, Any]:
    """The settings of the switch's alarm, as PutMetricAlarm and a template take them."""
    return {
        "AlarmName": f"switch-{stage}",
        "Namespace": NAMESPACE,
        "MetricName": "FailoverSwitch",
        "Dimensions": dimensions(stage),
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "ignore",
    }


def on_alarm(stage: str, region: str = STANDBY, **more: Any) -> dict[str, Any]:
    """The settings of a health check on that alarm."""
    return {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Region": region, "Name": f"switch-{stage}"},
        "InsufficientDataHealthStatus": "LastKnownStatus",
        **more,
    }


def until(condition: Callable[[], object]) -> None:
    while not condition():
        pass


@pytest.fixture
def stage() -> str:
    """The name of a stage that only this test uses."""
    return uuid.uuid4().hex[:8]


@pytest.fixture
def cloudwatch(aws: Any) -> Any:
    return aws.client("cloudwatch", STANDBY)


@pytest.fixture
def put(cloudwatch: Any, stage: str) -> Callable[[float], None]:
    """`put(value)` puts a data point of the test's stage now."""

    def put(value: float) -> None:
        datum = {"MetricName": "FailoverSwitch", "Dimensions": dimensions(stage), "Value": value}
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])

    return put


@pytest.fixture
def create(aws: Any) -> Iterator[Callable[..., Any]]:
    """`create(**settings)` creates a health check that is deleted after the test."""
    route53 = aws.client("route53")
    created = []

    def create(**settings: Any) -> Any:
        check = route53.create_health_check(
            CallerReference=str(uuid.uuid4()), HealthCheckConfig=settings
        )["HealthCheck"]
        created.append(check["Id"])
        return check

    yield create
    for id_ in reversed(created):
        route53.delete_health_check(HealthCheckId=id_)


@pytest.fixture
def is_healthy(cloud: State) -> Callable[[str], bool]:
    """`is_healthy(id)` is the verdict on a health check now."""
    return lambda id_: ControlClient(cloud).status().health_checks[id_].healthy


def code(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error: Any = caught.value.response["Error"]
    return error["Code"], error["Message"]


class TestAlarms:
    """Alarms of CloudWatch in the cloud's time."""

    def test_state(self, cloudwatch: Any, put: Callable[[float], None], stage: str) -> None:
        """An alarm goes off when a minute of the cloud has breached, and stays off the next day.

        The data of other dimensions is another metric, and missing data keeps the state ("ignore").
        """
        cloudwatch.put_metric_alarm(**switch_alarm(stage))
        cloudwatch.put_metric_alarm(**switch_alarm(f"{stage}-other"))

        def state(name: str) -> str:
            (alarm,) = cloudwatch.describe_alarms(AlarmNames=[f"switch-{name}"])["MetricAlarms"]
            return str(alarm["StateValue"])

        assert state(stage) == "INSUFFICIENT_DATA"
        put(1)
        until(lambda: state(stage) == "ALARM")
        assert state(f"{stage}-other") == "INSUFFICIENT_DATA"
        # The 0 counts from a minute on that has no 1.
        until(lambda: (put(0), state(stage) == "OK")[1])

    def test_regions_are_apart(self, aws: Any, stage: str, cloudwatch: Any) -> None:
        """An alarm is one of its region only."""
        cloudwatch.put_metric_alarm(**switch_alarm(stage))
        elsewhere = aws.client("cloudwatch", "us-east-1")
        names = [f"switch-{stage}"]
        assert cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
        assert not elsewhere.describe_alarms(AlarmNames=names)["MetricAlarms"]

    @pytest.mark.difference
    def test_metric_math_is_refused(self, cloudwatch: Any, stage: str) -> None:
        """MiniStack drops `Metrics` in silence; an alarm that would never go off is refused."""
        query = {"Id": "sum", "Expression": "m1 + m2", "ReturnData": True}
        with pytest.raises(ClientError) as caught:
            cloudwatch.put_metric_alarm(
                AlarmName=stage,
                Metrics=[query],
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanThreshold",
            )
        assert "metric math" in code(caught)[1]


class TestHealthChecks:
    """Calculated health checks, and health checks on alarms, through Route 53's API."""

    def test_switch(
        self,
        cloudwatch: Any,
        put: Callable[[float], None],
        create: Callable[..., Any],
        is_healthy: Callable[[str], bool],
        stage: str,
        cloud: State,
    ) -> None:
        """A data point of 1 makes the check and the calculated one above it unhealthy; 0 heals them.

        SetAlarmState moves neither, and the last known status lasts when the data stops.
        """
        cloudwatch.put_metric_alarm(**switch_alarm(stage))
        switch = create(**on_alarm(stage))["Id"]
        endpoint = create(**ENDPOINT)["Id"]
        children = {"ChildHealthChecks": [endpoint, switch]}
        every = create(Type="CALCULATED", HealthThreshold=2, **children)["Id"]
        assert is_healthy(switch)
        assert is_healthy(every)

        cloudwatch.set_alarm_state(
            AlarmName=f"switch-{stage}", StateValue="ALARM", StateReason="by hand"
        )
        put(0)
        assert is_healthy(switch)

        put(1)
        until(lambda: not is_healthy(every))
        assert not is_healthy(switch)
        until(lambda: (put(0), is_healthy(every))[1])

        changes = ControlClient(cloud).event_log()
        changed = [(each["health_check_id"], each["healthy"]) for each in changes["verdicts"]]
        for id_ in (switch, every):
            assert [healthy for each, healthy in changed if each == id_] == [False, True]

    def test_answers(self, cloudwatch: Any, create: Callable[..., Any], stage: str) -> None:
        """The API answers with the settings, and with what Route 53 read of the alarm."""
        cloudwatch.put_metric_alarm(**switch_alarm(stage))
        switch = create(**on_alarm(stage))
        assert switch["HealthCheckConfig"] == {
            **on_alarm(stage),
            "Inverted": False,
            "Disabled": False,
        }
        read = switch["CloudWatchAlarmConfiguration"]
        expected = switch_alarm(stage)
        assert read == {name: expected[name] for name in read}
        assert len(read) == 8

        settings = {
            "Type": "CALCULATED",
            "HealthThreshold": 1,
            "ChildHealthChecks": [switch["Id"]],
            "Inverted": True,
        }
        calculated = create(**settings)
        assert calculated["HealthCheckConfig"] == {**settings, "Disabled": False}

    def test_the_alarm_is_read_when_the_check_changes(
        self, aws: Any, cloudwatch: Any, create: Callable[..., Any], stage: str
    ) -> None:
        """A change of the alarm reaches the health check only when that is updated."""
        route53 = aws.client("route53")
        cloudwatch.put_metric_alarm(**switch_alarm(stage))
        check = create(**on_alarm(stage))["Id"]
        cloudwatch.put_metric_alarm(**{**switch_alarm(stage), "Threshold": 5.0})

        def threshold() -> float:
            health_check = route53.get_health_check(HealthCheckId=check)["HealthCheck"]
            return float(health_check["CloudWatchAlarmConfiguration"]["Threshold"])

        assert threshold() == 1.0
        route53.update_health_check(HealthCheckId=check, Disabled=False)
        assert threshold() == 5.0

    def test_no_status(
        self, aws: Any, cloudwatch: Any, create: Callable[..., Any], stage: str
    ) -> None:
        """GetHealthCheckStatus is for health checks that check an endpoint."""
        route53 = aws.client("route53")
        cloudwatch.put_metric_alarm(**switch_alarm(stage))
        switch = create(**on_alarm(stage))["Id"]
        calculated = create(Type="CALCULATED", HealthThreshold=1, ChildHealthChecks=[switch])["Id"]
        for id_ in (switch, calculated):
            with pytest.raises(ClientError) as caught:
                route53.get_health_check_status(HealthCheckId=id_)
            assert code(caught)[0] == "InvalidInput"

    def test_a_child_is_not_deleted(self, aws: Any, create: Callable[..., Any]) -> None:
        """A health check cannot be deleted while a calculated one has it as a child."""
        endpoint = create(**ENDPOINT)["Id"]
        create(Type="CALCULATED", HealthThreshold=1, ChildHealthChecks=[endpoint])
        with pytest.raises(ClientError) as caught:
            aws.client("route53").delete_health_check(HealthCheckId=endpoint)
        assert code(caught)[0] == "InvalidInput"

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"ChildHealthChecks": ["nothing"]}, "health threshold"),
            ({"HealthThreshold": 1, "ChildHealthChecks": ["nothing"]}, "does not exist"),
            ({"HealthThreshold": 1, "FailureThreshold": 3}, "must not have a failure threshold"),
            ({"HealthThreshold": 1, "Port": 443}, "must not have a port"),
            ({"HealthThreshold": 1, "RequestInterval": 10}, "must not have a request interval"),
            ({"HealthThreshold": 999}, "HealthThreshold"),
        ],
    )
    def test_calculated_refused(self, aws: Any, settings: Any, message: str) -> None:
        """Settings that a calculated health check cannot have are refused."""
        with pytest.raises(ClientError, match=message):
            aws.client("route53").create_health_check(
                CallerReference=str(uuid.uuid4()),
                HealthCheckConfig={"Type": "CALCULATED", **settings},
            )

    def test_no_calculated_child(self, create: Callable[..., Any]) -> None:
        """A calculated health check cannot be the child of another one, so there is no circle."""
        endpoint = create(**ENDPOINT)["Id"]
        inner = create(Type="CALCULATED", HealthThreshold=1, ChildHealthChecks=[endpoint])["Id"]
        with pytest.raises(ClientError, match="cannot be the child"):
            create(Type="CALCULATED", HealthThreshold=1, ChildHealthChecks=[inner])

    @pytest.mark.parametrize(
        ("alarm", "message"),
        [
            (None, "There is no CloudWatch alarm"),
            ({"Period": 10}, "high-resolution"),
            ({"Statistic": None, "ExtendedStatistic": "p99"}, "p99"),
        ],
    )
    def test_alarm_refused(
        self, aws: Any, cloudwatch: Any, stage: str, alarm: Any, message: str
    ) -> None:
        """An alarm that does not exist, or that Route 53 does not take, is refused."""
        if alarm is not None:
            settings = {**switch_alarm(stage), **alarm}
            cloudwatch.put_metric_alarm(**{k: v for k, v in settings.items() if v is not None})
        with pytest.raises(ClientError, match=message):
            aws.client("route53").create_health_check(
                CallerReference=str(uuid.uuid4()), HealthCheckConfig=on_alarm(stage)
            )


def test_templates(aws: Any, is_healthy: Callable[[str], bool], stage: str) -> None:
    """The switch's alarm and the health checks above it, as stacks in two regions.

    A string match and the checkers' regions are settings of the endpoint's check. A child that a
    template drops is deleted once the calculated check has let go of it.
    """
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": switch_alarm(stage)}
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Alarm", "Arn"]}}}
    switch = aws.create_stack(
        f"switch-{stage}", {"Resources": {"Alarm": alarm}, "Outputs": outputs}, STANDBY
    )
    assert switch["Arn"].endswith(f":alarm:switch-{stage}")

    def resource(**settings: Any) -> dict[str, Any]:
        properties = {"HealthCheckConfig": settings}
        return {"Type": "AWS::Route53::HealthCheck", "Properties": properties}

    regions = ["us-west-1", "eu-west-1", "sa-east-1"]
    endpoint = {
        **ENDPOINT,
        "Type": "HTTPS_STR_MATCH",
        "SearchString": "fine",
        "Regions": regions,
        "Disabled": "true",
    }

    def template(*children: str) -> dict[str, Any]:
        checks = {
            "Endpoint": resource(**endpoint),
            "Switch": resource(**on_alarm(stage)),
            "Other": resource(**on_alarm(stage, Inverted="true")),
        }
        every = resource(
            Type="CALCULATED",
            HealthThreshold=str(len(children)),
            ChildHealthChecks=[{"Ref": child} for child in children],
        )
        resources = {child: checks[child] for child in children} | {"Every": every}
        outputs = {name: {"Value": {"Ref": name}} for name in resources}
        return {"Resources": resources, "Outputs": outputs}

    name = f"checks-{stage}"
    created = aws.create_stack(name, template("Endpoint", "Switch", "Other"))
    assert not is_healthy(created["Other"])
    assert not is_healthy(created["Every"])

    route53 = aws.client("route53")
    config = route53.get_health_check(HealthCheckId=created["Endpoint"])["HealthCheck"]
    assert config["HealthCheckConfig"]["Regions"] == regions
    assert config["HealthCheckConfig"]["SearchString"] == "fine"

    updated = aws.update_stack(name, template("Endpoint", "Switch"))
    assert updated["Every"] == created["Every"]
    assert is_healthy(updated["Every"])
    with pytest.raises(ClientError):
        route53.get_health_check(HealthCheckId=created["Other"])
    assert aws.delete_stack(name) == "DELETE_COMPLETE"


@pytest.mark.difference
def test_accelerated_recovery(aws: Any, stage: str) -> None:
    """HostedZoneFeatures of a template, and UpdateHostedZoneFeatures, are answered by GetHostedZone.

    Source: CloudFormation template reference, AWS::Route53::HostedZone.
    """
    route53 = aws.client("route53")

    def template(**features: Any) -> dict[str, Any]:
        properties = {"Name": f"{stage}.example", **features}
        zone = {"Type": "AWS::Route53::HostedZone", "Properties": properties}
        return {"Resources": {"Zone": zone}, "Outputs": {"Id": {"Value": {"Ref": "Zone"}}}}

    def features(zone_id: str) -> Any:
        return route53.get_hosted_zone(Id=zone_id)["HostedZone"].get("Features")

    name = f"zone-{stage}"
    zone_id = aws.create_stack(name, template())["Id"]
    assert features(zone_id) is None
    on = {"HostedZoneFeatures": {"EnableAcceleratedRecovery": "true"}}
    assert aws.update_stack(name, template(**on))["Id"] == zone_id
    assert features(zone_id) == {"AcceleratedRecoveryStatus": "ENABLED"}
    with pytest.raises(ClientError, match="must be disabled"):
        route53.delete_hosted_zone(Id=zone_id)

    route53.update_hosted_zone_features(HostedZoneId=zone_id, EnableAcceleratedRecovery=False)
    assert features(zone_id) == {"AcceleratedRecoveryStatus": "DISABLED"}
    aws.delete_stack(name)


# Notes in a parameter of its own region when it was called, and what it knows of names.
FUNCTION = """
import json, os, boto3
def handler(event, context):
    known = {key: os.environ.get(key) for key in ("DEPLOYTOOL_RESOLVER", "DEPLOYTOOL_NAME_SERVER_PORT")}
    value = json.dumps({"time": event["time"], **known})
    boto3.client("ssm").put_parameter(Name=os.environ["NAME"] + event["id"], Value=value, Type="String")
"""


def test_rules_with_a_rate(aws: Any, cloud: State, stage: str) -> None:
    """A rule of EventBridge runs its function every minute of the cloud's time, in both regions.

    The function is told how to ask the cloud's name servers.
    """
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    template = {
        "Resources": {
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
                    "Code": {"ZipFile": FUNCTION},
                    "Environment": {"Variables": {"NAME": f"/rule-{stage}/"}},
                },
            },
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "ScheduleExpression": "rate(1 minute)",
                    "Targets": [{"Id": "function", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}],
                },
            },
            "Permission": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "Action": "lambda:InvokeFunction",
                    "Principal": "events.amazonaws.com",
                    "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
                },
            },
        }
    }
    name = f"rule-{stage}"
    for region in cloud.regions:
        aws.create_stack(name, template, region)

    def notes(region: str) -> list[Any]:
        ssm = aws.client("ssm", region)
        found = ssm.get_parameters_by_path(Path=f"/rule-{stage}")["Parameters"]
        return [json.loads(parameter["Value"]) for parameter in found]

    for region in cloud.regions:
        until(lambda region=region: len(notes(region)) >= 4)  # type: ignore[misc]
        noted = notes(region)
        times = sorted(datetime.fromisoformat(note["time"]).timestamp() for note in noted)
        average = (times[3] - times[0]) / 3
        assert average == pytest.approx(60 / cloud.speed, abs=0.4)
        assert noted[0]["DEPLOYTOOL_RESOLVER"] == f"{cloud.resolver.address}:{cloud.resolver.port}"
        assert noted[0]["DEPLOYTOOL_NAME_SERVER_PORT"] == str(cloud.dns.port)
        aws.delete_stack(name, region)
