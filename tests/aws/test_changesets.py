"""The adapters of change sets and drift against botocore's own model of the service."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.changesets import CAPABILITIES, ChangeSets
from deploytool.aws.drift import DriftDetection
from deploytool.core.errors import CloudRefused, DeploytoolError
from deploytool.core.stacks.changes import DeployedTemplate, Effect, PropertyChange, ResourceChange
from deploytool.core.stacks.drift import Difference, ResourceDrift, StackDrift, UncheckedResource
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
    """It creates the change set, waits for it, reads it to the last page with values, and deletes it."""
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
    ("entry", "effect"),
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
    stub: Stubber, change_sets: ChangeSets, entry: Any, effect: Effect
) -> None:
    """The action, replacement and policy in a change set tell it. Values are not requested."""
    stub.add_response("create_change_set", {"Id": SET}, SENT)
    stub.add_response("describe_change_set", {"Status": "CREATE_COMPLETE"}, NAMED)
    stub.add_response(
        "describe_change_set", {"Changes": [entry]}, {**NAMED, "IncludePropertyValues": False}
    )
    stub.add_response("delete_change_set", {}, NAMED)
    (resource,) = change_sets.preview("us-east-1", REQUEST, values=False)
    assert resource.effect == effect


def test_a_preview_whose_answer_was_lost_is_read(stub: Stubber, change_sets: ChangeSets) -> None:
    """Botocore repeats the call, and the change set of that name exists by then. It is deleted."""
    stub.add_client_error("create_change_set", "AlreadyExistsException")
    stub.add_response("describe_change_set", {"ChangeSetId": SET})
    failed = {"Status": "FAILED", "StatusReason": "No updates are to be performed."}
    stub.add_response("describe_change_set", failed, {"ChangeSetName": SET})
    stub.add_response("delete_change_set", {}, {"ChangeSetName": SET})
    assert change_sets.preview("us-east-1", REQUEST, values=True) is None


def test_an_update_without_changes_is_no_error(stub: Stubber, change_sets: ChangeSets) -> None:
    """The status of the change set is FAILED. It is deleted."""
    stub.add_response("create_change_set", {"Id": SET}, SENT)
    reason = "The submitted information didn't contain changes. Submit different information."
    stub.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": reason}, NAMED)
    stub.add_response("delete_change_set", {}, NAMED)
    assert change_sets.preview("us-east-1", REQUEST, values=True) is None


def test_a_failed_change_set_is_deleted_and_is_an_error(
    stub: Stubber, change_sets: ChangeSets
) -> None:
    """The message has CloudFormation's reason."""
    stub.add_response("create_change_set", {"Id": SET}, SENT)
    stub.add_response(
        "describe_change_set", {"Status": "FAILED", "StatusReason": "Parameter X is wrong"}, NAMED
    )
    stub.add_response("describe_events", {"OperationEvents": []})
    stub.add_response("delete_change_set", {}, NAMED)
    with pytest.raises(DeploytoolError, match="Parameter X is wrong"):
        change_sets.preview("us-east-1", REQUEST, values=True)


def test_a_change_set_is_deleted_when_it_cannot_be_read(
    stub: Stubber, change_sets: ChangeSets
) -> None:
    """No error between its creation and the last page leaves it behind."""
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
    """It is YAML with short tags, or JSON. The stack's parameters come with it."""
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


def add_detection(stub: Stubber, *statuses: dict[str, str]) -> None:
    stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "d"}, {"StackName": ID})
    for status in statuses:
        answer = {"StackId": ID, "StackDriftDetectionId": "d", "Timestamp": NOW, **status}
        stub.add_response(
            "describe_stack_drift_detection_status", answer, {"StackDriftDetectionId": "d"}
        )


def add_resources(stub: Stubber, **statuses: str) -> None:
    """Let ListStackResources list resources of the type T, by logical id, with these statuses."""
    summaries = [
        {
            "LogicalResourceId": name,
            "ResourceType": "T",
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": NOW,
            "DriftInformation": {"StackResourceDriftStatus": status},
        }
        for name, status in statuses.items()
    ]
    stub.add_response(
        "list_stack_resources", {"StackResourceSummaries": summaries}, {"StackName": ID}
    )


def test_the_drifts_of_a_stack_in_sync_are_not_read(stub: Stubber, drifts: DriftDetection) -> None:
    """The result of the detection is enough."""
    add_detection(
        stub,
        {"DetectionStatus": "DETECTION_IN_PROGRESS"},
        {"DetectionStatus": "DETECTION_COMPLETE", "StackDriftStatus": "IN_SYNC"},
    )
    add_resources(stub, R="IN_SYNC")
    assert drifts.detect("us-east-1", ID) == StackDrift("IN_SYNC")


def test_what_the_detection_left_out_is_told(stub: Stubber, drifts: DriftDetection) -> None:
    """A stack is in sync although a resource that cannot be compared may be deleted."""
    add_detection(stub, {"DetectionStatus": "DETECTION_COMPLETE", "StackDriftStatus": "IN_SYNC"})
    add_resources(stub, R="IN_SYNC", S="NOT_CHECKED")
    found = drifts.detect("us-east-1", ID)
    assert found == StackDrift("IN_SYNC", unchecked=(UncheckedResource("S", "T"),))


def test_a_role_that_may_not_list_resources_still_gets_the_drift(
    stub: Stubber, drifts: DriftDetection
) -> None:
    """What was left out is not known then, which is something else than nothing."""
    add_detection(stub, {"DetectionStatus": "DETECTION_COMPLETE", "StackDriftStatus": "IN_SYNC"})
    stub.add_client_error("list_stack_resources", "AccessDenied", "not authorized")
    assert drifts.detect("us-east-1", ID) == StackDrift("IN_SYNC", unchecked=None)


def test_the_drifted_resources_are_read_to_the_last_page(
    stub: Stubber, drifts: DriftDetection
) -> None:
    """A modified resource has its differences; a deleted one has none."""
    add_detection(stub, {"DetectionStatus": "DETECTION_COMPLETE", "StackDriftStatus": "DRIFTED"})
    request = {"StackName": ID, "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
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
        "describe_stack_resource_drifts",
        {"StackResourceDrifts": [first], "NextToken": "n"},
        request,
    )
    stub.add_response(
        "describe_stack_resource_drifts",
        {"StackResourceDrifts": [second]},
        {**request, "NextToken": "n"},
    )
    add_resources(stub, R="MODIFIED", S="DELETED")
    assert drifts.detect("us-east-1", ID) == StackDrift(
        "DRIFTED",
        (
            ResourceDrift("R", "T", "MODIFIED", (Difference("/A", "1", "2"),)),
            ResourceDrift("S", "T", "DELETED"),
        ),
    )


def test_a_failed_detection_has_its_reason_and_the_drift_that_it_found(
    stub: Stubber, drifts: DriftDetection
) -> None:
    """One resource could not be read. The drift of the others is known."""
    failed = {
        "DetectionStatus": "DETECTION_FAILED",
        "StackDriftStatus": "UNKNOWN",
        "DetectionStatusReason": "no permission",
    }
    add_detection(stub, failed)
    stub.add_response(
        "describe_stack_resource_drifts",
        {"StackResourceDrifts": []},
        {"StackName": ID, "StackResourceDriftStatusFilters": ANY},
    )
    add_resources(stub)
    assert drifts.detect("us-east-1", ID) == StackDrift("UNKNOWN", (), "no permission")
