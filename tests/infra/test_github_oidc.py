"""The bootstrap's template and every IAM policy of the templates: linted, small enough, and closed
where power could grow.
"""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from deploytool.core.project.template import load_yaml
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
}
# What the linter says and is meant so, each with its reason.
MEANT = {
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
    ): "ids are EC2's; what is made is bound to the regions, what is changed to the stack's tag",
    (
        "Boundary",
        "RESOURCE_STAR",
    ): "as lambda.yaml, whose interfaces are made by Lambda, in subnets with ids of EC2's",
    ("Role", "RESOURCE_STAR"): "lambda.yaml says why, beside it",
    (
        "Role",
        "UNKNOWN_CONDITION_FOR_ACTION",
    ): "Lambda adds lambda:SourceFunctionArn to every call of a function's code",
}


def resolved(value: Any) -> Any:
    """A value with its functions replaced by an example of what they give."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda name: VALUES[name[1]], text)
        case {"Ref": name} | {"Fn::GetAtt": name}:
            return VALUES[name if isinstance(name, str) else ".".join(name)]
        case {"Fn::If": [_, then, _]}:
            return resolved(then)
    return {key: resolved(each) for key, each in value.items()}


def resources(name: str) -> dict[str, Any]:
    template: Any = load_yaml((INFRA / name).read_text(encoding="utf-8"), name)
    return dict(template["Resources"])


def policies() -> list[Any]:
    """Every policy that IAM takes, with the template and the resource that it stands in."""
    found = []
    for path in sorted(INFRA.glob("*.yaml")):
        if path.name == "stacks.yaml":
            continue
        for name, each in resources(path.name).items():
            properties = each.get("Properties", {})
            inline = [
                resolved(policy)["PolicyDocument"] for policy in properties.get("Policies", ())
            ]
            managed = (
                [resolved(properties["PolicyDocument"])]
                if each["Type"] == "AWS::IAM::ManagedPolicy"
                else []
            )
            found += [
                pytest.param(name, document, id=f"{path.stem}-{name}-{at}")
                for at, document in enumerate(inline + managed)
            ]
    return found


OIDC = resources("github-oidc.yaml")
ROLES = {
    name: each["Properties"] for name, each in OIDC.items() if each["Type"] == "AWS::IAM::Role"
}


@pytest.mark.parametrize(("name", "document"), policies())
def test_the_iam_linter_finds_nothing_that_is_not_meant(name: str, document: Any) -> None:
    """Unknown actions, resources that do not fit the action, conditions that it does not know,
    known ways to more power.
    """
    said = [
        parliament.enhance_finding(each)
        for each in parliament.analyze_policy_string(json.dumps(document)).findings
    ]
    assert [
        f"{each.issue}: {each.detail}" for each in said if (name, each.issue) not in MEANT
    ] == []


def test_the_linter_is_asked_in_earnest() -> None:
    """A misspelt action and a resource that does not fit are found, so that an empty list means
    something.
    """
    statement = {
        "Effect": "Allow",
        "Action": ["s3:PutObjekt", "ssm:PutParameter"],
        "Resource": "arn:aws:s3:::x",
    }
    found = parliament.analyze_policy_string(
        json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ).findings
    assert found


@pytest.mark.parametrize(("name", "document"), policies())
def test_each_policy_is_small_enough(name: str, document: Any) -> None:
    """A managed policy has 6,144 characters at most, white space not counted (IAM User Guide,
    quotas).
    """
    assert len(re.sub(r"\s", "", json.dumps(document))) <= 6144


@pytest.mark.parametrize("role", ["PlanRole", "DeployRole", "DrillRole"])
def test_a_role_trusts_exact_claims(role: str) -> None:
    """StringEquals on audience and subject, one provider, no wildcard, nothing else."""
    [statement] = ROLES[role]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert set(statement["Principal"]) == {"Federated"}
    assert set(statement["Condition"]) == {"StringEquals"}
    claims = resolved(statement["Condition"]["StringEquals"])
    assert set(claims) == {
        f"token.actions.githubusercontent.com:{claim}" for claim in ("aud", "sub")
    }
    assert "*" not in json.dumps(claims)


def test_no_policy_allows_a_service_whole_or_gives_away_a_role() -> None:
    """No action with a wildcard; iam:PassRole always says to which service; only CloudFormation's
    role changes IAM.
    """
    for case in policies():
        name, document = case.values
        for statement in document["Statement"]:
            actions = (
                [statement["Action"]]
                if isinstance(statement["Action"], str)
                else statement["Action"]
            )
            assert not any("*" in action for action in actions), name
            if "iam:PassRole" in actions:
                assert set(statement["Condition"]["StringEquals"]) == {"iam:PassedToService"}, name
                assert actions == ["iam:PassRole"]
                assert statement["Resource"] != "*"
            elif any(action.startswith("iam:") for action in actions):
                assert name == "FunctionPolicy"


def test_every_resource_is_narrowed_where_aws_allows_it() -> None:
    """`*` stands alone only where an action takes nothing narrower, or where a condition narrows
    it.
    """
    star = {
        "ListStacks",
        "FollowDriftDetection",
        "FindHostedZone",
        "FindCertificatesAndHostedZone",
        "FindLogs",
    }
    star |= {"MakeZoneAndHealthCheck", "MakeCertificate"}  # what is made has no ARN yet
    conditioned = {"MakeNetwork", "ChangeNetwork", "AttachToVpc"}
    bare: set[str] = set()
    for case in policies():
        for statement in case.values[1]["Statement"]:
            if statement["Resource"] == "*" and "Sid" in statement:
                bare.add(statement["Sid"])
                assert ("Condition" in statement) == (statement["Sid"] in conditioned)
    assert bare == star | conditioned


def test_the_roles_have_a_path_that_no_pattern_of_the_stage_matches() -> None:
    """What the service role may change are roles without a path, so none of these."""
    assert {each["Path"] for each in ROLES.values()} == {"/deploytool/"}
    patterns = [
        each for each in json.dumps(resolved(OIDC["FunctionPolicy"])).split('"') if ":role/" in each
    ]
    assert set(patterns) == {"arn:aws:iam::123456789012:role/hello-dev-*"}


def test_a_role_that_can_be_made_has_the_boundary() -> None:
    """Whatever gives a role power asks for it."""
    statements = {
        each["Sid"]: each
        for each in OIDC["FunctionPolicy"]["Properties"]["PolicyDocument"]["Statement"]
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


@pytest.mark.parametrize("template", ["lambda.yaml", "drill-guard.yaml"])
def test_the_boundary_allows_what_the_roles_of_the_templates_do(template: str) -> None:
    """Each action of their own policies is in it, so that it never takes away what a stage
    needs.
    """
    [boundary] = [case.values[1] for case in policies() if case.values[0] == "Boundary"]
    allowed = {
        action
        for each in boundary["Statement"]
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    }
    roles = [
        each["Properties"]
        for each in resources(template).values()
        if each["Type"] == "AWS::IAM::Role"
    ]
    assert all(role["PermissionsBoundary"]["Fn::If"][0] == "HasBoundary" for role in roles)
    for role in roles:
        for policy in resolved(role["Policies"]):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert allowed.issuperset(
                    [statement["Action"]]
                    if isinstance(statement["Action"], str)
                    else statement["Action"]
                )


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
    )
    properties = {**dict.fromkeys(names, "x"), "Code": {}}

    def is_known(kind: str) -> bool:
        creation = ResourceOperation(
            "create", kind, "x", "hello-dev-x", "123456789012", "us-east-1", properties
        )
        return checks_of(creation) is not None

    assert [kind for kind in kinds if not is_known(kind)] == []
