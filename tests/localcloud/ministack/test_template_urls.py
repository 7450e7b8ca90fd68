"""CloudFormation finds a template in S3 by an address with the bucket in the host name."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploytool.localcloud.ministack.patches.template_urls import path_style

TEMPLATE = {
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"Region": {"Value": {"Ref": "AWS::Region"}}},
}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://b.s3.us-west-2.amazonaws.com/a/t.yaml", "https://s3.amazonaws.com/b/a/t.yaml"),
        ("https://b.c.s3.amazonaws.com/t.yaml", "https://s3.amazonaws.com/b.c/t.yaml"),
        ("https://b.s3-us-west-2.amazonaws.com/t.yaml", "https://s3.amazonaws.com/b/t.yaml"),
        (
            "https://b.s3.dualstack.us-west-2.amazonaws.com/t.yaml",
            "https://s3.amazonaws.com/b/t.yaml",
        ),
        (
            "https://s3.us-west-2.amazonaws.com/b/t.yaml",
            "https://s3.us-west-2.amazonaws.com/b/t.yaml",
        ),
        ("http://127.0.0.1:4566/b/t.yaml", "http://127.0.0.1:4566/b/t.yaml"),
        ("https://b.s3.us-west-2.example.com/t.yaml", "https://b.s3.us-west-2.example.com/t.yaml"),
    ],
)
def test_only_host_names_of_s3_contain_a_bucket(url: str, expected: str) -> None:
    """Each form of a virtual-hosted address gets the bucket in its path; other addresses stay."""
    assert path_style(url) == expected


def test_a_stack_is_created_from_a_virtual_hosted_address(aws: Any) -> None:
    """CreateStack takes a virtual-hosted address, also that of a bucket in another region."""
    s3 = aws.client("s3")
    cloudformation = aws.client("cloudformation", "us-west-2")
    s3.create_bucket(Bucket="virtual-hosted-templates")
    s3.put_object(
        Bucket="virtual-hosted-templates", Key="some/topic.json", Body=json.dumps(TEMPLATE).encode()
    )
    url = "https://virtual-hosted-templates.s3.us-east-1.amazonaws.com/some/topic.json"
    cloudformation.validate_template(TemplateURL=url)
    cloudformation.create_stack(StackName="virtual-hosted", TemplateURL=url)
    assert aws.outputs("virtual-hosted", "us-west-2") == {"Region": "us-west-2"}


def test_an_address_without_an_object_is_refused(aws: Any) -> None:
    """The address of an object that does not exist is an error, and not an empty template."""
    cloudformation = aws.client("cloudformation")
    with pytest.raises(ClientError, match="not found"):
        cloudformation.create_stack(
            StackName="nothing",
            TemplateURL="https://virtual-none.s3.us-east-1.amazonaws.com/t.json",
        )
