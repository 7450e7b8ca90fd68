"""Every command under its workflow's role, on a local cloud that enforces IAM."""

import base64
import json
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from deploytool.core.drill.record import SCHEMA_VERSION, DrillRecord
from deploytool.core.project.template import load_yaml
from deploytool.files.project import load_project
from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.settings import ACCESS_KEY, SECRET_KEY
from deploytool.localcloud.state import State
from deploytool.targets.factory import open_target
from deploytool.targets.service import deployed_service, drill_ports
from deploytool.work.drill.faults import make_fault

SPEED = "20"
ISSUER = "https://token.actions.githubusercontent.com"
REPOSITORY = "octo-org@123456/hello@456789"
ENVIRONMENT = f"repo:{REPOSITORY}:environment:dev"
PULL_REQUEST = f"repo:{REPOSITORY}:pull_request"
MAIN = f"repo:{REPOSITORY}:ref:refs/heads/main"
READS = ("Describe", "Detect", "Get", "GET", "List")
# `plan` creates and deletes change sets. A change set changes nothing until ExecuteChangeSet.
PROPOSALS = {"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"}
TEMPLATE: Any = load_yaml(
    (Path(__file__).parents[2] / "infra/github-oidc.yaml").read_text(encoding="utf-8"),
    "github-oidc.yaml",
)


def actions_of(policy: Mapping[str, Any]) -> set[str]:
    """Return every action that a policy names."""
    actions: set[str] = set()
    for statement in policy["Statement"]:
        actions.update(action_list(statement))
    return actions


def action_list(statement: Mapping[str, Any]) -> list[str]:
    """Return the actions of a statement, which may have one as a string."""
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


def without(policy: Mapping[str, Any], action: str) -> dict[str, Any]:
    """Return the policy without one action, and without statements that then have none."""
    statements = []
    for statement in policy["Statement"]:
        actions = [name for name in action_list(statement) if name != action]
        if actions:
            statements.append({**statement, "Action": actions})
    return {**policy, "Statement": statements}


def template_actions(role: str) -> list[str]:
    """Return every action of a role's policy in the template."""
    [policy] = TEMPLATE["Resources"][role]["Properties"]["Policies"]
    return sorted(actions_of(policy["PolicyDocument"]))


# The roles whose policies name each of their calls: name -> actions.
LEAST = {"drill": template_actions("DrillRole"), "failover": template_actions("FailoverRole")}
# Their conditions have keys that the simulation does not give.
CONDITIONED = ("iam:PassRole", "cloudwatch:PutMetricData")
RESTORED = ("throttle", "unmap", "switch")  # the faults that `restore` undoes in these tests


