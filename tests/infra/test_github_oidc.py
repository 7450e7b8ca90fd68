"""The bootstrap's template and every IAM policy of the templates: linted, small enough, and closed
where power could grow.
"""

import json
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deploytool.core.project.template import load_yaml
from deploytool.files.schemas import InstalledSchemas
from deploytool.localcloud.ministack.patches.resource_actions import checks_of
from deploytool.localcloud.ministack.patches.resource_operation import ResourceOperation

with warnings.catch_warnings():  # parliament leaves the files open that it reads as it is imported
    warnings.simplefilter("ignore", ResourceWarning)
    import parliament

INFRA = Path(__file__).parents[2] / "infra"
VALUES = {
    "AWS::Partition": "aws",
    "AWS::AccountId": "123456789012",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "hello-dev-lambda",
    "Project": "hello",
    "Stage": "dev",
    "DomainName": "dev.example.com",
    "Repository": "octo-org/hello",
    "Branch": "main",
    "PrimaryRegion": "us-east-1",
    "SecondaryRegion": "us-west-2",
    "HealthCheckId": "a1b2",
    "FunctionName": "hello-dev-lambda",
    "Boundary": "arn:aws:iam::123456789012:policy/deploytool/hello-dev-boundary",
    "LogGroup.Arn": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/hello-dev-lambda:*",
    "Function.Arn": "arn:aws:lambda:us-east-1:123456789012:function:hello-dev-lambda",
    "CloudFormationRole.Arn": "arn:aws:iam::123456789012:role/deploytool/hello-dev-cloudformation",
    "Bucket.Arn": "arn:aws:s3:::hello-dev-bucket",
    "Bucket": "hello-dev-bucket",
    "NotifyTopic": "arn:aws:sns:us-west-2:123456789012:alerts",
}
# What the linter reports and is intended, each with its reason.
INTENDED = {
    (
        "FunctionPolicy",
        "RESOURCE_POLICY_PRIVILEGE_ESCALATION",
    ): "CloudFormation sets the policy of the packages' bucket itself",
    (
        "FunctionPolicy",
        "MISMATCHED_TYPE_BUT_USABLE",
    ): "the IAM User Guide compares iam:PermissionsBoundary with StringEquals",
    (
        "NetworkPolicy",
        "RESOURCE_STAR",
    ): "ids are EC2's; creation is limited to the regions, and changes to the stack's tag",
    (
        "Boundary",
        "RESOURCE_STAR",
    ): "as lambda.yaml, whose interfaces are created by Lambda, and as switch.yaml",
    ("ReadPolicy", "RESOURCE_STAR"): "ec2:DescribeVpcAttribute stands with the other reads of EC2",
    ("PlanRole", "RESOURCE_STAR"): "DescribeAlarms hides composite alarms with anything narrower",
    ("DeployRole", "RESOURCE_STAR"): "as PlanRole",
    ("PlanRole", "INVALID_ARN"): "the account of AWS's transforms is written `aws`",
    ("DeployRole", "INVALID_ARN"): "as PlanRole",
    ("SwitchPolicy", "RESOURCE_STAR"): "as PlanRole",
    ("Role", "RESOURCE_STAR"): "lambda.yaml and switch.yaml say why, beside it",
    (
        "Role",
        "UNKNOWN_CONDITION_FOR_ACTION",
    ): "Lambda adds lambda:SourceFunctionArn to every call of a function's code",
}
SCHEMAS = InstalledSchemas()


# The longest names that the configuration takes.
LONGEST = {
    **VALUES,
    "AWS::Partition": "aws-us-gov",
    "Project": "p" * 32,
    "Stage": "s" * 16,
    "DomainName": ".".join(["d" * 60] * 4),
    "PrimaryRegion": "ap-southeast-1",
    "SecondaryRegion": "ap-northeast-1",
}


def resolved(value: Any, values: Mapping[str, str] = VALUES) -> Any:
    """Return a value with its functions replaced by an example of their results."""
    if isinstance(value, list):
        return [resolved(item, values) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda name: values[name[1]], text)
        case {"Ref": name} | {"Fn::GetAtt": name}:
            return values[name if isinstance(name, str) else ".".join(name)]
        case {"Fn::If": [_, then, _]}:
            return resolved(then, values)
    return {key: resolved(part, values) for key, part in value.items()}


def resources(name: str) -> dict[str, Any]:
    template: Any = load_yaml((INFRA / name).read_text(encoding="utf-8"), name)
    return dict(template["Resources"])


