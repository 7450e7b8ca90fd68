"""Values of Parameter Store, against botocore's own model."""

import pytest
from botocore.stub import Stubber

from deploytool.aws.sessions import Clients
from deploytool.aws.stored_values import SsmStoredValues
from deploytool.core.errors import CloudRefused

ARN = "arn:aws:ssm:us-east-1:123456789012:parameter/{}"


@pytest.fixture
def service() -> str:
    return "ssm"


@pytest.fixture
def values(clients: Clients) -> SsmStoredValues:
    return SsmStoredValues(clients)


def test_names_are_asked_ten_at_a_time(stub: Stubber, values: SsmStoredValues) -> None:
    """A name that does not exist is left out of the answer (API reference of GetParameters)."""
    names = [f"p{number}" for number in range(12)]
    for asked in (names[:10], names[10:]):
        answer = [{"Name": name, "Value": f"of {name}"} for name in asked if name != "p3"]
        stub.add_response("get_parameters", {"Parameters": answer}, {"Names": asked})
    read = values.read("us-east-1", names)
    assert read == {name: f"of {name}" for name in names if name != "p3"}


def test_a_value_is_found_by_version_and_by_arn(stub: Stubber, values: SsmStoredValues) -> None:
    """The answer has the name without the version, and the ARN beside it."""
    asked = [ARN.format("shared"), "image:3"]
    answer = [
        {"Name": "image", "Selector": ":3", "Value": "ami-3", "ARN": ARN.format("image")},
        {"Name": "shared", "Value": "x", "ARN": ARN.format("shared")},
    ]
    stub.add_response("get_parameters", {"Parameters": answer}, {"Names": asked})
    assert values.read("us-east-1", asked) == {"image:3": "ami-3", ARN.format("shared"): "x"}


def test_a_missing_permission_is_an_error(stub: Stubber, values: SsmStoredValues) -> None:
    """The caller decides what that means."""
    stub.add_client_error("get_parameters", "AccessDeniedException", "ssm:GetParameters")
    with pytest.raises(CloudRefused, match="reading image in us-east-1"):
        values.read("us-east-1", ["image"])
