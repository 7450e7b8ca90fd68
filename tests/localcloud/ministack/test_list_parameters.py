"""Parameters that are lists, by plain boto3 calls to a local cloud."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

REGIONS = ["", "us-east-1", "us-west-2", "eu-west-1"]
TEMPLATE = {
    "Parameters": {"Chosen": {"Type": "CommaDelimitedList", "AllowedValues": REGIONS}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"Second": {"Value": {"Fn::Select": [1, {"Ref": "Chosen"}]}}},
}


def test_each_value_of_a_list_is_an_allowed_one(aws: Any) -> None:
    """CloudFormation compares each item with AllowedValues (cfn-lint pull request 2521)."""
    made = aws.create_stack("list-parameters", TEMPLATE, Chosen="us-east-1, us-west-2,eu-west-1")
    assert made == {"Second": "us-west-2"}
    aws.delete_stack("list-parameters")


@pytest.mark.parametrize("chosen", ["us-east-1,eu-north-1", "eu-north-1"])
def test_another_value_in_a_list_is_refused(aws: Any, chosen: str) -> None:
    """The same source; the error names the parameter."""
    with pytest.raises(ClientError, match="Chosen"):
        aws.create_stack("other-list-parameters", TEMPLATE, Chosen=chosen)
