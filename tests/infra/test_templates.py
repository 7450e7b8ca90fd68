"""The shipped templates: valid in both regions, and safe where a template decides about safety."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from deploytool.core.failover.records import METRIC, NAMESPACE
from deploytool.core.project.expressions import Evaluator
from deploytool.core.project.template import load_yaml
from deploytool.core.route53.health import CHECKER_REGIONS
from deploytool.files.project import Project

INFRA = Path(__file__).parents[2] / "infra"
TEMPLATES = sorted(path.name for path in INFRA.glob("*.yaml") if path.name != "stacks.yaml")
# Deployed once, by `deploytool bootstrap`; test_github_oidc.py looks at it
BOOTSTRAP = "github-oidc.yaml"


def document(name: str) -> dict[str, Any]:
    parsed = load_yaml((INFRA / name).read_text(encoding="utf-8"), name)
    assert isinstance(parsed, dict)
    return parsed


def resources(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return every resource of a type in any template, each with its template's name."""
    return [
        (name, resource)
        for name in TEMPLATES
        for resource in document(name)["Resources"].values()
        if resource["Type"] == kind
    ]


def statements(value: object) -> Iterator[dict[str, Any]]:
    """Yield every policy statement below a value."""
    if isinstance(value, dict):
        yield from value["Statement"] if isinstance(value.get("Statement"), list) else []
    children = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    for child in children:
        yield from statements(child)


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_finds_nothing_in_either_region(
    name: str, lint_problems: Callable[[str], list[str]]
) -> None:
    """No template switches a rule off."""
    text = (INFRA / name).read_text(encoding="utf-8")
    assert lint_problems(text) == []
    assert "cfn-lint" not in text


