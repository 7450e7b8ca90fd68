"""`lint` says what CloudFormation's role lacks for the stacks of a project, `bootstrap` grants it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from deploytool.cli import main
from deploytool.commands._permissions import findings_of, granting, write_granted
from deploytool.core.permissions.grants import grants_for
from deploytool.files import schemas
from deploytool.files.project import load_project
from deploytool.render.permissions import finding_lines

ROOT = Path(__file__).parents[2]
# A DynamoDB global table, with a replica in each region of the project.
TABLE = """
Resources:
  Orders:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: order, AttributeType: S}]
      KeySchema: [{AttributeName: order, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
      Replicas: [{Region: us-east-1}, {Region: us-west-2}]
"""
WEB_ACL = """
Resources:
  Firewall:
    Type: AWS::WAFv2::WebACL
    Properties:
      Scope: REGIONAL
      DefaultAction: {Allow: {}}
      VisibilityConfig: {SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: x}
"""
SERVERLESS = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Boundary: {Type: String, Default: ""}
Resources:
  Orders:
    Type: AWS::Serverless::SimpleTable
  Take:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: take.handler
      CodeUri: {Bucket: some-bucket, Key: take.zip}
      Events:
        Get: {Type: Api, Properties: {Path: /orders, Method: get}}
"""
LOGS = """
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub "/ecs/${AWS::StackName}", RetentionInDays: 7}
"""
ROLE = """
Parameters:
  Boundary: {Type: String, Default: ""}
Resources:
  Worker:
    Type: AWS::IAM::Role
    Properties:
      Path: !Sub /${AWS::StackName}/
      %s
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: orders
          PolicyDocument:
            Statement: [{Effect: Allow, Action: dynamodb:PutItem, Resource: "*"}]
"""
Make = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Make:
    """Return a function that makes a project of the shipped roles and of one stack of its own."""

    def make(template: str, **files: str) -> Path:
        infra = tmp_path / "infra"
        infra.mkdir()
        shutil.copy(ROOT / "infra/github-oidc.yaml", infra)
        (tmp_path / "deploytool.toml").write_text(
            'project = "hello"\ndomain = "example.com"\nregions = ["us-east-1", "us-west-2"]\n'
            "[stages.dev]\n[stages.prod]\n"
        )
        (infra / "stacks.yaml").write_text(
            "stacks:\n  own: {template: own.yaml, scope: regional}\nservice: {}\n"
        )
        (infra / "own.yaml").write_text(template)
        for name, text in files.items():
            (infra / f"{name}.yaml").write_text(text)
        return tmp_path / "deploytool.toml"

    return make


def problems(config: Path) -> str:
    """Return what `lint` says about the roles, without running cfn-lint."""
    project = load_project(config)
    findings = findings_of(project, project.own_permissions())
    return "\n".join(finding_lines(findings, grants_for(findings.lacking)))


def test_lint_fails_where_a_role_lacks_something(
    project: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document lists every permission that is missing; the exit code is 1."""
    assert main(["lint", "--output", "json", "--config", str(project(WEB_ACL))]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["cfn_lint"] == []
    assert {
        "template": "own.yaml",
        "resource": "Firewall",
        "type": "AWS::WAFv2::WebACL",
        "action": "wafv2:CreateWebACL",
        "service": "",
        "on": "*",
    } in document["permissions"]


@pytest.mark.parametrize(
    ("template", "kind", "action"),
    [
        (TABLE, "AWS::DynamoDB::GlobalTable", "application-autoscaling:DeleteScalingPolicy"),
        (WEB_ACL, "AWS::WAFv2::WebACL", "wafv2:CreateWebACL"),
        (SERVERLESS, "AWS::DynamoDB::Table", "dynamodb:AssociateTableReplica"),
    ],
)
def test_lint_names_the_resource_whose_permissions_are_missing(
    project: Make, template: str, kind: str, action: str
) -> None:
    """The local cloud deploys it with every permission, and AWS refuses it."""
    out = problems(project(template))
    assert f"CloudFormation's role lacks what {kind} needs: {action}" in out
    assert "own.yaml: Resources." in out
    assert "deploytool bootstrap grants them" in out


def test_what_bootstrap_grants_is_enough(project: Make) -> None:
    """After it lint finds nothing, and granting again changes nothing."""
    config = project(TABLE)
    loaded = load_project(config)
    grants = granting(loaded, loaded.own_permissions()).grants
    assert write_granted(loaded, grants)
    assert problems(config) == ""

    again = granting(loaded, loaded.own_permissions()).grants
    assert again == grants
    assert not write_granted(loaded, again)


def test_a_service_linked_role_is_granted_below_its_path_alone(project: Make) -> None:
    """It stands in a statement of its own, so that no other action of IAM is granted with it."""
    loaded = load_project(project(TABLE))
    grants = granting(loaded, loaded.own_permissions()).grants
    [linked] = [
        statement
        for statement in grants.statements
        if "iam:CreateServiceLinkedRole" in statement["Action"]
    ]
    assert linked["Action"] == ["iam:CreateServiceLinkedRole"]
    assert linked["Resource"]["Fn::Sub"].endswith(":role/aws-service-role/*")


def test_a_name_outside_the_stage_is_granted_for_that_name(project: Make) -> None:
    """The role may create log groups, but of functions alone. The grant is for every stage."""
    config = project(LOGS)
    out = problems(config)
    assert "logs:CreateLogGroup" in out
    assert ":log-group:/ecs/hello-dev-own" in out

    loaded = load_project(config)
    grants = granting(loaded, loaded.own_permissions()).grants
    [statement] = grants.statements
    arn = "arn:${AWS::Partition}:logs:*:${AWS::AccountId}:log-group:/ecs/${Project}-${Stage}-own"
    assert statement["Resource"] == [{"Fn::Sub": arn}, {"Fn::Sub": f"{arn}:*"}]
    write_granted(loaded, grants)
    assert problems(config) == ""


def test_a_statement_of_the_user_s_is_kept_and_counts(
    project: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it allows is not granted a second time."""
    own = """
cloudformation:
  - Effect: Allow
    Action: wafv2:*
    Resource: !Sub arn:${AWS::Partition}:wafv2:*:${AWS::AccountId}:regional/*
"""
    config = project(WEB_ACL, permissions=own)
    assert problems(config) == ""
    loaded = load_project(config)
    assert granting(loaded, loaded.own_permissions()).grants.statements == ()
    assert main(["bootstrap", "--show", "--output", "json", "--config", str(config)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["granted"] == []
    assert [statement["Action"] for statement in shown["cloudformation"]] == ["wafv2:*"]
    assert not loaded.granted_path.exists()


def test_show_prints_the_policy_and_calls_nothing(
    project: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    """It needs neither a repository nor credentials, and writes no file."""
    config = project(WEB_ACL)
    assert main(["bootstrap", "--show", "--config", str(config)]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    [statement] = shown["granted"]
    assert statement["Sid"] == "WAFv2WebACL1"
    assert "wafv2:CreateWebACL" in statement["Action"]
    # No name that IAM does not know
    assert "payments:GetConnectedAccount" not in statement["Action"]
    assert not (config.parent / "infra/granted.yaml").exists()


def test_a_role_needs_a_boundary_that_allows_its_actions(project: Make) -> None:
    """Without the property the role is not created; without the actions its function fails."""
    config = project(ROLE % "Description: no boundary")
    assert "has no PermissionsBoundary" in problems(config)

    own = config.parent / "infra/own.yaml"
    own.write_text(ROLE % "PermissionsBoundary: !Ref Boundary")
    out = problems(config)
    assert "its policies allow dynamodb:PutItem, which the permissions boundary does not" in out

    (config.parent / "infra/permissions.yaml").write_text(
        "boundary:\n  - {Effect: Allow, Action: dynamodb:PutItem, Resource: '*'}\n"
    )
    assert problems(config) == ""


def test_other_actions_of_iam_are_left_to_the_user(project: Make) -> None:
    """With them a pipeline could give itself more power."""
    role = (
        ROLE
        % "PermissionsBoundary: !Ref Boundary\n      ManagedPolicyArns: [arn:aws:iam::aws:policy/X]"
    )
    config = project(role.replace("dynamodb:PutItem", "logs:PutLogEvents"))
    out = problems(config)
    assert "iam:AttachRolePolicy" in out
    assert "bootstrap never grants these" in out
    loaded = load_project(config)
    assert granting(loaded, loaded.own_permissions()).grants.statements == ()


UNFINISHED = """
settings: {greeting: {default: none-yet}}
stacks:
  own: {template: own.yaml, scope: regional, parameters: {Word: {setting: greeting}}}
service: {}
"""
WITH_WORD = "Parameters: {Word: {Type: String, AllowedValues: [hello]}}" + WEB_ACL


@pytest.fixture
def unfinished(project: Make) -> Path:
    """Return a project whose stage prod has no value for a setting yet."""
    config = project(WITH_WORD)
    (config.parent / "infra/stacks.yaml").write_text(UNFINISHED)
    config.write_text(
        config.read_text().replace("[stages.dev]", '[stages.dev.settings]\ngreeting = "hello"')
    )
    return config


def test_a_stage_that_is_not_finished_stops_no_other(
    unfinished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its problem is a warning; the stage that is bootstrapped gets what it needs."""
    words = ["bootstrap", "--show", "--stage", "dev", "--output", "json"]
    assert main([*words, "--config", str(unfinished)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert "wafv2:CreateWebACL" in shown["granted"][0]["Action"]
    assert (
        "stage prod was not looked at: infra/stacks.yaml: settings.greeting" in shown["warnings"][0]
    )


def test_the_stage_that_is_bootstrapped_must_be_finished(
    unfinished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its roles would lack what nobody knows yet. Nothing is created."""
    words = ["bootstrap", "--stage", "prod", "--repository", "octo-org/hello"]
    assert main([*words, "--config", str(unfinished)]) == 2
    assert "infra/stacks.yaml: settings.greeting" in capsys.readouterr().err


def test_what_was_granted_is_kept_for_a_stage_that_cannot_be_read(unfinished: Path) -> None:
    """The stage may need it. The new statements have their own ids. Granting again adds none."""
    path = unfinished.parent / "infra/granted.yaml"
    path.write_text(
        "statements:\n  - {Sid: WAFv2WebACL1, Effect: Allow, Action: sqs:CreateQueue, Resource: '*'}\n"
    )
    loaded = load_project(unfinished)
    grants = granting(loaded, loaded.own_permissions(), "dev").grants
    assert [statement["Sid"] for statement in grants.statements] == ["WAFv2WebACL1", "WAFv2WebACL2"]
    assert grants.statements[0]["Action"] == "sqs:CreateQueue"

    assert write_granted(loaded, grants)
    assert granting(loaded, loaded.own_permissions(), "dev").grants == grants


def test_bootstrap_without_cfn_lint_creates_the_roles_with_what_it_has(
    project: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says that nobody looked at the stacks, and how to; what was granted stays."""
    granted = "statements:\n  - {Effect: Allow, Action: sqs:CreateQueue, Resource: '*'}\n"
    config = project(WEB_ACL, granted=granted)
    monkeypatch.setattr(schemas, "find_spec", lambda _: None)
    assert main(["bootstrap", "--show", "--output", "json", "--config", str(config)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [statement["Action"] for statement in shown["granted"]] == ["sqs:CreateQueue"]
    [warning] = shown["warnings"]
    assert "not looked at (cfn-lint is not installed): pip install 'deploytool[lint]'" in warning


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cloudformation: x", "permissions.yaml: cloudformation: must be a list"),
        ("boundary_: []", "did you mean 'boundary'?"),
        ("cloudformation: [{Effect: Allow, Action: a:B}]", "cloudformation[0].Resource"),
        ("cloudformation: [{Effect: allow, Action: a:B, Resource: x}]", "must be Allow or Deny"),
        ("- x", "must have the keys cloudformation and boundary"),
        ("boundary: [x]", "boundary[0]: must be an IAM statement"),
    ],
)
def test_a_wrong_file_of_permissions_is_refused(
    project: Make, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    """The exit code is 2, and the message names the key."""
    config = project(WEB_ACL, permissions=text)
    assert main(["bootstrap", "--show", "--config", str(config)]) == 2
    assert message in capsys.readouterr().err


def test_a_sam_template_that_cannot_be_expanded_is_bad_input(
    project: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message is the translator's, with the file."""
    config = project(SERVERLESS.replace("      Handler: take.handler\n", ""))
    assert main(["lint", "--config", str(config)]) == 2
    assert "own.yaml: Resources: Resource with id [Take] is invalid." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("boundary", "permissions.yaml: boundary: makes the boundary"),
        ("cloudformation", "permissions.yaml: cloudformation: CloudFormation's role would have"),
    ],
)
def test_what_iam_has_no_room_for_is_refused_before_any_call(
    project: Make, capsys: pytest.CaptureFixture[str], key: str, message: str
) -> None:
    """The exit code is 2; on AWS the stack would roll back halfway."""
    actions = [f"dynamodb:SomeLongActionNumber{number}" for number in range(130)]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    # Each is nearly as long as a policy may be.
    count = 6 if key == "cloudformation" else 1
    own = yaml.safe_dump({key: [statement] * count})
    config = project(WEB_ACL, permissions=own)
    words = ["bootstrap", "--stage", "dev", "--repository", "octo-org/hello"]
    assert main([*words, "--config", str(config)]) == 2
    assert message in capsys.readouterr().err
