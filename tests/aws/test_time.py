"""The time of day by AWS's clock: the machine's own clock may be wrong, and may jump."""

import time
from dataclasses import dataclass

import pytest

from deploytool.aws.parameters import ParameterLocks
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.aws.time import AwsTime
from deploytool.core.stacks.lease import Holder, Lease, write_lease
from deploytool.net.clock import RealClock
from deploytool.work.stacks.lock import Coordination, RunningDeployment
from tests.aws.apis import answering

FAST = 600.0  # seconds by which the machine's clock is ahead of AWS's
STAGE = ("hello", "dev", ("us-west-2",))


@dataclass
class Clock:
    """A clock that a test moves."""

    seconds: float = 0.0

    def now(self) -> float:
        return self.seconds


def answer(date: object) -> dict[str, object]:
    return {"headers": {"date": date}}


def test_the_machines_clock_counts_until_the_first_answer() -> None:
    """Then AWS's does, and a jump of the machine's clock changes nothing."""
    monotonic, local = Clock(), Clock(1_000_000.0)
    aws = AwsTime(monotonic.now, local.now)
    assert aws.now() == 1_000_000.0

    aws.observe(answer("Thu, 01 Jan 2026 00:00:00 GMT"))
    monotonic.seconds += 10
    local.seconds += 5000
    assert aws.now() == 1_767_225_600 + 10 + 0.5


@pytest.mark.parametrize("date", [None, "", "yesterday", "Thu, 99 Jan 2026 00:00:00 GMT"])
def test_a_date_that_is_none_is_left_out(date: object) -> None:
    """A proxy may answer in AWS's place."""
    aws = AwsTime(Clock().now, Clock(7.0).now)
    aws.observe(answer(date))
    aws.observe(None)
    aws.observe({"headers": {}})
    assert aws.now() == 7.0


@pytest.mark.parametrize(("expires", "is_valid"), [(60.0, True), (-60.0, False)])
def test_a_wrong_clock_takes_no_lease_over(expires: float, is_valid: bool) -> None:
    """A laptop whose clock is ten minutes fast would see every lease as expired, and a slow one none."""
    true_time = time.time()
    lease = Lease(Holder("ana", "elsewhere", 1, "run"), true_time, true_time + expires)
    body = {"Parameter": {"Value": write_lease(lease)}}
    with answering(200, body) as api:
        clock = AwsTime(RealClock().now, lambda: time.time() + FAST)
        clients = Clients(Endpoint(api.url, "a", "s"), time=clock)
        coordination = Coordination(
            ParameterLocks(clients), Holder("bo", "here", 1, "x"), clock.now, lambda _process: False
        )
        described = RunningDeployment(coordination, *STAGE).describe()
    assert bool(described) is is_valid


def test_an_api_whose_clock_is_ahead_is_believed() -> None:
    """What other machines decide by the same clock is what counts."""
    with answering(200, {"Parameters": []}, ahead=FAST) as api:
        clock = AwsTime(RealClock().now, time.time)
        clients = Clients(Endpoint(api.url, "a", "s"), time=clock)
        clients.get("ssm", "us-west-2").describe_parameters()
        assert clock.now() == pytest.approx(time.time() + FAST, abs=30)