@dataclass(frozen=True)
class Account:
    """A local cloud that enforces IAM, with the project that is deployed to it.

    `variables` are those that `bootstrap` prints; `ended` are the results of `run_workflows`.
    """

    bench: Any
    state: State
    variables: Mapping[str, str]
    ended: dict[str, Any] = field(default_factory=dict)

    def client(
        self, service: str, credentials: Mapping[str, str] | None = None, region: str = "us-east-1"
    ) -> Any:
        """Return a boto3 client with these credentials, by default the root user's."""
        known = credentials or {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }
        named: Any = {
            name.lower(): value for name, value in known.items() if name != "AWS_CFN_ROLE_ARN"
        }
        config = Config(
            retries={"total_max_attempts": 1}, proxies={}, s3={"addressing_style": "path"}
        )
        make: Any = boto3.client
        return make(service, region, endpoint_url=self.state.endpoint_url, config=config, **named)

    def assume(
        self, role: str, subject: str, audience: str = "sts.amazonaws.com", issuer: str = ISSUER
    ) -> dict[str, str]:
        """Return the credentials that a job with such a token gets.

        The local cloud checks the token's claims, not its signature. Raises ClientError.
        """
        claims = {"iss": issuer, "aud": audience, "sub": subject}
        parts = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in ({"alg": "RS256"}, claims)
        ]
        config = Config(signature_version=UNSIGNED, proxies={})
        sts = boto3.client("sts", "us-east-1", endpoint_url=self.state.endpoint_url, config=config)
        credentials: Any = sts.assume_role_with_web_identity(
            RoleArn=self.variables[f"AWS_{role.upper()}_ROLE_ARN"],
            RoleSessionName="a-test",
            WebIdentityToken=".".join([*parts, "eA"]),
        )["Credentials"]
        names = {
            "AWS_ACCESS_KEY_ID": "AccessKeyId",
            "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
            "AWS_SESSION_TOKEN": "SessionToken",
        }
        return {name: str(credentials[key]) for name, key in names.items()}

    def credentials(self, role: str) -> dict[str, str]:
        """Return the environment of a workflow under a role: credentials and variables."""
        subject = PULL_REQUEST if role == "plan" else ENVIRONMENT
        variables = self.assume(role, subject)
        if role == "deploy":
            variables["AWS_CFN_ROLE_ARN"] = self.variables["AWS_CFN_ROLE_ARN"]
        return variables

    def run(self, role: str, *words: str) -> Any:
        """Run a command with the permissions of a role."""
        environment = {**self.bench.env, **self.credentials(role)}
        return replace(self.bench, env=environment).deploytool(*words)

    def allowed_calls(self, role: str) -> set[tuple[str, str]]:
        """Return action and resource of every call that a role made and was allowed."""
        calls = set()
        for access in ControlClient(self.state).access_log():
            # The slash keeps hello-dev-deploy apart from hello-dev-deployment
            is_role = f"/hello-dev-{role}/" in access["principal"] + "/"
            if access["allowed"] and is_role:
                calls.add((access["action"], access["resource"]))
        return calls

    def policy(self, role: str) -> dict[str, Any]:
        """Return the inline policy of a role, as deployed."""
        answer = self.client("iam").get_role_policy(RoleName=f"hello-dev-{role}", PolicyName=role)
        policy: dict[str, Any] = answer["PolicyDocument"]
        return policy

    def allows(self, policy: Mapping[str, Any], action: str, resource: str) -> bool:
        """Tell whether a policy alone allows an action; its conditions get no keys."""
        answer = self.client("iam").simulate_custom_policy(
            PolicyInputList=[json.dumps(policy)], ActionNames=[action], ResourceArns=[resource]
        )
        return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")


@pytest.fixture(scope="module")
def account(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Account]:
    """A stage that the root user bootstrapped, after `run_workflows` under its roles."""
    project = request.getfixturevalue("role_project")
    directory = tmp_path_factory.mktemp("cloud")
    bench = replace(
        project,
        env={
            "DEPLOYTOOL_LOCAL_DIR": str(directory),
            "AWS_ACCESS_KEY_ID": "",
            "AWS_SESSION_TOKEN": "",
        },
    )
    up = bench.run(
        [sys.executable, "-m", "deploytool", "local", "up", "--enforce-iam", "--speed", SPEED]
    )
    assert up.code == 0, up.err
    try:
        made = bench.deploytool("bootstrap", "--repository", REPOSITORY, "--output", "json")
        assert made.code == 0, made.err
        state = lifecycle.load(directory)
        assert state is not None
        account = Account(bench, state, made.json["variables"])
        run_workflows(account)
        yield account
    finally:
        assert bench.run([sys.executable, "-m", "deploytool", "local", "down"]).code == 0