def policies() -> list[Any]:
    """Return every policy document of the templates, with the name of its resource."""
    cases: list[Any] = []
    for path in sorted(INFRA.glob("*.yaml")):
        if path.name == "stacks.yaml":
            continue
        for name, resource in resources(path.name).items():
            properties = resource.get("Properties", {})
            documents = [
                resolved(policy)["PolicyDocument"] for policy in properties.get("Policies", ())
            ]
            if resource["Type"] == "AWS::IAM::ManagedPolicy":
                documents.append(resolved(properties["PolicyDocument"]))
            for index, document in enumerate(documents):
                cases.append(pytest.param(name, document, id=f"{path.stem}-{name}-{index}"))
    return cases


def actions_of(statement: dict[str, Any]) -> list[str]:
    """Return the actions of a policy statement, which may be one text."""
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else list(actions)


OIDC = resources("github-oidc.yaml")
ROLES = {
    name: resource["Properties"]
    for name, resource in OIDC.items()
    if resource["Type"] == "AWS::IAM::Role"
}


@pytest.mark.parametrize(("name", "document"), policies())
def test_the_iam_linter_reports_only_what_is_intended(name: str, document: Any) -> None:
    """The linter knows actions, their resources and conditions, and ways to escalate privileges.

    Actions that are newer than the linter stand in the reference that cfn-lint ships.
    """
    findings = [
        parliament.enhance_finding(finding)
        for finding in parliament.analyze_policy_string(json.dumps(document)).findings
    ]
    unintended = [finding for finding in findings if (name, finding.issue) not in INTENDED]
    assert [
        f"{finding.issue}: {finding.detail}" for finding in unintended if not is_newer(finding)
    ] == []


def is_newer(finding: Any) -> bool:
    """Tell whether a finding is about an action that the linter alone does not know."""
    unknown, _, action = str(finding.detail).rpartition(" ")
    return unknown == "Unknown action" and SCHEMAS.is_action(action)


def test_the_iam_linter_reports_a_problem() -> None:
    """It reports a misspelled action and a wrong resource, so an empty list is meaningful."""
    statement = {
        "Effect": "Allow",
        "Action": ["s3:PutObjekt", "ssm:PutParameter"],
        "Resource": "arn:aws:s3:::x",
    }
    findings = parliament.analyze_policy_string(
        json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ).findings
    assert findings


@pytest.mark.parametrize("name", [name for name in OIDC if "Properties" in OIDC[name]])
def test_each_policy_is_small_enough(name: str) -> None:
    """With the longest names too, without white space.

    A managed policy has at most 6,144 characters, and a role at most 10,240 in its own policies.
    Source: IAM User Guide, quotas.
    """
    properties = OIDC[name]["Properties"]
    managed = resolved(properties.get("PolicyDocument", {}), LONGEST)
    own = [policy["PolicyDocument"] for policy in resolved(properties.get("Policies", []), LONGEST)]

    def size(value: Any) -> int:
        return len(re.sub(r"\s", "", json.dumps(value)))

    assert size(managed) <= 6_144
    assert sum(size(policy) for policy in own) <= 10_240


@pytest.mark.parametrize("role", ["PlanRole", "DeployRole", "DrillRole", "FailoverRole"])
def test_a_role_trusts_exact_claims(role: str) -> None:
    """StringEquals compares audience and subject, without wildcards, for one provider."""
    [statement] = ROLES[role]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert set(statement["Principal"]) == {"Federated"}
    assert set(statement["Condition"]) == {"StringEquals"}
    claims = resolved(statement["Condition"]["StringEquals"])
    assert set(claims) == {
        f"token.actions.githubusercontent.com:{claim}" for claim in ("aud", "sub")
    }
    assert "*" not in json.dumps(claims)


def test_no_policy_allows_a_whole_service_or_passes_any_role() -> None:
    """No action has a wildcard, and iam:PassRole always names the service.

    Only the role of CloudFormation changes IAM. It may create the role that is linked to API
    Gateway. The plan role reads roles.
    """
    for case in policies():
        name, document = case.values
        for statement in document["Statement"]:
            actions = actions_of(statement)
            assert not any("*" in action for action in actions), name
            if "iam:PassRole" in actions:
                assert set(statement["Condition"]["StringEquals"]) == {"iam:PassedToService"}, name
                assert actions == ["iam:PassRole"]
                assert statement["Resource"] != "*"
            elif actions == ["iam:CreateServiceLinkedRole"]:
                assert set(statement["Condition"]["StringEquals"]) == {"iam:AWSServiceName"}, name
                assert "role/aws-service-role/" in statement["Resource"]
            elif any(action.startswith("iam:") for action in actions):
                assert name in {"FunctionPolicy", "ReadPolicy"}


