"""The dead-man's switch as a one-time schedule of EventBridge Scheduler, which invokes the guard's
function.
"""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from deploytool.aws.errors import code_of, translated
from deploytool.aws.sessions import Clients
from deploytool.core.service.service import DrillGuard

# How long the scheduler goes on when it cannot reach Lambda, seconds; the function's own failures
# Lambda tries again.
_MAXIMUM_AGE = 3600
_MAXIMUM_RETRIES = 185


class SchedulerGuard:
    """The Guard port on boto3. `now` is the time of day in UTC; a clock that is wrong by a minute
    shifts the restore by it.
    """

    def __init__(
        self,
        clients: Clients,
        guard: DrillGuard,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clients, self._guard, self._now = clients, guard, now

    def arm(self, drill_id: str, seconds: float) -> None:
        """CreateSchedule `at(...)`. The scheduler is precise to a minute (EventBridge Scheduler
        user guide, schedule types).
        """
        due = math.ceil((self._now() + timedelta(seconds=seconds)).timestamp())
        at = datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        with translated(f"arming the guard of drill {drill_id}"):
            self._client().create_schedule(
                Name=drill_id,
                GroupName=self._guard.schedules,
                Description="Restores what a deploytool drill left when it could not",
                ScheduleExpression=f"at({at})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self._guard.function_arn,
                    "RoleArn": self._guard.role_arn,
                    "Input": json.dumps({"drill_id": drill_id}),
                    "RetryPolicy": {
                        "MaximumEventAgeInSeconds": _MAXIMUM_AGE,
                        "MaximumRetryAttempts": _MAXIMUM_RETRIES,
                    },
                },
            )

    def disarm(self, drill_id: str) -> None:
        """DeleteSchedule; one that has fired has deleted itself."""
        with translated(f"disarming the guard of drill {drill_id}"):
            try:
                self._client().delete_schedule(Name=drill_id, GroupName=self._guard.schedules)
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise

    def _client(self) -> Any:  # noqa: ANN401  # a boto3 client
        return self._clients.get("scheduler", self._guard.region)
