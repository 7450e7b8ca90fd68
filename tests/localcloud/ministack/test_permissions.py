"""What the patches add to MiniStack's IAM: providers, boundaries and AWS's checks."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import cbor2
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.ministack.patches.condition_keys import metric_namespace, record_keys
from deploytool.localcloud.ministack.patches.generated_names import generated_name
from deploytool.localcloud.ministack.patches.permissions import Check, further_checks, resource_of
from deploytool.localcloud.ministack.patches.resource_actions import checks_of
from deploytool.localcloud.ministack.patches.resource_operation import ResourceOperation
from deploytool.localcloud.settings import ACCESS_KEY, SECRET_KEY, Settings
from deploytool.localcloud.state import State

REGION = "us-east-1"
ACCOUNT = "000000000000"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
SERVICE_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudformation.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def client(state: State, service: str, credentials: Any = None) -> Any:
    known = credentials or {
        "AccessKeyId": ACCESS_KEY,
        "SecretAccessKey": SECRET_KEY,
        "SessionToken": None,
    }
    make: Any = boto3.client
    return make(
        service,
        REGION,
        endpoint_url=state.endpoint_url,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
        aws_access_key_id=known["AccessKeyId"],
        aws_secret_access_key=known["SecretAccessKey"],
        aws_session_token=known["SessionToken"],
    )


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A cloud that enforces IAM."""
    with lifecycle.private(
        Settings(tmp_path_factory.mktemp("enforcing"), enforce_iam=True)
    ) as state:
        yield state


def become(state: State, name: str, *statements: dict[str, Any]) -> Any:
    """Create a role with these statements and return its credentials."""
    iam = client(state, "iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Resource": "*", **each} for each in statements],
    }
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(document))
    return client(state, "sts").assume_role(RoleArn=arn, RoleSessionName="a-test")["Credentials"]


def create_stack(
    state: State, name: str, resources: dict[str, Any], credentials: Any = None, **more: str
) -> tuple[str, str]:
    """Return the final status of a stack, and every reason in its events."""
    cloudformation = client(state, "cloudformation", credentials)
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps({"Resources": resources}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        **more,
    )
    looks = client(state, "cloudformation")
    while (found := looks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]).endswith(
        "_IN_PROGRESS"
    ):
        pass  # each look is a request, which gives the cloud its turn; the timeout is pytest's
    events = looks.describe_stack_events(StackName=name)["StackEvents"]
    return found, " ".join(str(each.get("ResourceStatusReason", "")) for each in events)


def test_an_oidc_provider_is_a_resource(aws: Any) -> None:
    """A provider has its template's settings, survives an update and is deleted with its stack.

    Its Ref is the ARN.
    """
    provider: dict[str, Any] = {
        "Url": "https://token.example.com",
        "ClientIdList": ["sts.amazonaws.com"],
    }
    template = {
        "Resources": {"Provider": {"Type": "AWS::IAM::OIDCProvider", "Properties": provider}},
        "Outputs": {
            "Ref": {"Value": {"Ref": "Provider"}},
            "Arn": {"Value": {"Fn::GetAtt": ["Provider", "Arn"]}},
        },
    }
    outputs = aws.create_stack("provider", template)
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.example.com"
    assert outputs == {"Ref": arn, "Arn": arn}
    found = aws.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (found["Url"], found["ClientIDList"]) == (
        "https://token.example.com",
        ["sts.amazonaws.com"],
    )
    provider["ClientIdList"] = ["sts.amazonaws.com", "another"]
    assert aws.update_stack("provider", template) == outputs
    found = aws.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert found["ClientIDList"] == ["sts.amazonaws.com", "another"]
    assert aws.delete_stack("provider") == "DELETE_COMPLETE"
    assert aws.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_a_second_provider_of_the_same_url_is_refused(enforcing: State) -> None:
    """An account has at most one provider for a URL."""
    resource = {
        "Type": "AWS::IAM::OIDCProvider",
        "Properties": {"Url": "https://twice.example.com"},
    }
    assert create_stack(enforcing, "first", {"Provider": resource})[0] == "CREATE_COMPLETE"
    status, reasons = create_stack(enforcing, "second", {"Provider": resource})
    assert (status, "already" in reasons) == ("ROLLBACK_COMPLETE", True)


