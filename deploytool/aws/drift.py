"""Drift detection: what was changed in a stack's resources behind CloudFormation's back."""

from collections.abc import Iterator, Mapping
from typing import Any

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients
from deploytool.core.ports import Clock
from deploytool.core.stacks.drift import Difference, ResourceDrift, StackDrift

# Seconds between looks; AWS takes some seconds for a small stack, minutes for a big one
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0


class DriftDetection:
    """The Drifts port on boto3."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients, self._clock = clients, clock

    def detect(self, region: str, stack_id: str) -> StackDrift:
        """DetectStackDrift, its end, and DescribeStackResourceDrifts when there is something to
        describe.
        """
        client = self._clients.get("cloudformation", region)
        with translated(f"detecting the drift of {stack_id}"):
            detection = client.detect_stack_drift(StackName=stack_id)["StackDriftDetectionId"]
            found = self._ended(client, detection)
            status, failed = (
                found.get("StackDriftStatus", "UNKNOWN"),
                found["DetectionStatus"] == "DETECTION_FAILED",
            )
            resources = (
                tuple(_resource(each) for each in _drifts(client, stack_id))
                if failed or status == "DRIFTED"
                else ()
            )
        return StackDrift(
            status, resources, found.get("DetectionStatusReason", "") if failed else ""
        )

    def _ended(self, client: Any, detection: str) -> Mapping[str, Any]:  # noqa: ANN401  # a boto3 client
        wait = FIRST_WAIT
        while True:
            found: Mapping[str, Any] = client.describe_stack_drift_detection_status(
                StackDriftDetectionId=detection
            )
            if found["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                return found
            self._clock.sleep(wait)
            wait = min(1.5 * wait, LONGEST_WAIT)


def _drifts(client: Any, stack_id: str) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401  # a boto3 client
    """The resources that drifted; botocore has no paginator for this."""
    token: dict[str, str] = {}
    while True:
        page = client.describe_stack_resource_drifts(
            StackName=stack_id, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"], **token
        )
        yield from page["StackResourceDrifts"]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _resource(found: Mapping[str, Any]) -> ResourceDrift:
    return ResourceDrift(
        found["LogicalResourceId"],
        found["ResourceType"],
        found["StackResourceDriftStatus"],
        tuple(
            Difference(each["PropertyPath"], each["ExpectedValue"], each["ActualValue"])
            for each in found.get("PropertyDifferences", [])
        ),
    )
