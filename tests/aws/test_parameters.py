"""Locks as parameters of Systems Manager, against botocore's own model of the service."""

import pytest
from botocore.stub import Stubber

from deploytool.aws.parameters import ParameterLocks
from deploytool.aws.sessions import Clients
from deploytool.core.errors import CloudRefused

NAME = "/deploytool/hello/dev/deploy"
PUT = {"Name": NAME, "Value": "v", "Type": "String"}


@pytest.fixture
def service() -> str:
    return "ssm"


@pytest.fixture
def locks(clients: Clients) -> ParameterLocks:
    return ParameterLocks(clients)


def test_only_the_first_makes_it(stub: Stubber, locks: ParameterLocks) -> None:
    """The second is told that it is there."""
    stub.add_response("put_parameter", {"Version": 1}, {**PUT, "Overwrite": False})
    stub.add_client_error("put_parameter", "ParameterAlreadyExists")
    assert locks.make("us-east-1", NAME, "v") is True
    assert locks.make("us-east-1", NAME, "v") is False
    stub.add_response("put_parameter", {"Version": 2}, {**PUT, "Overwrite": True})
    locks.renew("us-east-1", NAME, "v")


def test_what_is_not_there_is_no_error(stub: Stubber, locks: ParameterLocks) -> None:
    """Read, it is None; removed, it is gone."""
    stub.add_response("get_parameter", {"Parameter": {"Value": "v"}}, {"Name": NAME})
    stub.add_client_error("get_parameter", "ParameterNotFound")
    assert locks.read("us-east-1", NAME) == "v"
    assert locks.read("us-east-1", NAME) is None
    stub.add_client_error("delete_parameter", "ParameterNotFound")
    locks.remove("us-east-1", NAME)


def test_a_missing_permission_is_said(stub: Stubber, locks: ParameterLocks) -> None:
    """Whichever call lacks it."""
    for method in ("get_parameter", "put_parameter", "delete_parameter"):
        stub.add_client_error(method, "AccessDeniedException", "ssm")
    for call in (
        lambda: locks.read("r", NAME),
        lambda: locks.make("r", NAME, "v"),
        lambda: locks.remove("r", NAME),
    ):
        with pytest.raises(CloudRefused, match="ssm"):
            call()