def test_a_role_keeps_its_permissions_boundary(enforcing: State) -> None:
    """A role of a stack is limited by its boundary, whatever its policy allows."""
    allowed = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}],
    }
    policy = {
        "PolicyName": "all",
        "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    }
    properties = {"RoleName": "bounded", "AssumeRolePolicyDocument": TRUST, "Policies": [policy]}
    boundary = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": allowed}}
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {**properties, "PermissionsBoundary": {"Ref": "Boundary"}},
    }
    assert (
        create_stack(enforcing, "bounded", {"Boundary": boundary, "Role": role})[0]
        == "CREATE_COMPLETE"
    )
    arn = f"arn:aws:iam::{ACCOUNT}:role/bounded"
    credentials = client(enforcing, "sts").assume_role(RoleArn=arn, RoleSessionName="a-test")[
        "Credentials"
    ]
    ssm = client(enforcing, "ssm", credentials)
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="none")
    with pytest.raises(ClientError, match="ssm:PutParameter"):
        ssm.put_parameter(Name="none", Value="x", Type="String")


def test_a_role_is_passed_only_with_permission(enforcing: State) -> None:
    """CreateStack with a role needs iam:PassRole to CloudFormation, which the refusal names."""
    stacks = {"Action": ["cloudformation:*"]}
    role = client(enforcing, "iam").create_role(
        RoleName="passed", AssumeRolePolicyDocument=json.dumps(SERVICE_TRUST)
    )["Role"]["Arn"]
    to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    credentials = become(
        enforcing, "passing-wrongly", stacks, {"Action": "iam:PassRole", "Condition": to_lambda}
    )
    with pytest.raises(ClientError, match="iam:PassRole"):
        create_stack(
            enforcing,
            "passed",
            {"Zone": {"Type": "AWS::Route53::HostedZone"}},
            credentials,
            RoleARN=role,
        )


def test_cloudformation_acts_with_the_role_that_it_was_given(enforcing: State) -> None:
    """A stack has its role's permissions only, also in a deletion that names no role."""
    iam = client(enforcing, "iam")
    role = iam.create_role(RoleName="acting", AssumeRolePolicyDocument=json.dumps(SERVICE_TRUST))[
        "Role"
    ]["Arn"]
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/acting"}}
    status, reasons = create_stack(enforcing, "acting-1", {"Group": group}, RoleARN=role)
    assert (
        status,
        f"User: {role} is not authorized to perform: logs:CreateLogGroup" in reasons,
    ) == ("ROLLBACK_COMPLETE", True)
    actions = ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]
    document = {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": actions,
                "Resource": f"arn:aws:logs:*:{ACCOUNT}:log-group:/acting",
            }
        ]
    }
    iam.put_role_policy(RoleName="acting", PolicyName="logs", PolicyDocument=json.dumps(document))
    assert (
        create_stack(enforcing, "acting-2", {"Group": group}, RoleARN=role)[0] == "CREATE_COMPLETE"
    )
    cloudformation = client(enforcing, "cloudformation")
    cloudformation.delete_stack(StackName="acting-2")
    while (
        found := cloudformation.describe_stacks(StackName="acting-2")["Stacks"][0]["StackStatus"]
    ).endswith("_IN_PROGRESS"):
        pass  # as above
    assert found == "DELETE_FAILED"


def test_a_type_whose_needs_are_not_known_is_refused(enforcing: State) -> None:
    """With a role that is not the root user's, a stack of an unknown type fails with the reason."""
    credentials = become(enforcing, "unknowing", {"Action": "*"})
    status, reasons = create_stack(
        enforcing, "unknown", {"Topic": {"Type": "AWS::SNS::Topic"}}, credentials
    )
    assert (status, "does not know what AWS::SNS::Topic needs" in reasons) == (
        "ROLLBACK_COMPLETE",
        True,
    )


def service_role(state: State, name: str, *statements: dict[str, Any]) -> str:
    """Create a role of CloudFormation with these statements and return its ARN."""
    iam = client(state, "iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(SERVICE_TRUST))
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Resource": "*", **each} for each in statements],
    }
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(document))
    return str(arn["Role"]["Arn"])


