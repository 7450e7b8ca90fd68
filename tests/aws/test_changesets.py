"""What the change set and drift adapters send, against botocore's own model of the service, and
what they make of the answers.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.changesets import CAPABILITIES, ChangeSets
from deploytool.aws.drift import DriftDetection
from deploytool.core.errors import CloudRefused, DeploytoolError
from deploytool.core.stacks.changes import DeployedTemplate, Effect, PropertyChange, ResourceChange
from deploytool.core.stacks.drift import Difference, ResourceDrift, StackDrift
from deploytool.core.stacks.stack import StackRequest

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/hello-dev-api/1"
SET = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/token/1"
REQUEST = StackRequest("hello-dev-api", "Resources: {}", {"A": "1"}, {"k": "v"}, "token")
SENT = {
    "StackName": "hello-dev-api",
    "ChangeSetName": "token",
    "ClientToken": "token",
    "ChangeSetType": "UPDATE",
    "Description": ANY,
    "TemplateBody": "Resources: {}",
    "Parameters": [{"ParameterKey": "A", "ParameterValue": "1"}],
    "Tags": [{"Key": "k", "Value": "v"}],
    "Capabilities": CAPABILITIES,
}
NAMED = {"ChangeSetName": SET}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def change_sets(calls: CloudFormationCalls) -> ChangeSets:
    return ChangeSets(calls)


@pytest.fixture
def drifts(calls: CloudFormationCalls) -> DriftDetection:
    return DriftDetection(calls)


def change(action: str, **more: Any) -> dict[str, Any]:
    return {
        "Type": "Resource",
        "ResourceChange": {"Action": action, "LogicalResourceId": "R", "ResourceType": "T", **more},
    }


def test_a_preview_reads_every_page_and_deletes_the_change_set(
    stub: Stubber, change_sets: ChangeSets
) -> None:
    """Made, waited for, read to the last page with values, deleted."""
    modified = change("Modify", Replacement="False", Details=[
        {"Target": {"Attribute": "Properties", "Name": "A", "Path": "/Properties/A/B", "BeforeValue": "1", "AfterValue": "2"}},
        {"Target": {"Attribute": "Properties", "Name": "C", "AfterValue": "{{changeSet:KNOWN_AFTER_APPLY}}"}},
        {"Target": {"Attribute": "Tags"}},
    ])  # fmt: skip
    stub.add_response("create_change_set", {"Id": SET, "StackId": ID}, SENT)
    stub.add_response("describe_change_set", {"Status": "CREATE_IN_PROGRESS"}, NAMED)
    stub.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"}, NAMED)
    page = {**NAMED, "IncludePropertyValues": True}
    stub.add_response("describe_change_set", {"Changes": [modified], "NextToken": "n"}, page)
    stub.add_response(
        "describe_change_set", {"Changes": [change("Add")]}, {**page, "NextToken": "n"}
    )
    stub.add_response("delete_change_set", {}, NAMED)
    properties = (
        PropertyChange("A.B", "1", "2"),
        PropertyChange("C", None, "(known once it is done)"),
        PropertyChange("Tags"),
    )
    assert list(change_sets.preview("us-east-1", REQUEST, values=True)) == [
        ResourceChange(Effect.UPDATE, "R", "T", properties),
        ResourceChange(Effect.CREATE, "R", "T"),
    ]


@pytest.mark.parametrize(
    ("found", "effect"),
    [
        (change("Modify", Replacement="True"), Effect.REPLACE),
        (change("Modify", Replacement="Conditional"), Effect.PERHAPS_REPLACE),
        (change("Remove"), Effect.DELETE),
        (change("Remove", PolicyAction="Retain"), Effect.RETAIN),
        (change("Import"), Effect.IMPORT),
        (change("Dynamic"), Effect.PERHAPS_UPDATE),
    ],
)
def test_each_kind_of_change_has_its_effect(
    stub: Stubber, change_sets: ChangeSets, found: Any, effect: Effect
) -> None:
    """Action, replacement and policy of a change set tell what happens; without values none is
    asked for.
    """
    stub.add_response("create_change_set", {"Id": SET}, SENT)
    stub.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"}, NAMED)
    stub.add_response(
        "describe_change_set", {"Changes": [found]}, {**NAMED, "IncludePropertyValues": False}
    )
    stub.add_response("delete_change_set", {}, NAMED)
    assert [each.effect for each in change_sets.preview("us-east-1", REQUEST, values=False)] == [
        effect
    ]


def test_an_update_without_changes_is_no_failure(stub: Stubber, change_sets: ChangeSets) -> None:
    """CloudFormation lets the change set fail; it is deleted all the same."""
    stub.add_response("create_change_set", {"Id": SET}, SENT)
    reason = "The submitted information didn't contain changes. Submit different information."
    stub.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": reason}, NAMED)
    stub.add_response("delete_change_set", {}, NAMED)
    assert change_sets.preview("us-east-1", REQUEST, values=True) == ()


def test_a_failed_change_set_is_deleted_and_says_why(
    stub: Stubber, change_sets: ChangeSets
) -> None:
    """The reason is CloudFormation's."""
    stub.add_response("create_change_set", {"Id": SET}, SENT)
    stub.add_response(
        "describe_change_set", {"Status": "FAILED", "StatusReason": "Parameter X is wrong"}, NAMED
    )
    stub.add_response("delete_change_set", {}, NAMED)
    with pytest.raises(DeploytoolError, match="Parameter X is wrong"):
        change_sets.preview("us-east-1", REQUEST, values=True)


