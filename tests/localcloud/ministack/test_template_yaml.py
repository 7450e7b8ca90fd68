"""YAML that CloudFormation refuses in a template, with boto3 on a running cloud."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

ALIASES = """
Resources:
  First: {Type: 'AWS::SNS::Topic', Properties: &common {DisplayName: Orders}}
  Second: {Type: 'AWS::SNS::Topic', Properties: *common}
"""
STARS = """
Resources:
  First: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: 'a & *b'}}
"""


def test_aliases_are_refused(aws: Any) -> None:
    """CreateStack and CreateChangeSet answer with ValidationError.

    Source: seeebiii/aws-cloudformation-templates issue 1 ("YAML aliases are not allowed in
    CloudFormation templates").
    """
    cloudformation = aws.client("cloudformation")
    with pytest.raises(ClientError, match="YAML aliases are not allowed") as caught:
        cloudformation.create_stack(StackName="aliases", TemplateBody=ALIASES)
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(ClientError, match="YAML aliases are not allowed"):
        cloudformation.create_change_set(
            StackName="aliases",
            ChangeSetName="c",
            ChangeSetType="CREATE",
            TemplateBody=ALIASES,
        )


def test_text_with_a_star_and_an_ampersand_is_no_alias(aws: Any) -> None:
    """They are text in quotes and in words."""
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="no-aliases", TemplateBody=STARS)
    assert aws.outputs("no-aliases") == {}
