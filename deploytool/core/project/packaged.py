"""Paths of this machine in a template, where CloudFormation takes an address in S3. Pure.

`aws cloudformation package` and `sam package` upload the file of such a path and write its address
into the template. deploytool sends the template as it is, so CloudFormation would refuse the path
after other stacks were made. Its own way to send files is an artifact of the graph file.

Source: AWS CLI Command Reference, `cloudformation package` (the list of properties).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from deploytool.core.transforms import declared_resources

# The properties by resource type. A dot separates the levels of a nested property.
_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "AWS::ApiGateway::RestApi": ("BodyS3Location",),
    "AWS::AppSync::FunctionConfiguration": (
        "CodeS3Location",
        "RequestMappingTemplateS3Location",
        "ResponseMappingTemplateS3Location",
    ),
    "AWS::AppSync::GraphQLSchema": ("DefinitionS3Location",),
    "AWS::AppSync::Resolver": (
        "CodeS3Location",
        "RequestMappingTemplateS3Location",
        "ResponseMappingTemplateS3Location",
    ),
    "AWS::CloudFormation::Stack": ("TemplateURL",),
    "AWS::ElasticBeanstalk::ApplicationVersion": ("SourceBundle",),
    "AWS::Glue::Job": ("Command.ScriptLocation",),
    "AWS::Lambda::Function": ("Code",),
    "AWS::Lambda::LayerVersion": ("Content",),
    "AWS::Serverless::Api": ("DefinitionUri",),
    "AWS::Serverless::Application": ("Location",),
    "AWS::Serverless::Function": ("CodeUri",),
    "AWS::Serverless::GraphQLApi": ("SchemaUri",),
    "AWS::Serverless::HttpApi": ("DefinitionUri",),
    "AWS::Serverless::LayerVersion": ("ContentUri",),
    "AWS::Serverless::StateMachine": ("DefinitionUri",),
    "AWS::StepFunctions::StateMachine": ("DefinitionS3Location",),
}
_ADDRESSES = ("https://", "http://", "s3://")
_NESTED_STACK = "AWS::CloudFormation::Stack"


def local_paths(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the properties that have a path of this machine, as (key, message)."""
    for name, resource in declared_resources(document).items():
        resource_type = str(resource.get("Type", ""))
        for property_path in _PROPERTIES.get(resource_type, ()):
            value = _value_at(resource.get("Properties"), property_path)
            addresses = ("https://",) if resource_type == _NESTED_STACK else _ADDRESSES
            if isinstance(value, str) and not value.startswith(addresses):
                yield f"Resources.{name}.Properties.{property_path}", _message(resource_type, value)


def _value_at(properties: object, path: str) -> object:
    value = properties
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _message(resource_type: str, value: str) -> str:
    if resource_type == _NESTED_STACK:
        return (
            f"'{value}' is no https address, and CloudFormation takes a nested template from S3 "
            "alone; store it there, or make it a stack of the graph"
        )
    return (
        f"'{value}' is a path of this machine, and CloudFormation takes an address in S3; declare "
        "the folder as an artifact of the graph file, and give bucket and key"
    )
