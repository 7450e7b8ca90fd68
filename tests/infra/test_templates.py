"""The shipped templates: valid in both regions, and safe where a template decides about safety."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploytool.core.project.template import load_yaml
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
    """Every resource of a type in any template, each with its template's name."""
    return [
        (name, each)
        for name in TEMPLATES
        for each in document(name)["Resources"].values()
        if each["Type"] == kind
    ]


def statements(value: object) -> Iterator[dict[str, Any]]:
    """Every policy statement below a value."""
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
    """With no rule switched off inside the template."""
    text = (INFRA / name).read_text(encoding="utf-8")
    assert lint_problems(text) == []
    assert "cfn-lint" not in text


def test_cfn_lint_finds_a_problem(lint_problems: Callable[[str], list[str]]) -> None:
    """A misspelt property is found, so that an empty list means something."""
    text = (INFRA / "hosted-zone.yaml").read_text(encoding="utf-8")
    assert any(
        "HostedZoneConfigg" in problem
        for problem in lint_problems(text.replace("HostedZoneConfig:", "HostedZoneConfigg:"))
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_everything_that_a_user_hands_in_or_gets_out_is_described(name: str) -> None:
    """The description is what the console and `deploytool outputs` have to show."""
    template = document(name)
    assert template["Description"]
    for section in ("Parameters", "Outputs"):
        assert [
            key for key, spec in template.get(section, {}).items() if not spec.get("Description")
        ] == []


def test_every_template_is_in_the_graph(project: Project) -> None:
    """One that is not would be linted and never deployed."""
    assert {*project.templates, BOOTSTRAP} == set(TEMPLATES)


def test_no_policy_allows_more_than_it_names() -> None:
    """No wildcard action and no `*` resource in anything that is allowed, but where the code itself
    is denied the same.
    """
    every = [each for name in TEMPLATES if name != BOOTSTRAP for each in statements(document(name))]
    allowed = [each for each in every if each["Effect"] == "Allow"]
    denied_to_the_code = [
        each["Action"] for each in every if "lambda:SourceFunctionArn" in str(each.get("Condition"))
    ]
    assert allowed
    for statement in allowed:
        assert [action for action in listed(statement["Action"]) if "*" in action] == []
        assert (
            "*" not in listed(statement.get("Resource", []))
            or statement["Action"] in denied_to_the_code
        )
        assert "NotAction" not in statement


def test_the_function_may_write_its_own_logs_and_nothing_else() -> None:
    """No managed policy, and two actions on the one log group that the function writes to; more
    only in a VPC.
    """
    [(name, role)] = [each for each in resources("AWS::IAM::Role") if each[0] == "lambda.yaml"]
    assert "ManagedPolicyArns" not in role["Properties"]
    policy, in_vpc = role["Properties"]["Policies"]
    [statement] = statements(policy)
    assert in_vpc["Fn::If"][0] == "InVpc"
    assert in_vpc["Fn::If"][2] == {"Ref": "AWS::NoValue"}
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == {"Fn::GetAtt": ["LogGroup", "Arn"]}
    function = document(name)["Resources"]["Function"]["Properties"]
    assert function["LoggingConfig"]["LogGroup"] == {"Ref": "LogGroup"}


def test_the_guard_may_touch_one_stage_s_things_and_its_schedules_one_function() -> None:
    """No managed policy and no wildcard in a resource; only the stack's own schedule group may take
    the scheduler's role.
    """
    template = document("drill-guard.yaml")["Resources"]
    for name in ("Role", "SchedulerRole"):
        assert "ManagedPolicyArns" not in template[name]["Properties"]
    allowed = [each for each in statements(template) if "Resource" in each]
    assert len(allowed) == 6
    assert [arn for each in allowed for arn in listed(each["Resource"]) if "*" in str(arn)] == []
    [trust] = template["SchedulerRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"]["aws:SourceArn"] == {
        "Fn::GetAtt": ["Schedules", "Arn"]
    }


def test_logs_do_not_pile_up_for_ever() -> None:
    """Each log group says how long it keeps its logs."""
    groups = resources("AWS::Logs::LogGroup")
    assert groups
    assert all("RetentionInDays" in group["Properties"] for _, group in groups)


def test_only_this_api_s_stage_and_path_may_invoke_the_function() -> None:
    """A permission for the whole of API Gateway would let any API of any account in."""
    [(_, permission)] = resources("AWS::Lambda::Permission")
    source = permission["Properties"]["SourceArn"]["Fn::Sub"]
    assert source.endswith(":${AWS::AccountId}:${RestApiId}/${StageName}/*${ResourcePath}")


def test_a_deployment_waits_for_every_method() -> None:
    """A snapshot that is taken before a method exists does not hold it."""
    for name, _ in resources("AWS::ApiGateway::Deployment"):
        template = document(name)["Resources"]
        methods = {
            key for key, each in template.items() if each["Type"] == "AWS::ApiGateway::Method"
        }
        assert methods
        assert methods <= set(template["Deployment"]["DependsOn"])


def test_the_hosted_zone_outlives_its_stack() -> None:
    """Another zone would get other name servers, to which no parent delegates."""
    [(_, zone)] = resources("AWS::Route53::HostedZone")
    assert zone["DeletionPolicy"] == "Retain"
    assert zone["UpdateReplacePolicy"] == "Retain"


def test_clients_come_over_tls_1_2_or_newer_to_a_regional_name_and_no_other_way() -> None:
    """Both custom domain names ask for it, and the API's own address, which does not, is closed."""
    domains = [each["Properties"] for _, each in resources("AWS::ApiGateway::DomainName")]
    assert len(domains) == 2
    for domain in domains:
        assert domain["SecurityPolicy"] == "TLS_1_2"
        assert domain["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    [(_, api)] = resources("AWS::ApiGateway::RestApi")
    assert api["Properties"]["DisableExecuteApiEndpoint"] is True
    assert api["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_the_code_bucket_is_private_and_refuses_plain_http() -> None:
    """No public access of any kind, encrypted, owner's objects only, and everything denied without
    TLS.
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
        each
        for each in statements(document(name))
        if each["Effect"] == "Deny" and each["Principal"] == "*"
    ]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [each["Condition"] for each in denied]


def test_live_code_never_expires() -> None:
    """Lifecycle rules touch unfinished uploads and deleted versions only."""
    [(_, bucket)] = resources("AWS::S3::Bucket")
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert [
        rule
        for rule in rules
        if {"ExpirationInDays", "ExpirationDate", "Transitions", "Transition"} & rule.keys()
    ] == []
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_the_health_check_comes_the_way_that_clients_do() -> None:
    """HTTPS on 443 with the name as SNI, by which API Gateway finds certificate and API. Only a
    drill inverts it.
    """
    [(_, check)] = resources("AWS::Route53::HealthCheck")
    config = check["Properties"]["HealthCheckConfig"]
    assert (config["Type"], config["Port"], config["EnableSNI"]) == ("HTTPS", 443, True)
    assert config["FullyQualifiedDomainName"] == {"Ref": "EndpointDomainName"}
    assert "Inverted" not in config


def test_the_function_s_network_lets_nothing_in_and_costs_nothing() -> None:
    """No ingress rule, no gateway to the internet, and the endpoints are of the kind without a
    price.
    """
    [(name, group)] = resources("AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group["Properties"]
    kinds = {each["Type"] for each in document(name)["Resources"].values()}
    assert kinds.isdisjoint(
        {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::SecurityGroupIngress"}
    )
    assert {
        each["Properties"]["VpcEndpointType"] for _, each in resources("AWS::EC2::VPCEndpoint")
    } == {"Gateway"}


def test_an_http_endpoint_is_told_which_region_calls() -> None:
    """API Gateway can add nothing to what the endpoint answers, so the endpoint must be able to say
    it.
    """
    integrations = [
        each["Properties"]["Integration"] for _, each in resources("AWS::ApiGateway::Method")
    ]
    [http] = [each for each in integrations if each["Type"] == "HTTP_PROXY"]
    assert http["RequestParameters"] == {
        "integration.request.header.x-api-region": {"Fn::Sub": "'${AWS::Region}'"}
    }
