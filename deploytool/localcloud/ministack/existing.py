"""Whether a resource that a template names exists already in an account and region."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.resource_schemas import schema_of

Properties = Mapping[str, Any]

# MiniStack's tables of resources, for the types that can be created without CloudFormation too.
# Their keys are the names.
_TABLES = {
    "AWS::ApiGateway::DomainName": ("services.apigateway_v1", "_domain_names"),
    "AWS::ApiGatewayV2::DomainName": ("services.apigateway_v1", "_domain_names"),
    "AWS::CloudTrail::Trail": ("services.cloudtrail", "_trails"),
    "AWS::CloudWatch::Alarm": ("services.cloudwatch", "_alarms"),
    "AWS::DynamoDB::GlobalTable": ("services.dynamodb", "_tables"),
    "AWS::DynamoDB::Table": ("services.dynamodb", "_tables"),
    "AWS::IAM::Group": ("services.iam", "_groups"),
    "AWS::IAM::InstanceProfile": ("services.iam", "_instance_profiles"),
    "AWS::IAM::Role": ("services.iam", "_roles"),
    "AWS::IAM::User": ("services.iam", "_users"),
    "AWS::Lambda::Function": ("services.lambda_svc", "_functions"),
    "AWS::Logs::LogGroup": ("services.cloudwatch_logs", "_log_groups"),
    "AWS::ResourceGroups::Group": ("services.resource_groups", "_groups"),
    "AWS::SQS::Queue": ("services.sqs", "_queue_name_to_url"),
    "AWS::SSM::Parameter": ("services.ssm", "_parameters"),
    "AWS::Scheduler::ScheduleGroup": ("services.scheduler", "_schedule_groups"),
}

# Types whose identifier AWS makes, and whose name is unique all the same: the property with it
_UNIQUE_NAMES = {
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}

# Types with rules of their own: MiniStack checks the names of buckets, in every account, and Route
# 53 those of records.
_CHECKED_ELSEWHERE = {"AWS::S3::Bucket", "AWS::Route53::RecordSet"}


@dataclass(frozen=True)
class NamedResource:
    """A resource with the properties that a template names it with, in the schema's order."""

    type: str
    names: Mapping[str, str]

    @property
    def identifier(self) -> str:
        """The identifier as CloudFormation writes it."""
        return "|".join(self.names.values())

    @property
    def conflict(self) -> str:
        """The reason with which CloudFormation refuses to create it.

        aws/aws-cdk-cli issue 1000 and aws-cloudformation/rain pull request 744 quote it.
        """
        return f"Resource of type '{self.type}' with identifier '{self.identifier}' already exists."


def identifying_properties(resource_type: str) -> tuple[str, ...]:
    """Return the properties that a template identifies a resource of the type with.

    They are empty for a type whose identifier AWS makes: early validation does not know it.
    """
    if resource_type in _CHECKED_ELSEWHERE:
        return ()
    schema = schema_of(resource_type)
    return schema.named_by if schema else ()


def named_resource(resource_type: str, properties: Properties) -> NamedResource | None:
    """Return the resource that properties name, or None when AWS makes its name or a part of it."""
    if resource_type in _CHECKED_ELSEWHERE:
        return None
    keys = identifying_properties(resource_type)
    if not keys and resource_type in _UNIQUE_NAMES:
        keys = (_UNIQUE_NAMES[resource_type],)

    names: dict[str, str] = {}
    for key in keys:
        value = properties.get(key)
        if not isinstance(value, str) or not value:
            return None
        names[key] = value
    return NamedResource(resource_type, names) if names else None


def exists(ministack: MiniStack, resource: NamedResource) -> bool:
    """Return whether a resource exists in the account and region of the request."""
    if resource.type in _TABLES:
        path, table = _TABLES[resource.type]
        module = import_module(f"ministack.{path}")
        return resource.identifier in getattr(module, table)
    return any(
        named_resource(resource.type, record.get("Properties") or {}) == resource
        for stack in ministack.cloudformation._stacks.values()
        for record in stack.get("_resources", {}).values()
        if record.get("ResourceType") == resource.type and stack["StackStatus"] != "DELETE_COMPLETE"
    )
