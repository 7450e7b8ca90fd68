"""The guard of a drill: a one-time schedule of EventBridge Scheduler that invokes its function."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deploytool.aws.errors import ignored, translated
from deploytool.aws.sessions import Clients
from deploytool.core.service.service import DrillGuard

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

# Seconds and attempts after which the scheduler gives up when it cannot reach Lambda. When the
# function itself fails, Lambda invokes it again.
MAXIMUM_AGE = 3600
MAXIMUM_RETRIES = 185


class SchedulerGuard:
    """The Guard port on botocore.

    `now` gives the time of day by AWS's clock, in Unix seconds.
    """

    def __init__(self, clients: Clients, guard: DrillGuard, now: Callable[[], float]) -> None:
        self._clients = clients
        self._guard = guard
        self._now = now

    def arm(self, drill_id: str, seconds: float) -> None:
        """CreateSchedule with an expression `at(...)`, after `seconds`.

        The scheduler is precise to a minute (EventBridge Scheduler user guide, schedule types).
        """
        # An expression has no fractions of a second. Rounding up never restores too early.
        due = datetime.fromtimestamp(math.ceil(self._now() + seconds), UTC)
        expression = due.strftime("at(%Y-%m-%dT%H:%M:%S)")
        with translated(f"arming the guard of drill {drill_id}"):
            self._client().create_schedule(
                Name=drill_id,
                GroupName=self._guard.schedules,
                Description="Restores what a deploytool drill left when it could not",
                ScheduleExpression=expression,
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self._guard.function_arn,
                    "RoleArn": self._guard.role_arn,
                    "Input": json.dumps({"drill_id": drill_id}),
                    "RetryPolicy": {
                        "MaximumEventAgeInSeconds": MAXIMUM_AGE,
                        "MaximumRetryAttempts": MAXIMUM_RETRIES,
                    },
                },
            )

    def disarm(self, drill_id: str) -> None:
        """DeleteSchedule. A schedule that has run has deleted itself."""
        with (
            translated(f"disarming the guard of drill {drill_id}"),
            ignored("ResourceNotFoundException"),
        ):
            self._client().delete_schedule(Name=drill_id, GroupName=self._guard.schedules)

    def _client(self) -> "EventBridgeSchedulerClient":
        return self._clients.get("scheduler", self._guard.region)