def test_a_change_set_is_deleted_when_it_cannot_be_read(
    stub: Stubber, change_sets: ChangeSets
) -> None:
    """Whatever happens between making and reading, nothing is left behind."""
    stub.add_response("create_change_set", {"Id": SET}, SENT)
    stub.add_client_error("describe_change_set", "AccessDenied", "no", 403)
    stub.add_response("delete_change_set", {}, NAMED)
    with pytest.raises(CloudRefused):
        change_sets.preview("us-east-1", REQUEST, values=True)


@pytest.mark.parametrize(
    "body",
    [
        "Resources: {A: {Type: T, Properties: {N: !Ref P}}}",
        '{"Resources": {"A": {"Type": "T", "Properties": {"N": {"Ref": "P"}}}}}',
    ],
)
def test_a_deployed_template_is_read_as_it_was_sent(
    stub: Stubber, change_sets: ChangeSets, body: str
) -> None:
    """YAML with short tags, or JSON; with the stack's parameters."""
    stub.add_response(
        "get_template", {"TemplateBody": body}, {"StackName": ID, "TemplateStage": "Original"}
    )
    stack = {
        "StackName": "x",
        "CreationTime": NOW,
        "StackStatus": "CREATE_COMPLETE",
        "Parameters": [{"ParameterKey": "P", "ParameterValue": "1"}],
    }
    stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": ID})
    document = {"Resources": {"A": {"Type": "T", "Properties": {"N": {"Ref": "P"}}}}}
    assert change_sets.deployed("us-east-1", ID) == DeployedTemplate(document, {"P": "1"})


def detected(stub: Stubber, *statuses: dict[str, str]) -> None:
    stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "d"}, {"StackName": ID})
    for status in statuses:
        answer = {"StackId": ID, "StackDriftDetectionId": "d", "Timestamp": NOW, **status}
        stub.add_response(
            "describe_stack_drift_detection_status", answer, {"StackDriftDetectionId": "d"}
        )


def test_a_stack_in_sync_needs_no_look_at_its_resources(
    stub: Stubber, drifts: DriftDetection
) -> None:
    """Detection is waited for, and that is all."""
    detected(
        stub,
        {"DetectionStatus": "DETECTION_IN_PROGRESS"},
        {"DetectionStatus": "DETECTION_COMPLETE", "StackDriftStatus": "IN_SYNC"},
    )
    assert drifts.detect("us-east-1", ID) == StackDrift("IN_SYNC")


def test_the_drifted_resources_are_read_to_the_last_page(
    stub: Stubber, drifts: DriftDetection
) -> None:
    """Each with its differing properties; a deleted one without."""
    detected(stub, {"DetectionStatus": "DETECTION_COMPLETE", "StackDriftStatus": "DRIFTED"})
    asked = {"StackName": ID, "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    base = {"StackId": ID, "ResourceType": "T", "Timestamp": NOW}
    difference = {
        "PropertyPath": "/A",
        "ExpectedValue": "1",
        "ActualValue": "2",
        "DifferenceType": "NOT_EQUAL",
    }
    first = {
        **base,
        "LogicalResourceId": "R",
        "StackResourceDriftStatus": "MODIFIED",
        "PropertyDifferences": [difference],
    }
    second = {**base, "LogicalResourceId": "S", "StackResourceDriftStatus": "DELETED"}
    stub.add_response(
        "describe_stack_resource_drifts", {"StackResourceDrifts": [first], "NextToken": "n"}, asked
    )
    stub.add_response(
        "describe_stack_resource_drifts",
        {"StackResourceDrifts": [second]},
        {**asked, "NextToken": "n"},
    )
    assert drifts.detect("us-east-1", ID) == StackDrift(
        "DRIFTED",
        (
            ResourceDrift("R", "T", "MODIFIED", (Difference("/A", "1", "2"),)),
            ResourceDrift("S", "T", "DELETED"),
        ),
    )


def test_a_failed_detection_says_why_and_shows_what_it_found(
    stub: Stubber, drifts: DriftDetection
) -> None:
    """One resource could not be read; that is no reason to hide the rest."""
    failed = {
        "DetectionStatus": "DETECTION_FAILED",
        "StackDriftStatus": "UNKNOWN",
        "DetectionStatusReason": "no permission",
    }
    detected(stub, failed)
    stub.add_response(
        "describe_stack_resource_drifts",
        {"StackResourceDrifts": []},
        {"StackName": ID, "StackResourceDriftStatusFilters": ANY},
    )
    assert drifts.detect("us-east-1", ID) == StackDrift("UNKNOWN", (), "no permission")