def test_cfn_lint_finds_a_problem(lint_problems: Callable[[str], list[str]]) -> None:
    """The linter reports a misspelled property, so an empty list is meaningful."""
    text = (INFRA / "hosted-zone.yaml").read_text(encoding="utf-8")
    assert any(
        "HostedZoneConfigg" in problem
        for problem in lint_problems(text.replace("HostedZoneConfig:", "HostedZoneConfigg:"))
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_and_output_is_described(name: str) -> None:
    """The console and `deploytool outputs` show the descriptions."""
    template = document(name)
    assert template["Description"]
    for section in ("Parameters", "Outputs"):
        assert [
            key for key, spec in template.get(section, {}).items() if not spec.get("Description")
        ] == []


def test_every_template_is_in_the_graph(project: Project) -> None:
    """A template that is not in the graph would be linted and never deployed."""
    assert {*project.templates, BOOTSTRAP} == set(TEMPLATES)


def test_no_policy_allows_more_than_it_names() -> None:
    """No action has a wildcard, and no allowed resource is `*` without a reason in the test."""
    all_statements: list[dict[str, Any]] = []
    for name in TEMPLATES:
        if name != BOOTSTRAP:
            all_statements += statements(document(name))

    allowed = [statement for statement in all_statements if statement["Effect"] == "Allow"]
    denied_to_the_code = [
        statement["Action"]
        for statement in all_statements
        if "lambda:SourceFunctionArn" in str(statement.get("Condition"))
    ]
    assert allowed
    # It accepts no resource; the namespace narrows it
    namespace = {"StringEquals": {"cloudwatch:namespace": "deploytool"}}
    for statement in allowed:
        assert [action for action in listed(statement["Action"]) if "*" in action] == []
        if statement["Action"] == "cloudwatch:PutMetricData":
            assert statement["Condition"] == namespace
            continue
        assert (
            "*" not in listed(statement.get("Resource", []))
            or statement["Action"] in denied_to_the_code
        )
        assert "NotAction" not in statement


def test_the_function_may_write_its_own_logs_and_nothing_else() -> None:
    """The role has two actions on the function's own log group, and more only in a VPC.

    It has no managed policy.
    """
    [(name, role)] = [role for role in resources("AWS::IAM::Role") if role[0] == "lambda.yaml"]
    assert "ManagedPolicyArns" not in role["Properties"]
    policy, in_vpc = role["Properties"]["Policies"]
    [statement] = statements(policy)
    assert in_vpc["Fn::If"][0] == "InVpc"
    assert in_vpc["Fn::If"][2] == {"Ref": "AWS::NoValue"}
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == {"Fn::GetAtt": ["LogGroup", "Arn"]}
    function = document(name)["Resources"]["Function"]["Properties"]
    assert function["LoggingConfig"]["LogGroup"] == {"Ref": "LogGroup"}


def test_the_roles_of_the_guard_are_limited_to_one_stage() -> None:
    """The roles have no managed policy, and no resource has a wildcard.

    PutMetricData, which has no resources, is limited to the namespace. Only the stack's own schedule group can assume the scheduler's role.
    """
    template = document("drill-guard.yaml")["Resources"]
    for name in ("Role", "SchedulerRole"):
        assert "ManagedPolicyArns" not in template[name]["Properties"]
    allowed = [statement for statement in statements(template) if "Resource" in statement]
    assert len(allowed) == 8
    for statement in allowed:
        if statement["Action"] == "cloudwatch:PutMetricData":
            continue
        assert [arn for arn in listed(statement["Resource"]) if "*" in str(arn)] == []
    [trust] = template["SchedulerRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"]["aws:SourceArn"] == {
        "Fn::GetAtt": ["Schedules", "Arn"]
    }


def test_logs_are_deleted_after_some_time() -> None:
    """Each log group has a retention period."""
    groups = resources("AWS::Logs::LogGroup")
    assert groups
    assert all("RetentionInDays" in group["Properties"] for _, group in groups)


def test_only_this_api_s_stage_and_path_may_invoke_the_function() -> None:
    """A permission for the whole of API Gateway would let any API of any account in."""
    permissions = dict(resources("AWS::Lambda::Permission"))
    source, names = permissions["lambda.yaml"]["Properties"]["SourceArn"]["Fn::Sub"]
    assert source.endswith(":${AWS::AccountId}:${Api}/${StageName}/*${ResourcePath}")
    assert names == {"Api": {"Fn::If": ["IsHttp", {"Ref": "HttpApiId"}, {"Ref": "RestApiId"}]}}


def test_only_its_own_rule_may_invoke_the_function_of_the_switch() -> None:
    """A permission for the whole of EventBridge would let any rule of any account in."""
    permission = dict(resources("AWS::Lambda::Permission"))["switch.yaml"]["Properties"]
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceArn"] == {"Fn::GetAtt": ["EveryMinute", "Arn"]}


def test_the_function_of_the_switch_runs_every_minute() -> None:
    """A rule calls the function, which ends before the next minute."""
    template = document("switch.yaml")["Resources"]
    rule = template["EveryMinute"]["Properties"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": ["Function", "Arn"]}]
    assert template["Function"]["Properties"]["Timeout"] < 60


def test_the_alarm_follows_the_metric_of_the_switch() -> None:
    """One data point of 1 in a minute is enough, and missing data changes nothing."""
    [(_, alarm)] = resources("AWS::CloudWatch::Alarm")
    properties = alarm["Properties"]
    assert (properties["Namespace"], properties["MetricName"]) == (NAMESPACE, METRIC)
    assert properties["Dimensions"] == [
        {"Name": name, "Value": {"Ref": name}} for name in ("Project", "Stage")
    ]
    assert properties["Statistic"] == "Maximum"
    assert (properties["Period"], properties["EvaluationPeriods"]) == (60, 1)
    assert (properties["ComparisonOperator"], properties["Threshold"]) == (
        "GreaterThanOrEqualToThreshold",
        1,
    )
    assert properties["TreatMissingData"] == "ignore"


@pytest.mark.parametrize("alarms", range(6))
def test_the_failover_check_is_healthy_when_all_its_children_are(alarms: int) -> None:
    """Its threshold is the number of its children, whatever the number of alarms.

    A threshold above the number of children would be unhealthy for ever, a lower one would ignore
    a child.
    """
    template = document("failover-check.yaml")
    given = {
        name: f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a{name[-1]}"
        if name.startswith("Alarm") and int(name[-1]) <= alarms
        else parameter.get("Default", "x")
        for name, parameter in template["Parameters"].items()
    }
    values = Evaluator(template, given)
    config = values.value(template["Resources"]["FailoverCheck"])["Properties"]["HealthCheckConfig"]
    assert config["Type"] == "CALCULATED"
    assert int(config["HealthThreshold"]) == len(config["ChildHealthChecks"]) == alarms + 2


def test_a_health_check_on_an_alarm_keeps_its_status_without_data() -> None:
    """When the region of an alarm is down, the health check changes nothing."""
    checks = [
        resource["Properties"]["HealthCheckConfig"]
        for _, resource in resources("AWS::Route53::HealthCheck")
    ]
    on_alarms = [config for config in checks if config["Type"] == "CLOUDWATCH_METRIC"]
    assert len(on_alarms) == 6
    assert {config["InsufficientDataHealthStatus"] for config in on_alarms} == {"LastKnownStatus"}
    assert all("Inverted" not in config for config in checks)


def test_a_deployment_waits_for_every_method() -> None:
    """A snapshot that is taken before a method exists does not contain it."""
    for name, _ in resources("AWS::ApiGateway::Deployment"):
        template = document(name)["Resources"]
        methods = {
            key
            for key, resource in template.items()
            if resource["Type"] == "AWS::ApiGateway::Method"
        }
        assert methods
        assert methods <= set(template["Deployment"]["DependsOn"])


def test_the_hosted_zone_outlives_its_stack() -> None:
    """A new zone would get other name servers, to which the parent does not delegate.

    One whose creation is rolled back is not kept: the next deployment makes another beside it.
    """
    [(_, zone)] = resources("AWS::Route53::HostedZone")
    assert zone["DeletionPolicy"] == "RetainExceptOnCreate"
    assert zone["UpdateReplacePolicy"] == "Retain"


def test_clients_need_tls_1_2_and_a_regional_name() -> None:
    """Both custom domain names require it, and the API's own address is disabled."""
    domains = [resource["Properties"] for _, resource in resources("AWS::ApiGateway::DomainName")]
    assert len(domains) == 2
    for domain in domains:
        assert domain["SecurityPolicy"] == "TLS_1_2"
        assert domain["EndpointConfiguration"]["Types"] == ["REGIONAL"]
    for _, resource in resources("AWS::ApiGatewayV2::DomainName"):
        [configuration] = resource["Properties"]["DomainNameConfigurations"]
        assert configuration["SecurityPolicy"] == "TLS_1_2"
        assert configuration["EndpointType"] == "REGIONAL"
    [(_, http_api)] = resources("AWS::ApiGatewayV2::Api")
    assert http_api["Properties"]["DisableExecuteApiEndpoint"] is True
    [(_, api)] = resources("AWS::ApiGateway::RestApi")
    assert api["Properties"]["DisableExecuteApiEndpoint"] is True
    assert api["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_the_code_bucket_is_private_and_refuses_plain_http() -> None:
    """The bucket is encrypted, has no public access, and denies every request without TLS.

    All objects belong to the bucket's owner.
    """
    [(name, bucket)] = resources("AWS::S3::Bucket")
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["BucketEncryption"]
    assert properties["OwnershipControls"] == {
        "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
    }
    denied = [
        statement
        for statement in statements(document(name))
        if statement["Effect"] == "Deny" and statement["Principal"] == "*"
    ]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [
        statement["Condition"] for statement in denied
    ]


def test_live_code_never_expires() -> None:
    """Lifecycle rules apply to unfinished uploads and deleted versions only."""
    [(_, bucket)] = resources("AWS::S3::Bucket")
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert [
        rule
        for rule in rules
        if {"ExpirationInDays", "ExpirationDate", "Transitions", "Transition"} & rule.keys()
    ] == []
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_the_health_check_takes_the_path_of_clients() -> None:
    """It uses HTTPS on port 443 with SNI, by which API Gateway finds certificate and API.

    Only a drill inverts it.
    """
    [check] = [
        check
        for name, check in resources("AWS::Route53::HealthCheck")
        if name == "health-check.yaml"
    ]
    config = check["Properties"]["HealthCheckConfig"]
    assert config["Type"] == {"Fn::If": ["HasSearchString", "HTTPS_STR_MATCH", "HTTPS"]}
    assert (config["Port"], config["EnableSNI"]) == (443, True)
    assert config["FullyQualifiedDomainName"] == {"Ref": "EndpointDomainName"}
    assert "Inverted" not in config


def test_a_health_check_that_is_replaced_stays() -> None:
    """The calculated health check names it until its own stack has been updated, which is later."""
    check = document("health-check.yaml")["Resources"]["HealthCheck"]
    assert (check["UpdateReplacePolicy"], check["DeletionPolicy"]) == ("Retain", "Delete")


def test_a_choice_of_checkers_can_be_taken_back() -> None:
    """Route 53 keeps the regions of a health check when an update names none, so all are named."""
    template = document("health-check.yaml")
    regions = template["Resources"]["HealthCheck"]["Properties"]["HealthCheckConfig"]["Regions"]
    condition, chosen, all_regions = regions["Fn::If"]
    assert (condition, chosen) == ("HasCheckerRegions", {"Ref": "CheckerRegions"})
    assert tuple(all_regions) == CHECKER_REGIONS


def region_pattern() -> str:
    pattern: str = document("failover-check.yaml")["Parameters"]["Alarm1"]["AllowedPattern"]
    return pattern


def test_an_alarm_is_in_a_region_that_route_53_takes() -> None:
    """The pattern has exactly the regions of the schema of AWS::Route53::HealthCheck."""
    pattern = region_pattern()
    assert {
        spec["AllowedPattern"]
        for name, spec in document("failover-check.yaml")["Parameters"].items()
        if re.fullmatch(r"Alarm\d", name)
    } == {pattern}
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", "AWS::Route53::HealthCheck")
    regions = schema.schema["definitions"]["AlarmIdentifier"]["properties"]["Region"]["enum"]

    def takes(region: str) -> bool:
        return bool(re.fullmatch(pattern, f"arn:aws:cloudwatch:{region}:123456789012:alarm:a b"))

    assert [region for region in regions if not takes(region)] == []
    others = ("us-east-3", "us-gov-east-2", "eu-west-9", "us-iso-east-2", "ap-east-3", "", "x")
    assert [region for region in others if takes(region)] == []


@pytest.mark.parametrize(
    "arn",
    [
        "alarm",
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm:",
        "arn:aws:cloudwatch:us-east-1:12345678901:alarm:a",
        "arn:aws:sns:us-east-1:123456789012:a",
        f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{'a' * 256}",
    ],
)
def test_what_is_no_alarm_is_refused(arn: str) -> None:
    """An ARN of another service, account or length is none."""
    assert not re.fullmatch(region_pattern(), arn)


def test_the_function_s_network_is_closed_and_free() -> None:
    """There is no ingress rule and no gateway to the internet, and all endpoints are free."""
    [(name, group)] = resources("AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group["Properties"]
    kinds = {resource["Type"] for resource in document(name)["Resources"].values()}
    assert kinds.isdisjoint(
        {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::SecurityGroupIngress"}
    )
    assert {
        resource["Properties"]["VpcEndpointType"]
        for _, resource in resources("AWS::EC2::VPCEndpoint")
    } == {"Gateway"}


def test_the_function_s_subnets_are_in_zones_that_lambda_has() -> None:
    """In us-east-1 the first two names may hide use1-az3, which Lambda does not support."""
    subnets = [subnet["Properties"] for _, subnet in resources("AWS::EC2::Subnet")]
    ids = [subnet["AvailabilityZoneId"]["Fn::If"][1] for subnet in subnets]
    assert sorted(ids) == ["use1-az1", "use1-az2"]


def test_a_subnet_that_moves_to_another_zone_gets_other_addresses() -> None:
    """A deployed stage whose zones were chosen by name can be updated.

    CloudFormation replaces both subnets then, and creates the new ones beside the old ones; EC2
    refuses addresses that are in use (InvalidSubnet.Conflict; aws-cdk issue 6683).
    """
    subnets = [subnet["Properties"] for _, subnet in resources("AWS::EC2::Subnet")]
    choices = [subnet["CidrBlock"]["Fn::If"] for subnet in subnets]
    assert {condition for condition, _, _ in choices} == {"ChoosesZonesById"}

    by_id = [_place_of(block) for _, block, _ in choices]
    by_name = [_place_of(block) for _, _, block in choices]
    assert len({*by_id, *by_name}) == 2 * len(subnets)


def _place_of(block: dict[str, Any]) -> tuple[int, int]:
    """Return which part of the VPC's addresses a subnet has: its place, and the bits of its size."""
    place, parts = block["Fn::Select"]
    _, count, bits = parts["Fn::Cidr"]
    assert place < count
    return place, bits


def test_a_record_of_ipv6_fails_over_as_that_of_ipv4_does() -> None:
    """Both have the same target, pair and health check, so no client stays behind."""
    records = document("record-set.yaml")["Resources"]
    ipv4 = dict(records["RecordSet"]["Properties"])
    ipv6 = dict(records["Ipv6RecordSet"]["Properties"])
    assert (ipv4.pop("Type"), ipv6.pop("Type")) == ("A", "AAAA")
    assert ipv4 == ipv6


def test_the_limit_of_a_certificate_is_that_of_its_type() -> None:
    """The comment of the template names the hours after which the type's handler gives up."""
    kind = "AWS::CertificateManager::Certificate"
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    hours = schema["handlers"]["create"]["timeoutInMinutes"] / 60
    text = (INFRA / "certificate.yaml").read_text()
    assert f"CloudFormation gives up after {hours:.0f}" in text


def test_an_http_endpoint_is_told_which_region_calls() -> None:
    """API Gateway cannot add the region to the endpoint's answer, so the endpoint must know it."""
    integrations = [
        resource["Properties"]["Integration"]
        for _, resource in resources("AWS::ApiGateway::Method")
    ]
    [http] = [integration for integration in integrations if integration["Type"] == "HTTP_PROXY"]
    assert http["RequestParameters"] == {
        "integration.request.header.x-api-region": {"Fn::Sub": "'${AWS::Region}'"}
    }