def test_the_first_domain_name_of_an_account_needs_a_service_linked_role(
    enforcing: State,
) -> None:
    """API Gateway creates its role with the caller's permission; a later name needs none.

    Sources: API Gateway Developer Guide, "Using service-linked roles for API Gateway";
    amplify-education/serverless-domain-manager issue 112 (the message). Each name of this test is
    refused in the end, as it has no certificate.
    """
    api = {"Action": ["apigateway:POST", "apigateway:DELETE"]}
    linked = {
        "Action": "iam:CreateServiceLinkedRole",
        "Condition": {"StringEquals": {"iam:AWSServiceName": "ops.apigateway.amazonaws.com"}},
    }

    def domain(name: str) -> dict[str, Any]:
        properties = {"DomainName": name, "EndpointConfiguration": {"Types": ["REGIONAL"]}}
        return {"Domain": {"Type": "AWS::ApiGateway::DomainName", "Properties": properties}}

    without = service_role(enforcing, "without-linked-role", api)
    status, reasons = create_stack(
        enforcing, "domain-1", domain("a.linked.example.com"), RoleARN=without
    )
    assert status == "ROLLBACK_COMPLETE"
    assert "Caller does not have permissions to create a Service Linked Role" in reasons

    allowed = service_role(enforcing, "with-linked-role", api, linked)
    _, reasons = create_stack(
        enforcing, "domain-2", domain("b.linked.example.com"), RoleARN=allowed
    )
    assert "Service Linked Role" not in reasons
    assert "certificate" in reasons
    found = client(enforcing, "iam").get_role(RoleName="AWSServiceRoleForAPIGateway")["Role"]
    assert found["Path"] == "/aws-service-role/ops.apigateway.amazonaws.com/"

    _, reasons = create_stack(
        enforcing, "domain-3", domain("c.linked.example.com"), RoleARN=without
    )
    assert "Service Linked Role" not in reasons
    assert "certificate" in reasons