@pytest.fixture(scope="module")
def role_project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A copy of the project whose stage has the boundary; a second stage looks up its zone."""
    make = request.getfixturevalue("make_bench")
    bench = make(tmp_path_factory.mktemp("project"))
    file = bench.folder / "deploytool.toml"
    settings = '[stages.dev.settings]\npermissions_boundary = "deploytool/hello-dev-boundary"\n'
    other = '[stages.found]\ndomain = "found.dev.example.com"\nsettings = {zone = "existing"}\n'
    file.write_text(f"{file.read_text()}\n{settings}{other}")
    assert tomllib.loads(file.read_text())["stages"]["dev"]["settings"]
    return bench


def run_workflows(account: Account) -> None:
    """Run what the workflows run, each command under its role."""
    ended = account.ended
    file = account.bench.folder / "deploytool.toml"
    ended["deploy"] = account.run("deploy", "deploy")
    ended["plan"] = account.run("plan", "plan", "--drift")
    file.write_text(file.read_text().replace('boundary"\n', 'boundary"\nmemory_size = 512\n', 1))
    ended["plan a change"] = account.run("plan", "plan")
    ended["deploy a change"] = account.run("deploy", "deploy", "--output", "json")
    ended["status"] = account.run("plan", "status")
    ended["check"] = account.run("deploy", "check")
    ended["drill"] = account.run("drill", "drill")
    for direction in ("failover", "failback"):
        ended[direction] = account.run(
            "failover", direction, "--reason", "a test", "--output", "json"
        )
    for fault in RESTORED:
        ended[f"restore {fault}"] = restore_fault(account, fault)
    ended["a drill of a stage whose zone is looked up"] = account.run(
        "drill", "drill", "--dry-run", "--stage", "found"
    )


def restore_fault(account: Account, fault: str) -> Any:
    """Inject a fault, as a drill that dies does, and run `restore`, both under the drill role."""
    project = load_project(account.bench.folder / "deploytool.toml")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**account.bench.env, **account.credentials("drill")}.items():
            patch.setenv(name, value)
        with open_target(project, local=True) as target:
            service = deployed_service(project, project.graph("dev"), target)
            ports = drill_ports(target, project, service)
            injected = make_fault(fault, ports, service)
            moment = "2026-01-02T03:04:05Z"
            undo = injected.undo()
            ports.records.write(
                DrillRecord(SCHEMA_VERSION, "drill-x", "hello", "dev", fault, moment, moment, undo)
            )
            injected.inject()
    return account.run("drill", "restore", "--output", "json")


def test_every_command_runs_under_its_role(account: Account) -> None:
    """No command lacks a permission, also `restore` after the faults that a drill can leave."""
    last = account.ended.pop("a drill of a stage whose zone is looked up")
    assert last.code == 1, last.err
    assert "found is not deployed" in last.err

    failed = {name: done.err for name, done in account.ended.items() if done.code}
    assert not failed, "\n".join(failed.values())
    for fault in RESTORED:
        assert account.ended[f"restore {fault}"].json["restored"] is True
    parity = account.ended["deploy a change"].json["parity"]
    assert parity["same"] is True, parity
    assert parity["unknown"] == [], parity


@pytest.mark.parametrize("role", LEAST)
def test_a_role_has_the_actions_of_its_commands_and_no_other(account: Account, role: str) -> None:
    """Drills, `failover` and `failback` used every action that their policy names, and no other."""
    assert {action for action, _ in account.allowed_calls(role)} == set(LEAST[role])
    assert actions_of(account.policy(role)) == set(LEAST[role])


@pytest.mark.parametrize(
    ("role", "action"), [(role, action) for role, actions in LEAST.items() for action in actions]
)
def test_a_role_needs_each_of_its_actions(account: Account, role: str, action: str) -> None:
    """Without one, the calls that were made with it are refused by the rest of the policy."""
    calls = [(name, resource) for name, resource in account.allowed_calls(role) if name == action]
    assert calls
    policy = account.policy(role)
    if action not in CONDITIONED:
        assert all(account.allows(policy, *call) for call in calls)
    assert not any(account.allows(without(policy, action), *call) for call in calls)


def test_the_failover_role_reads_and_writes_only_what_it_needs(account: Account) -> None:
    """`failover` and `failback` used every resource of its policy, in the secondary region alone."""
    parameters = {
        resource
        for action, resource in account.allowed_calls("failover")
        if action.startswith("ssm:")
    }
    named: set[str] = set()
    for statement in account.policy("failover")["Statement"]:
        resources = statement["Resource"]
        named.update([resources] if isinstance(resources, str) else resources)
    assert parameters == named - {"*"}
    assert all(":us-west-2:" in parameter for parameter in parameters)


@pytest.mark.parametrize("action", LEAST["failover"])
def test_a_failover_without_an_action_says_which_is_missing(account: Account, action: str) -> None:
    """The exit code is 3. With the permission traffic can be moved, and is where it was before."""
    iam, policy = account.client("iam"), account.policy("failover")
    name = {"RoleName": "hello-dev-failover", "PolicyName": "failover"}
    iam.put_role_policy(**name, PolicyDocument=json.dumps(without(policy, action)))
    try:
        done = account.run("failover", "failover")
    finally:
        iam.put_role_policy(**name, PolicyDocument=json.dumps(policy))
    assert done.code == 3, done.out + done.err
    assert action in done.err
    back = account.run("failover", "failback")
    assert back.code == 0, back.err


@pytest.mark.parametrize(
    ("service", "region", "call"),
    [
        ("ssm", "us-east-1", lambda ssm: ssm.get_parameter(Name="/deploytool/hello/dev/standby")),
        ("ssm", "us-west-2", lambda ssm: ssm.delete_parameter(Name="/deploytool/hello/dev/switch")),
        ("ssm", "us-west-2", lambda ssm: ssm.get_parameter(Name="/deploytool/hello/prod/switch")),
        ("cloudwatch", "us-west-2", lambda metrics: put_metric(metrics, "other")),
        ("cloudwatch", "us-east-1", lambda metrics: put_metric(metrics, "deploytool")),
        ("route53", "us-east-1", lambda route53: route53.list_health_checks()),
        ("cloudformation", "us-west-2", lambda stacks: stacks.describe_stacks()),
    ],
)  # fmt: skip
def test_the_failover_role_may_do_nothing_else(
    account: Account, service: str, region: str, call: Callable[[Any], object]
) -> None:
    """Another region, another record or stage, another namespace and another service are refused."""
    client = account.client(service, account.credentials("failover"), region)
    with pytest.raises(ClientError) as refused:
        call(client)
    assert refused.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}


def put_metric(client: Any, namespace: str) -> None:
    client.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "x", "Value": 1.0}])


@pytest.mark.parametrize(
    "action",
    ["ssm:PutParameter", "iam:PassRole", "scheduler:CreateSchedule", "route53:UpdateHealthCheck"],
)
def test_a_drill_without_an_action_ends_before_the_fault(account: Account, action: str) -> None:
    """The exit code is 3, the message names the action, `restore` undoes what was recorded."""
    iam, policy = account.client("iam"), account.policy("drill")
    name = {"RoleName": "hello-dev-drill", "PolicyName": "drill"}
    iam.put_role_policy(**name, PolicyDocument=json.dumps(without(policy, action)))
    try:
        done = account.run("drill", "drill")
    finally:
        iam.put_role_policy(**name, PolicyDocument=json.dumps(policy))
    assert done.code == 3, done.out + done.err
    assert action in done.err
    left = account.run("drill", "restore", "--output", "json")
    assert left.code == 0, left.err
    assert left.json["restored"] is (action == "route53:UpdateHealthCheck")


PARAMETER_TEMPLATE = """
Resources:
  X: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x}}
