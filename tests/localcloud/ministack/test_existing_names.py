"""Names that exist already are refused before anything is made, with boto3 on a running cloud."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}

# A resource of each type by its name, and how it is created outside CloudFormation
RESOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "AWS::Logs::LogGroup": ("LogGroupName", {}),
    "AWS::IAM::Role": ("RoleName", {"AssumeRolePolicyDocument": TRUST}),
    "AWS::S3::Bucket": ("BucketName", {}),
    "AWS::SSM::Parameter": ("Name", {"Type": "String", "Value": "x"}),
    "AWS::Scheduler::ScheduleGroup": ("Name", {}),
    "AWS::DynamoDB::Table": (
        "TableName",
        {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        },
    ),
}


def create_outside(aws: Any, resource_type: str, name: str) -> None:
    """Create a resource with its service's API."""
    match resource_type:
        case "AWS::Logs::LogGroup":
            aws.client("logs").create_log_group(logGroupName=name)
        case "AWS::IAM::Role":
            aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        case "AWS::S3::Bucket":
            aws.client("s3").create_bucket(Bucket=name)
        case "AWS::SSM::Parameter":
            aws.client("ssm").put_parameter(Name=name, Value="x", Type="String")
        case "AWS::Scheduler::ScheduleGroup":
            aws.client("scheduler").create_schedule_group(Name=name)
        case "AWS::DynamoDB::Table":
            _, properties = RESOURCES[resource_type]
            aws.client("dynamodb").create_table(TableName=name, **properties)


def template_of(resource_type: str, name: str) -> dict[str, Any]:
    """Return a template with a topic and the named resource, which depends on it."""
    key, properties = RESOURCES[resource_type]
    named = {
        "Type": resource_type,
        "DependsOn": "First",
        "Properties": {key: {"Ref": "Name"}, **properties},
    }
    return {
        "Parameters": {"Name": {"Type": "String", "Default": name}},
        "Resources": {"First": {"Type": "AWS::SNS::Topic"}, "Named": named},
    }


def ended(aws: Any, stack: str) -> str:
    """Return the status of a stack once nothing is in progress."""
    while (status := aws.status(stack)).endswith("IN_PROGRESS"):
        pass  # each look is a request, which gives the cloud its turn; the timeout is pytest's
    return str(status)


def failures(aws: Any, **request: str) -> Sequence[Mapping[str, Any]]:
    """Return the validation errors that DescribeEvents has."""
    events = aws.client("cloudformation").describe_events(
        Filters={"FailedEvents": True}, **request
    )["OperationEvents"]
    return [event for event in events if event["EventType"] == "VALIDATION_ERROR"]


def resource_events(aws: Any, stack: str) -> list[str]:
    """Return the logical ids of all events of a stack's resources."""
    events = aws.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return [event["LogicalResourceId"] for event in events if event["LogicalResourceId"] != stack]


class TestBeforeAnythingIsMade:
    """CloudFormation validates names before it provisions.

    Sources: CloudFormation User Guide, "Validate stack deployments"; AWS DevOps blog of 2026-06-30
    (CreateStack and UpdateStack too); aws/aws-cdk-cli issue 1000 (the words of the reason).
    """

    @pytest.mark.parametrize("resource_type", RESOURCES)
    def test_a_creation(self, aws: Any, resource_type: str) -> None:
        """A stack with a name that exists makes no resource, and DescribeEvents says why."""
        name = f"taken-{resource_type.rsplit('::', maxsplit=1)[-1].lower()}"
        create_outside(aws, resource_type, name)
        stack = f"create-{name}"
        aws.start_stack(stack, template_of(resource_type, name))

        assert ended(aws, stack) == "ROLLBACK_COMPLETE"
        assert resource_events(aws, stack) == []
        (failure,) = failures(aws, StackName=stack)
        assert failure["ValidationName"] == "NAME_CONFLICT_VALIDATION"
        assert failure["ValidationPath"] == "/Resources/Named"
        assert failure["ValidationStatusReason"] == (
            f"Resource of type '{resource_type}' with identifier '{name}' already exists."
        )

    def test_a_change_set(self, aws: Any) -> None:
        """A change set fails with a general reason; DescribeEvents has the particular one.

        Source: aws/aws-cdk-cli pull request 970.
        """
        aws.create_stack("validated", {"Resources": {"First": {"Type": "AWS::SNS::Topic"}}})
        create_outside(aws, "AWS::Logs::LogGroup", "taken-by-hand")
        cloudformation = aws.client("cloudformation")
        created = cloudformation.create_change_set(
            StackName="validated",
            ChangeSetName="with-a-log-group",
            TemplateBody=json.dumps(template_of("AWS::Logs::LogGroup", "taken-by-hand")),
        )

        found = cloudformation.describe_change_set(ChangeSetName=created["Id"])
        assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
        assert "AWS::EarlyValidation::ResourceExistenceCheck" in found["StatusReason"]
        assert "DescribeEvents" in found["StatusReason"]
        (failure,) = failures(aws, ChangeSetName=created["Id"])
        assert failure["LogicalResourceId"] == "Named"
        assert failure["OperationType"] == "CREATE_CHANGESET"
        assert "'taken-by-hand' already exists" in failure["ValidationStatusReason"]

    def test_what_the_stack_has_is_its_own(self, aws: Any) -> None:
        """An update of a stack keeps its named resources, and its deletion frees the names."""
        template = template_of("AWS::Logs::LogGroup", "own-group")
        aws.create_stack("owner", template)
        template["Resources"]["Named"]["Properties"]["RetentionInDays"] = 7
        aws.update_stack("owner", template)

        aws.delete_stack("owner")
        aws.create_stack("owner", template)

    def test_another_logical_id_is_another_resource(self, aws: Any) -> None:
        """A resource that is renamed in its template is created first, so its name is taken."""
        template = template_of("AWS::Logs::LogGroup", "renamed-group")
        aws.create_stack("renamer", template)
        template["Resources"]["Renamed"] = template["Resources"].pop("Named")
        with pytest.raises(AssertionError):
            aws.update_stack("renamer", template)
        assert aws.status("renamer") == "UPDATE_ROLLBACK_COMPLETE"


class TestDuringTheOperation:
    """A name that is known only later is refused by the handler of its type.

    Source: CloudFormation CLI User Guide, "Resource type handler contract" (AlreadyExists).
    """

    def test_a_name_from_another_resource(self, aws: Any) -> None:
        """The resource fails with AlreadyExists, and the stack is rolled back."""
        create_outside(aws, "AWS::Logs::LogGroup", "known-later")
        template = template_of("AWS::Logs::LogGroup", "")
        source = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String"}}
        source["Properties"]["Value"] = "known-later"
        template["Resources"]["Source"] = source
        name = {"Fn::GetAtt": ["Source", "Value"]}
        template["Resources"]["Named"]["Properties"]["LogGroupName"] = name
        with pytest.raises(AssertionError, match="HandlerErrorCode: AlreadyExists"):
            aws.create_stack("later", template)

    def test_a_topic(self, aws: Any) -> None:
        """So is a name whose identifier AWS makes: early validation does not know the ARN.

        Source: aws-cloudformation/aws-cloudformation-resource-providers-sns, whose create handler
        looks whether the topic exists.
        """
        topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "one-topic"}}
        aws.create_stack("topic-one", {"Resources": {"Topic": topic}})
        with pytest.raises(AssertionError, match=r"one-topic.* already exists"):
            aws.create_stack("topic-two", {"Resources": {"Topic": topic}})
