"""Drift detection: changes to a stack's resources that were not made through CloudFormation."""

from typing import TYPE_CHECKING

from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.errors import translated
from deploytool.core.stacks.drift import Difference, ResourceDrift, StackDrift

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackResourceDriftTypeDef

# Seconds between two polls at most. AWS takes some seconds for a small stack, minutes for a big one.
LONGEST_WAIT = 5.0


class DriftDetection:
    """The Drifts port on botocore."""

    def __init__(self, calls: CloudFormationCalls) -> None:
        self._calls = calls

    def detect(self, region: str, stack_id: str) -> StackDrift:
        """DetectStackDrift, a poll until it ends, and DescribeStackResourceDrifts if it found any.

        The poll calls DescribeStackDriftDetectionStatus.
        """
        client = self._calls.client(region)
        with translated(f"detecting the drift of {stack_id}"):
            detection = self._calls.read(region, client.detect_stack_drift, StackName=stack_id)
            detection_id = detection["StackDriftDetectionId"]
            description = self._calls.poll(
                lambda: self._calls.read(
                    region,
                    client.describe_stack_drift_detection_status,
                    StackDriftDetectionId=detection_id,
                ),
                lambda answer: answer["DetectionStatus"] != "DETECTION_IN_PROGRESS",
                LONGEST_WAIT,
            )

            status = description.get("StackDriftStatus", "UNKNOWN")
            failed = description["DetectionStatus"] == "DETECTION_FAILED"
            if not failed and status != "DRIFTED":
                return StackDrift(status)

            # A detection that failed for one resource still tells the drift of the others.
            resources = self._drifted_resources(region, stack_id)

        reason = description.get("DetectionStatusReason", "") if failed else ""
        return StackDrift(status, resources, reason)

    def _drifted_resources(self, region: str, stack_id: str) -> tuple[ResourceDrift, ...]:
        resources: list[ResourceDrift] = []
        pages = self._calls.pages(
            region,
            self._calls.client(region).describe_stack_resource_drifts,
            StackName=stack_id,
            StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
        )
        for page in pages:
            resources.extend(map(_resource_drift, page["StackResourceDrifts"]))
        return tuple(resources)


def _resource_drift(drift: "StackResourceDriftTypeDef") -> ResourceDrift:
    differences = tuple(
        Difference(
            difference["PropertyPath"], difference["ExpectedValue"], difference["ActualValue"]
        )
        for difference in drift.get("PropertyDifferences", [])
    )
    return ResourceDrift(
        drift["LogicalResourceId"],
        drift["ResourceType"],
        drift["StackResourceDriftStatus"],
        differences,
    )