"""
Attempt = Callable[[Callable[..., Any], str], object]
# One call for each changing action of a deployment. It gets a function that makes a client, and the
# resource of the deployment's own call.
ATTEMPTS: Mapping[str, Attempt] = {
    "cloudformation:CreateStack": lambda client, arn: client("cloudformation").create_stack(
        StackName=stack_in(arn),
        TemplateBody=PARAMETER_TEMPLATE,
    ),
    "cloudformation:DeleteStack": lambda client, arn: client("cloudformation").delete_stack(
        StackName=stack_in(arn)
    ),
    "cloudformation:ExecuteChangeSet": lambda client, arn: client(
        "cloudformation"
    ).execute_change_set(StackName=stack_in(arn), ChangeSetName="any"),
    "cloudformation:UpdateTerminationProtection": lambda client, arn: client(
        "cloudformation"
    ).update_termination_protection(StackName=stack_in(arn), EnableTerminationProtection=False),
    "cloudformation:ContinueUpdateRollback": lambda client, arn: client(
        "cloudformation"
    ).continue_update_rollback(StackName=stack_in(arn)),
    "cloudformation:CancelUpdateStack": lambda client, arn: client(
        "cloudformation"
    ).cancel_update_stack(StackName=stack_in(arn)),
    "route53:ChangeResourceRecordSets": lambda client, arn: client(
        "route53"
    ).change_resource_record_sets(
        HostedZoneId=arn.rpartition("/")[2],
        ChangeBatch={
            "Changes": [
                {
                    "Action": "DELETE",
                    "ResourceRecordSet": {"Name": "x.dev.example.com", "Type": "CNAME"},
                }
            ]
        },
    ),
    "s3:PutObject": lambda client, arn: client("s3").put_object(
        Bucket=bucket_in(arn), Key="x", Body=b""
    ),
    "s3:DeleteObject": lambda client, arn: client("s3").delete_object(
        Bucket=bucket_in(arn), Key="x"
    ),
    "s3:DeleteObjectVersion": lambda client, arn: client("s3").delete_object(
        Bucket=bucket_in(arn), Key="x", VersionId="x"
    ),
    "ssm:PutParameter": lambda client, arn: client("ssm").put_parameter(
        Name=parameter_in(arn), Value="x", Type="String"
    ),
    "ssm:DeleteParameter": lambda client, arn: client("ssm").delete_parameter(
        Name=parameter_in(arn)
    ),
}


EXAMPLES = {
    "cloudformation": "arn:aws:cloudformation:us-east-1:000000000000:stack/hello-dev-api/x",
    "route53": "arn:aws:route53:::hostedzone/Z1",
    "ssm": "arn:aws:ssm:us-east-1:000000000000:parameter/deploytool/hello/dev/deploy",
}


def stack_in(arn: str) -> str:
    return arn.rpartition(":stack/")[2].partition("/")[0]


def bucket_in(arn: str) -> str:
    return arn.removeprefix("arn:aws:s3:::").partition("/")[0]


def parameter_in(arn: str) -> str:
    return arn.rpartition(":parameter")[2]


def test_the_plan_role_changes_nothing_that_a_deployment_changes(account: Account) -> None:
    """The plan role is refused each changing call that the deploy role made."""
    changing = {
        (action, resource)
        for action, resource in account.allowed_calls("deploy")
        if not action.partition(":")[2].startswith(READS)
        and action != "iam:PassRole"
        and action not in PROPOSALS
    }
    assert {action for action, _ in changing} >= {
        "cloudformation:CreateStack",
        "cloudformation:ExecuteChangeSet",
        "s3:PutObject",
    }
    credentials = account.credentials("plan")

    def client(service: str) -> Any:
        return account.client(service, credentials)

    allowed = {
        name: ATTEMPTS[name] for name in actions_of(account.policy("deploy")) & ATTEMPTS.keys()
    }
    examples = {**EXAMPLES, "s3": dict(changing)["s3:PutObject"]}
    resources = {name: examples[name.partition(":")[0]] for name in allowed} | dict(changing)
    for action, resource in resources.items():
        with pytest.raises(ClientError) as refused:
            ATTEMPTS[action](client, resource)
        assert refused.value.response["Error"]["Code"] in {
            "AccessDenied",
            "AccessDeniedException",
        }, action


def test_the_plan_role_may_do_nothing_that_cloudformation_does(account: Account) -> None:
    """It is refused every changing call that the service role made for the deployments."""
    policy = account.policy("plan")
    made = {
        call
        for call in account.allowed_calls("cloudformation")
        if not call[0].partition(":")[2].startswith(READS)
    }
    assert len(made) > 30
    assert [call for call in made if account.allows(policy, *call)] == []
    assert [action for action, _ in made if action in actions_of(policy)] == []


def test_the_deploy_role_itself_can_change_nothing_inside_a_stack(account: Account) -> None:
    """It is refused the service role's changing calls, except on records and its own objects.

    Of records it may only delete those of validation: the simulation does not know that condition.
    """
    policy, made = account.policy("deploy"), account.allowed_calls("cloudformation")
    allowed = {action for action, resource in made if account.allows(policy, action, resource)}
    assert allowed <= {"s3:GetObject", "route53:ChangeResourceRecordSets"}


@pytest.mark.parametrize(
    ("kind", "action", "name"),
    [("A", "DELETE", "_x"), ("CNAME", "UPSERT", "_x"), ("CNAME", "DELETE", "www")],
)
def test_the_deploy_role_deletes_validation_records_and_touches_no_other(
    account: Account, kind: str, action: str, name: str
) -> None:
    """It is refused another record type, another change and another name."""
    [zone] = account.client("route53").list_hosted_zones()["HostedZones"]
    record = {
        "Name": f"{name}.dev.example.com",
        "Type": kind,
        "TTL": 60,
        "ResourceRecords": [{"Value": "127.0.0.1"}],
    }
    with pytest.raises(ClientError, match="route53:ChangeResourceRecordSets"):
        account.client("route53", account.credentials("deploy")).change_resource_record_sets(
            HostedZoneId=zone["Id"],
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
        )


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        ("plan", PULL_REQUEST),
        ("plan", MAIN),
        ("deploy", ENVIRONMENT),
        ("drill", ENVIRONMENT),
        ("failover", ENVIRONMENT),
    ],
)
def test_a_token_with_the_right_claims_gets_the_role(
    account: Account, role: str, subject: str
) -> None:
    """Pull requests and the main branch may plan; the environment may do the rest."""
    assert account.assume(role, subject)["AWS_SESSION_TOKEN"]


@pytest.mark.parametrize("role", ["plan", "deploy", "drill", "failover"])
@pytest.mark.parametrize(
    "subject",
    [
        "repo:octo-org/hello:environment:dev",
        "repo:octo-org@123456/hello@1:environment:dev",
        "repo:octo-org@1/hello@456789:pull_request",
        "repo:someone@123456/hello@456789:ref:refs/heads/main",
        "repo:octo-org@123456/hello@456789-fork:pull_request",
        f"repo:{REPOSITORY}:environment:prod",
        f"repo:{REPOSITORY}:environment:development",
        f"repo:{REPOSITORY}:environment:Dev",
        f"repo:{REPOSITORY}:ref:refs/heads/main2",
        f"repo:{REPOSITORY}:ref:refs/heads/feature",
        f"repo:{REPOSITORY}:ref:refs/tags/main",
        f"repo:{REPOSITORY}:pull_request:environment:dev",
        "",
    ],
)
def test_a_token_with_other_claims_gets_no_role(account: Account, role: str, subject: str) -> None:
    """Another repository, owner, environment, branch or tag is refused, also with a longer name."""
    with pytest.raises(
        ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"
    ):
        account.assume(role, subject)


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        ("plan", ENVIRONMENT),
        ("deploy", PULL_REQUEST),
        ("deploy", MAIN),
        ("drill", MAIN),
        ("failover", MAIN),
        ("failover", PULL_REQUEST),
    ],
)
def test_a_token_for_one_role_does_not_get_another(
    account: Account, role: str, subject: str
) -> None:
    """A job outside the environment, which its reviewers protect, may not deploy or drill."""
    with pytest.raises(ClientError, match="Not authorized"):
        account.assume(role, subject)


def test_another_audience_or_issuer_is_refused(account: Account) -> None:
    """So is another role of the same account."""
    with pytest.raises(ClientError, match="Not authorized"):
        account.assume("deploy", ENVIRONMENT, audience="https://github.com/octo-org")
    with pytest.raises(ClientError, match="Not authorized"):
        account.assume("deploy", ENVIRONMENT, issuer="https://token.actions.example.com")
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole"):
        account.client("sts", account.credentials("plan")).assume_role(
            RoleArn=account.variables["AWS_DEPLOY_ROLE_ARN"], RoleSessionName="a-test"
        )


TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
BOUNDARY = "arn:aws:iam::000000000000:policy/deploytool/hello-dev-boundary"
ADMIN = [
    {
        "PolicyName": "all",
        "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    }
]


def wait_for_stack(cloudformation: Any, stack: str) -> str:
    """Poll a stack until its operation has ended, and return its status.

    It does not sleep: each request gives the local cloud its turn. pytest has the timeout.
    """
    while True:
        description = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        status: str = description["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            return status


def role_template(**properties: Any) -> str:
    """Return the template of a stack with one role."""
    given = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [TRUST]},
        "Policies": ADMIN,
        **properties,
    }
    return json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": given}}})


@pytest.mark.parametrize(
    ("name", "template", "refused"),
    [
        ("unbounded", role_template(), "iam:CreateRole"),
        ("other-boundary", role_template(PermissionsBoundary=f"{BOUNDARY}2"), "iam:CreateRole"),
        (
            "other-name",
            role_template(PermissionsBoundary=BOUNDARY, RoleName="prod-admin"),
            "iam:CreateRole",
        ),
        (
            "own",
            role_template(
                PermissionsBoundary=BOUNDARY, RoleName="hello-dev-power", Path="/deploytool/"
            ),
            "iam:CreateRole",
        ),
        ("bounded", role_template(PermissionsBoundary=BOUNDARY), ""),
    ],
)
def test_a_deployment_creates_only_bounded_roles(
    account: Account, name: str, template: str, refused: str
) -> None:
    """An attacker's template cannot create a role without the boundary or with another name."""
    cloudformation = account.client("cloudformation", account.credentials("deploy"))
    stack = f"hello-dev-{name}"
    made = cloudformation.create_stack(
        StackName=stack,
        TemplateBody=template,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        RoleARN=account.variables["AWS_CFN_ROLE_ARN"],
    )["StackId"]
    status = wait_for_stack(cloudformation, made)
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    reasons = " ".join(str(event.get("ResourceStatusReason", "")) for event in events)
    assert (status == "CREATE_COMPLETE") is not bool(refused), (status, reasons)
    assert refused in reasons
    cloudformation.delete_stack(StackName=stack, RoleARN=account.variables["AWS_CFN_ROLE_ARN"])