def test_every_resource_is_narrowed_where_aws_allows_it() -> None:
    """`*` is used only where an action takes nothing narrower or a condition narrows it."""
    star = {
        "ListStacks",
        "FollowDriftDetection",
        "FindHostedZone",
        "FindCertificatesAndHostedZone",
        "FindLogs",
        "FindZones",
        "ReadWhatTakesNoResource",
        "ReadAlarms",  # composite alarms too
    }
    star |= {"MakeZoneAndHealthCheck", "MakeCertificate"}  # a new resource has no ARN yet
    conditioned = {"MakeNetwork", "ChangeNetwork", "AttachToVpc", "MoveSwitch"}
    bare: set[str] = set()
    for case in policies():
        for statement in case.values[1]["Statement"]:
            if statement["Resource"] == "*" and "Sid" in statement:
                bare.add(statement["Sid"])
                assert ("Condition" in statement) == (statement["Sid"] in conditioned)
    assert bare == star | conditioned


def test_composite_alarms_are_seen() -> None:
    """With a resource narrower than * CloudWatch hides them (API reference of DescribeAlarms)."""
    found = [
        statement["Resource"]
        for case in policies()
        for statement in case.values[1]["Statement"]
        if "cloudwatch:DescribeAlarms" in actions_of(statement)
    ]
    assert found == ["*"] * 3


def test_the_roles_have_a_path_that_no_pattern_of_the_stage_matches() -> None:
    """The service role can change only roles without a path."""
    assert {role["Path"] for role in ROLES.values()} == {"/deploytool/"}
    patterns = [
        text for text in json.dumps(resolved(OIDC["FunctionPolicy"])).split('"') if ":role/" in text
    ]
    assert set(patterns) == {"arn:aws:iam::123456789012:role/hello-dev-*"}


def test_a_role_can_be_created_only_with_the_boundary() -> None:
    """Each action that gives a role permissions requires the boundary."""
    statements = {
        statement["Sid"]: statement
        for statement in OIDC["FunctionPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    }
    bounded = statements["MakeBoundedRoles"]
    assert bounded["Condition"] == {
        "StringEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}
    }
    powerful = {
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "iam:DeleteRolePermissionsBoundary",
    }
    powerful |= {
        "iam:CreatePolicyVersion",
        "iam:SetDefaultPolicyVersion",
        "iam:CreatePolicy",
        "iam:DeletePolicy",
    }
    for sid, statement in statements.items():
        if sid != "MakeBoundedRoles":
            assert not powerful.intersection(statement["Action"]), sid


@pytest.mark.parametrize("template", ["lambda.yaml", "drill-guard.yaml", "switch.yaml"])
def test_the_boundary_allows_the_actions_of_the_templates_roles(template: str) -> None:
    """The boundary has each action of their policies, so it removes nothing that they need."""
    [boundary] = [case.values[1] for case in policies() if case.values[0] == "Boundary"]
    allowed: set[str] = set()
    for statement in boundary["Statement"]:
        allowed.update(actions_of(statement))
    roles = [
        resource["Properties"]
        for resource in resources(template).values()
        if resource["Type"] == "AWS::IAM::Role"
    ]
    assert all(role["PermissionsBoundary"]["Fn::If"][0] == "HasBoundary" for role in roles)
    for role in roles:
        for policy in resolved(role["Policies"]):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert allowed.issuperset(actions_of(statement))


def test_every_resource_type_of_a_stage_is_known_to_the_enforcing_cloud() -> None:
    """The local cloud can check the permissions for each resource type of a stage's templates."""
    kinds = {
        resource["Type"]
        for path in INFRA.glob("*.yaml")
        if path.name not in ("stacks.yaml", "github-oidc.yaml")
        for resource in resources(path.name).values()
    }
    names = (
        "RestApiId",
        "ApiId",
        "ParentId",
        "ResourceId",
        "HttpMethod",
        "StageName",
        "DomainName",
        "FunctionName",
        "LogGroupName",
        "Bucket",
        "Name",
        "HostedZoneId",
        "Role",
        "AssumeRolePolicyDocument",
        "AlarmName",
    )
    properties = {**dict.fromkeys(names, "x"), "Code": {}}

    def is_known(kind: str) -> bool:
        creation = ResourceOperation(
            "create", kind, "x", "hello-dev-x", "123456789012", "us-east-1", properties
        )
        return checks_of(creation) is not None

    assert [kind for kind in kinds if not is_known(kind)] == []
