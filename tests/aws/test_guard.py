"""The guard of a drill against botocore's own model of EventBridge Scheduler."""

import pytest
from botocore.stub import ANY, Stubber

from deploytool.aws.guard import SchedulerGuard
from deploytool.aws.sessions import Clients
from deploytool.core.service.service import DrillGuard

NOON = 1767268800.25  # 2026-01-01T12:00:00.25Z in Unix seconds
GUARD = DrillGuard(
    "us-west-2", "arn:aws:lambda:us-west-2:1:function:g", "arn:aws:iam::1:role/r", "g"
)
NAMES = {"Name": "a-drill", "GroupName": "g"}


@pytest.fixture
def service() -> str:
    return "scheduler"


@pytest.fixture
def guard(clients: Clients) -> SchedulerGuard:
    return SchedulerGuard(clients, GUARD, lambda: NOON)


def test_a_restore_is_never_scheduled_too_early(stub: Stubber, guard: SchedulerGuard) -> None:
    """An expression has whole seconds, so the time is rounded up."""
    request = {
        **NAMES,
        "Description": ANY,
        "ScheduleExpression": "at(2026-01-01T12:10:01)",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": ANY,
    }
    stub.add_response("create_schedule", {"ScheduleArn": "arn:aws:scheduler:x"}, request)
    guard.arm("a-drill", 600.0)


def test_a_schedule_that_has_run_is_disarmed(stub: Stubber, guard: SchedulerGuard) -> None:
    """It has deleted itself."""
    stub.add_response("delete_schedule", {}, NAMES)
    guard.disarm("a-drill")
    stub.add_client_error("delete_schedule", "ResourceNotFoundException")
    guard.disarm("a-drill")