def test_the_deploy_role_stays_within_its_stage(account: Account) -> None:
    """It may pass no other role, and change neither its own bootstrap stack nor another stage."""
    cloudformation = account.client("cloudformation", account.credentials("deploy"))
    with pytest.raises(ClientError, match="iam:PassRole"):
        cloudformation.create_stack(
            StackName="hello-dev-x",
            TemplateBody=role_template(),
            RoleARN=account.variables["AWS_DRILL_ROLE_ARN"],
        )
    for stack in ("Bootstrap-hello-dev", "hello-prod-api", "other"):
        with pytest.raises(ClientError, match="cloudformation:DeleteStack"):
            cloudformation.delete_stack(StackName=stack)


def test_without_the_service_role_a_deployment_cannot_create_resources(
    account: Account,
) -> None:
    """CloudFormation then has only the permissions of the deploy role."""
    cloudformation = account.client("cloudformation", account.credentials("deploy"))
    cloudformation.create_stack(
        StackName="hello-dev-alone",
        TemplateBody=role_template(PermissionsBoundary=BOUNDARY),
        Capabilities=["CAPABILITY_IAM"],
    )
    assert wait_for_stack(cloudformation, "hello-dev-alone") == "ROLLBACK_COMPLETE"
    cloudformation.delete_stack(StackName="hello-dev-alone")


def test_everything_can_be_undone(account: Account) -> None:
    """After `destroy` and `bootstrap --destroy` no role and no provider is left.

    This test is the last of the module, because it deletes what the others use.
    """
    destroyed = account.run("deploy", "destroy", "--yes")
    assert destroyed.code == 0, destroyed.err
    undone = account.bench.deploytool("bootstrap", "--destroy", "--yes")
    assert undone.code == 0, undone.err
    iam = account.client("iam")
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    names = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    assert [name for name in names if name.startswith("hello-dev")] == []
