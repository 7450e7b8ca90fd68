"""A stubbed client in place of a service, checked against botocore's own model of that service."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from deploytool.aws.budget import Rate
from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.sessions import Clients


class RecordingClock:
    """A clock that only sleeping advances. `slept` lists the sleeps in seconds."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class OneClient(Clients):
    """Gives the stubbed client for its service in every region."""

    def __init__(self, service: str, client: Any) -> None:
        super().__init__()
        self.service = service
        self.client = client

    def get(self, service: str, region: str) -> Any:
        assert service == self.service
        return self.client


@pytest.fixture
def service() -> str:
    """The service of the tests in a module; a module overrides this."""
    return "cloudformation"


@pytest.fixture
def stub(service: str) -> Iterator[Stubber]:
    """The stubbed answers of the service. A test fails when an answer is left over."""
    client = boto3.client(
        service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def clients(service: str, stub: Stubber) -> Clients:
    return OneClient(service, stub.client)


@pytest.fixture
def clock() -> RecordingClock:
    return RecordingClock()


@pytest.fixture
def calls(clients: Clients, clock: RecordingClock) -> CloudFormationCalls:
    """Calls with a budget that no test uses up."""
    return CloudFormationCalls(clients, clock, Rate(1000.0, 1000.0))


@pytest.fixture
def calls_at_aws_rate(clients: Clients, clock: RecordingClock) -> CloudFormationCalls:
    """Calls with the budget that is used on AWS: four at once, then two a second."""
    return CloudFormationCalls(clients, clock)
