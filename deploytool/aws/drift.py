"""Drift detection: changes to a stack's resources that were not made through CloudFormation."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.errors import translated
from deploytool.core.errors import CloudRefused
from deploytool.core.stacks.drift import Difference, ResourceDrift, StackDrift, UncheckedResource

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import (
        StackResourceDriftTypeDef,
        StackResourceSummaryTypeDef,
    )

# Seconds between two polls at most. AWS takes some seconds for a small stack, minutes for a big one.
LONGEST_WAIT = 5.0


class DriftDetection:
    """The Drifts port on botocore."""

    def __init__(self, calls: CloudFormationCalls) -> None:
        self._calls = calls

    def detect(self, region: str, stack_id: str) -> StackDrift:
        """DetectStackDrift, a poll until it ends, and DescribeStackResourceDrifts if it found any.

        The poll calls DescribeStackDriftDetectionStatus. ListStackResources tells afterwards which
        resources the detection left out.
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

            # A detection that failed for one resource still tells the drift of the others.
            resources: tuple[ResourceDrift, ...] = ()
            if failed or status == "DRIFTED":
                resources = self._drifted_resources(region, stack_id)

        reason = description.get("DetectionStatusReason", "") if failed else ""
        unchecked = self._unchecked_resources(region, stack_id)
        return StackDrift(status, resources, reason, unchecked)

    def _unchecked_resources(
        self, region: str, stack_id: str
    ) -> tuple[UncheckedResource, ...] | None:
        """Return the resources without a result, or None when AWS refuses to list them.

        DescribeStackResourceDrifts leaves out the resources that do not support the detection (API
        reference). Their drift information in ListStackResources is NOT_CHECKED (API reference of
        StackResourceDriftInformationSummary). A role that an older version made may not list them.
        """
        listing = self._calls.client(region).list_stack_resources
        unchecked: list[UncheckedResource] = []
        try:
            with translated(f"listing the resources of {stack_id}"):
                for page in self._calls.pages(region, listing, StackName=stack_id):
                    unchecked.extend(_unchecked(page["StackResourceSummaries"]))
        except CloudRefused:
            return None
        return tuple(unchecked)

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


def _unchecked(summaries: "Sequence[StackResourceSummaryTypeDef]") -> Iterator[UncheckedResource]:
    for summary in summaries:
        drift = summary.get("DriftInformation")
        if drift is None or drift["StackResourceDriftStatus"] == "NOT_CHECKED":
            yield UncheckedResource(summary["LogicalResourceId"], summary["ResourceType"])


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
