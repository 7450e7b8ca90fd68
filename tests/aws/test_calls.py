"""Calls to CloudFormation: one budget a region, repeated when throttled, polled with growing waits."""

from typing import Any

import pytest
from botocore.stub import Stubber

from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.changesets import ChangeSets
from deploytool.aws.cloudformation import CloudFormation
from deploytool.aws.drift import DriftDetection
from deploytool.core.errors import Throttled
from deploytool.core.stacks.stack import StackRequest

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/hello-dev-api/1"
CHANGE_SET = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/token/1"
REQUEST = StackRequest("hello-dev-api", "Resources: {}", {}, {}, "token")


def throttle(stub: Stubber, operation: str, times: int = 1) -> None:
    for _ in range(times):
        stub.add_client_error(operation, "Throttling", "Rate exceeded")


def test_a_throttled_call_waits_and_is_repeated(
    stub: Stubber, calls_at_aws_rate: CloudFormationCalls, clock: Any
) -> None:
    """The rate is halved each time, for reads and for changes."""
    adapter = CloudFormation(calls_at_aws_rate)
    throttle(stub, "describe_stacks", times=3)
    stub.add_response("describe_stacks", {"Stacks": []})
    assert adapter.list("us-east-1") == {}
    assert clock.slept == pytest.approx([1.0, 2.0, 4.0], rel=0.1)

    stub.add_client_error("create_stack", "ThrottlingException", "Rate exceeded")
    stub.add_response("create_stack", {"StackId": STACK})
    assert adapter.create("us-east-1", REQUEST) == STACK


def test_a_call_that_is_throttled_for_a_quarter_of_an_hour_is_an_error(
    stub: Stubber, calls_at_aws_rate: CloudFormationCalls, clock: Any
) -> None:
    """A plan and a drift detection report it as a deployment does."""
    for act, operation in (
        (lambda: CloudFormation(calls_at_aws_rate).list("us-east-1"), "describe_stacks"),
        (
            lambda: ChangeSets(calls_at_aws_rate).preview("us-east-1", REQUEST, values=False),
            "create_change_set",
        ),
        (
            lambda: DriftDetection(calls_at_aws_rate).detect("us-east-1", STACK),
            "detect_stack_drift",
        ),
    ):
        started = clock.now()
        throttle(stub, operation, times=200)
        with pytest.raises(Throttled):
            act()
        assert clock.now() - started == pytest.approx(900, abs=30)
        while stub._queue:
            stub._queue.popleft()


def test_the_reads_of_a_region_stay_within_the_budget(
    stub: Stubber, calls_at_aws_rate: CloudFormationCalls, clock: Any
) -> None:
    """Four at once, then two a second; the other region has its own budget."""
    adapter = CloudFormation(calls_at_aws_rate)
    for _ in range(7):
        stub.add_response("describe_stacks", {"Stacks": []})
    for _ in range(6):
        adapter.list("us-east-1")
    assert clock.now() == pytest.approx(1.0)
    adapter.list("us-west-2")
    assert clock.now() == pytest.approx(1.0)


def test_a_plan_and_a_drift_detection_use_the_budget_of_a_deployment(
    stub: Stubber, calls_at_aws_rate: CloudFormationCalls, clock: Any
) -> None:
    """Of eight reads by three adapters, the last four wait half a second each."""
    for _ in range(3):
        stub.add_response("describe_stacks", {"Stacks": []})
        CloudFormation(calls_at_aws_rate).list("us-east-1")

    stub.add_response("create_change_set", {"Id": CHANGE_SET})
    stub.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"})
    stub.add_response("describe_change_set", {"Changes": []})
    stub.add_response("delete_change_set", {})
    ChangeSets(calls_at_aws_rate).preview("us-east-1", REQUEST, values=False)
    assert clock.now() == pytest.approx(0.5)

    stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "d"})
    stub.add_response(
        "describe_stack_drift_detection_status",
        {
            "StackId": STACK,
            "StackDriftDetectionId": "d",
            "Timestamp": 0,
            "DetectionStatus": "DETECTION_COMPLETE",
            "StackDriftStatus": "IN_SYNC",
        },
    )
    stub.add_response("list_stack_resources", {"StackResourceSummaries": []})
    DriftDetection(calls_at_aws_rate).detect("us-east-1", STACK)
    assert clock.now() == pytest.approx(2.0)


def test_a_throttled_preview_is_repeated_and_deletes_its_change_set(
    stub: Stubber, calls_at_aws_rate: CloudFormationCalls
) -> None:
    """Every call of it may be throttled."""
    throttle(stub, "create_change_set")
    stub.add_response("create_change_set", {"Id": CHANGE_SET})
    throttle(stub, "describe_change_set")
    stub.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"})
    throttle(stub, "describe_change_set")
    stub.add_response("describe_change_set", {"Changes": []})
    throttle(stub, "delete_change_set")
    stub.add_response("delete_change_set", {}, {"ChangeSetName": CHANGE_SET})
    assert ChangeSets(calls_at_aws_rate).preview("us-east-1", REQUEST, values=False) == []


def test_the_waits_between_polls_grow_to_the_longest(
    calls: CloudFormationCalls, clock: Any
) -> None:
    """By half each time, from 0.2 seconds."""
    answers = iter([{"done": False}] * 5 + [{"done": True}])
    answer = calls.poll(lambda: next(answers), lambda answer: bool(answer["done"]), 0.5)
    assert answer == {"done": True}
    assert clock.slept == pytest.approx([0.2, 0.3, 0.45, 0.5, 0.5])