@pytest.mark.difference
def test_what_cloudformation_reads_is_not_checked(enforcing: State) -> None:
    """On AWS a log group needs logs:DescribeLogGroups, and logs:TagResource for its tags, too.

    Source: the schema of AWS::Logs::LogGroup, handlers and tagging.
    """
    role = service_role(
        enforcing, "creating-only", {"Action": ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]}
    )
    properties = {"LogGroupName": "/created", "Tags": [{"Key": "a", "Value": "b"}]}
    group = {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": properties}}
    made = create_stack(enforcing, "creating-only", group, RoleARN=role)
    assert made[0] == "CREATE_COMPLETE", made


def test_a_policy_attaches_itself_to_a_role(enforcing: State) -> None:
    """`Roles` of a managed policy names them (template reference, AWS::IAM::ManagedPolicy)."""
    client(enforcing, "iam").create_role(
        RoleName="attached-to", AssumeRolePolicyDocument=json.dumps(SERVICE_TRUST)
    )
    document = {"Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
    properties = {"Roles": ["attached-to"], "PolicyDocument": document}
    policy = {"Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}}
    assert create_stack(enforcing, "attaching", policy)[0] == "CREATE_COMPLETE"
    found = client(enforcing, "iam").list_attached_role_policies(RoleName="attached-to")
    assert len(found["AttachedPolicies"]) == 1


def test_a_generated_name_is_checked_as_short_as_it_is(enforcing: State) -> None:
    """A role's name has 64 characters, for which CloudFormation shortens the stack's name.

    A pattern of the whole name then matches no longer, but one of a path does
    (KensioSoftware/yulin issue 1113).
    """
    stack = f"{'p' * 32}-{'s' * 16}-lambda"
    pattern = f"arn:aws:iam::{ACCOUNT}:role/{'p' * 32}-{'s' * 16}-*"
    role = service_role(
        enforcing,
        "making-roles",
        {"Action": ["iam:CreateRole", "iam:DeleteRole"], "Resource": pattern},
    )
    properties = {"AssumeRolePolicyDocument": TRUST}
    plain = {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}
    status, reasons = create_stack(enforcing, stack, plain, RoleARN=role)
    assert (status, "iam:CreateRole" in reasons) == ("ROLLBACK_COMPLETE", True)

    with_path = {**properties, "Path": {"Fn::Sub": "/${AWS::StackName}/"}}
    placed = {"Role": {"Type": "AWS::IAM::Role", "Properties": with_path}}
    assert create_stack(enforcing, f"{stack}-2", placed, RoleARN=role)[0] == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("kind", "logical_id", "expected"),
    [
        ("AWS::S3::Bucket", "RainlyticsLogsBucket8DF4ABCDE", "chineseboostanalyticsstac"),
        ("AWS::IAM::Role", "RainlyticsSummariesJobFunction", "ChineseboostAnalyticsStac"),
        ("AWS::Logs::LogGroup", "JobLogs", "ChineseboostAnalyticsStack-JobLogs"),
    ],
)
def test_names_are_shortened_as_cloudformation_shortened_them(
    kind: str, logical_id: str, expected: str
) -> None:
    """The names are those of KensioSoftware/yulin issue 1113. Short ones keep both parts."""
    assert generated_name(kind, "ChineseboostAnalyticsStack", logical_id) == expected
    assert generated_name("AWS::IAM::Role", "hello-dev-x", "Role") == "hello-dev-x-Role"


def test_a_change_set_is_checked_on_its_stack(enforcing: State) -> None:
    """A change set that is named by its ARN needs a permission on its own stack."""
    assert create_stack(
        enforcing,
        "changed",
        {"Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "a.example.com"}}},
    )
    made = client(enforcing, "cloudformation").create_change_set(
        StackName="changed",
        ChangeSetName="any",
        TemplateBody='{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}',
    )["Id"]
    elsewhere = {
        "Action": "cloudformation:*",
        "Resource": f"arn:aws:cloudformation:*:{ACCOUNT}:stack/other/*",
    }
    cloudformation = client(enforcing, "cloudformation", become(enforcing, "elsewhere", elsewhere))
    with pytest.raises(ClientError, match="DescribeChangeSet"):
        cloudformation.describe_change_set(ChangeSetName=made)


def test_what_was_asked_is_told(enforcing: State) -> None:
    """The log has the principal, the action, the resource and the result of each check."""
    credentials = become(enforcing, "asking", {"Action": "ssm:GetParameter"})
    with pytest.raises(ClientError):
        client(enforcing, "ssm", credentials).put_parameter(Name="/x", Value="x", Type="String")
    latest = ControlClient(enforcing).access_log()[-1]
    assert latest == {
        "principal": f"arn:aws:sts::{ACCOUNT}:assumed-role/asking/a-test",
        "action": "ssm:PutParameter",
        "resource": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/x",
        "allowed": False,
    }


@pytest.mark.difference
def test_without_enforcement_nothing_is_asked(cloud: State) -> None:
    """The log stays empty, and any access key is accepted."""
    assert client(cloud, "cloudformation").list_stacks()
    assert ControlClient(cloud).access_log() == []


@pytest.mark.parametrize(
    ("service", "path", "query", "body", "wanted"),
    [
        ("scheduler", "/schedules/x", {}, {"GroupName": "g"}, "arn:aws:scheduler:r:a:schedule/g/x"),
        (
            "scheduler",
            "/schedules/x",
            {"groupName": ["g"]},
            {},
            "arn:aws:scheduler:r:a:schedule/g/x",
        ),
        ("scheduler", "/schedules/x", {}, {}, "arn:aws:scheduler:r:a:schedule/default/x"),
        ("route53", "/2013-04-01/healthcheck/h/status", {}, {}, "arn:aws:route53:::healthcheck/h"),
        ("lambda", "/functions/x", {}, {}, "arn:aws:scheduler:r:a:schedule/default/x"),
    ],
)
def test_the_resource_of_a_call(
    service: str, path: str, query: Any, body: Any, wanted: str
) -> None:
    """The ARNs are those of the Service Authorization Reference; the others are MiniStack's."""
    assert (
        resource_of(
            service,
            path,
            query,
            json.dumps(body).encode(),
            "arn:aws:scheduler:r:a:schedule/default/x",
        )
        == wanted
    )


def test_what_a_call_needs_beside_its_action() -> None:
    """A role that is passed on needs iam:PassRole, and listing all stacks two permissions."""
    passed = Check("iam:PassRole", "arn:x", {"iam:PassedToService": "scheduler.amazonaws.com"})
    body = json.dumps({"Target": {"RoleArn": "arn:x"}}).encode()
    assert further_checks("scheduler", "scheduler:CreateSchedule", {}, body) == (passed,)
    assert (
        further_checks("lambda", "lambda:CreateFunction", {}, b'{"Role": "arn:x"}')[0].action
        == "iam:PassRole"
    )
    assert further_checks("cloudformation", "cloudformation:DescribeStacks", {}, b"") == (
        Check("cloudformation:ListStacks", "*"),
    )
    assert (
        further_checks("cloudformation", "cloudformation:DescribeStacks", {"StackName": ["x"]}, b"")
        == ()
    )
    assert further_checks("ssm", "ssm:PutParameter", {}, b"no JSON") == ()


def test_a_namespace_limits_who_puts_metrics(enforcing: State) -> None:
    """`cloudwatch:namespace` is the condition key of PutMetricData (Service Authorization Reference)."""
    ours = {"StringEquals": {"cloudwatch:namespace": "deploytool"}}
    credentials = become(
        enforcing, "putting", {"Action": "cloudwatch:PutMetricData", "Condition": ours}
    )
    cloudwatch = client(enforcing, "cloudwatch", credentials)
    datum = {"MetricName": "FailoverSwitch", "Value": 1.0}
    cloudwatch.put_metric_data(Namespace="deploytool", MetricData=[datum])
    with pytest.raises(ClientError, match="cloudwatch:PutMetricData"):
        cloudwatch.put_metric_data(Namespace="another", MetricData=[datum])


def test_alarms_are_the_resource_of_describe_alarms(enforcing: State) -> None:
    """The resource type of DescribeAlarms is an alarm (Service Authorization Reference)."""
    alarms = f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:*"
    reading = {"Action": "cloudwatch:DescribeAlarms", "Resource": alarms}
    cloudwatch = client(enforcing, "cloudwatch", become(enforcing, "reading-alarms", reading))
    assert cloudwatch.describe_alarms(AlarmNames=["none"])["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/cbor", cbor2.dumps({"Namespace": "deploytool"})),
        ("application/x-amz-json-1.0", b'{"Namespace": "deploytool"}'),
        ("application/x-www-form-urlencoded", b"Action=PutMetricData&Namespace=deploytool"),
    ],
)
def test_the_namespace_of_a_metric(content_type: str, body: bytes) -> None:
    """It is read in every protocol of CloudWatch; what cannot be read has none."""
    headers = {"content-type": content_type}
    assert metric_namespace(headers, body) == "deploytool"
    assert metric_namespace(headers, b"\xff") == ""


def test_the_condition_keys_of_a_change_of_records() -> None:
    """The keys are the actions, the types and the names without the final dot."""
    record = (
        b"<ResourceRecordSet><Name>_X.example.com.</Name><Type>CNAME</Type></ResourceRecordSet>"
    )
    body = b"<Change><Action>DELETE</Action>" + record + b"</Change>"
    prefix = "route53:ChangeResourceRecordSets"
    wanted = {
        "Actions": ["DELETE"],
        "RecordTypes": ["CNAME"],
        "NormalizedRecordNames": ["_x.example.com"],
    }
    assert record_keys(body) == {f"{prefix}{name}": values for name, values in wanted.items()}


def test_an_update_of_a_role_needs_what_it_changes() -> None:
    """A changed boundary, policy or trust policy needs its own permission."""
    role = {"AssumeRolePolicyDocument": 1, "Policies": [1]}
    bounded = {**role, "PermissionsBoundary": "b"}

    def actions(now: Any, before: Any) -> list[str]:
        update = ResourceOperation(
            "update", "AWS::IAM::Role", "r", "s", ACCOUNT, REGION, now=now, before=before
        )
        return [check.action for check in checks_of(update) or ()]

    assert actions(bounded, role) == ["iam:PutRolePermissionsBoundary"]
    assert actions(role, bounded) == ["iam:DeleteRolePermissionsBoundary"]
    assert actions({**bounded, "Policies": []}, bounded) == ["iam:PutRolePolicy"]
    assert actions({**role, "AssumeRolePolicyDocument": 2}, role) == ["iam:UpdateAssumeRolePolicy"]
