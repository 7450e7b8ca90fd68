"""The CloudFormation adapter against botocore's own model of the service: requests and results."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.changesets import CAPABILITIES
from deploytool.aws.cloudformation import CloudFormation
from deploytool.core.errors import DeploytoolError, StackExists
from deploytool.core.stacks.stack import StackRequest, StackStatus

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/hello-dev-api/1"
SET = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/token/1"
REQUEST = StackRequest("hello-dev-api", "Resources: {}", {"A": "1"}, {"k": "v"}, "token")
BODY = {
    "StackName": "hello-dev-api",
    "TemplateBody": "Resources: {}",
    "Parameters": [{"ParameterKey": "A", "ParameterValue": "1"}],
    "Tags": [{"Key": "k", "Value": "v"}],
    "Capabilities": CAPABILITIES,
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def adapter(calls: CloudFormationCalls) -> CloudFormation:
    return CloudFormation(calls)


def test_a_creation_carries_our_token_and_needs_no_change_set(
    stub: Stubber, adapter: CloudFormation
) -> None:
    """It is one CreateStack."""
    stub.add_response(
        "create_stack",
        {"StackId": ID},
        {**BODY, "ClientRequestToken": "token", "OnFailure": "ROLLBACK"},
    )
    assert adapter.create("us-east-1", REQUEST) == ID


def test_the_creation_of_a_protected_stage_turns_termination_protection_on(
    stub: Stubber, adapter: CloudFormation
) -> None:
    """For an existing stack, another call turns it on and off."""
    request = {
        **BODY,
        "ClientRequestToken": "token",
        "OnFailure": "ROLLBACK",
        "EnableTerminationProtection": True,
    }
    stub.add_response("create_stack", {"StackId": ID}, request)
    adapter.create("us-east-1", replace(REQUEST, protected=True))
    for on in (True, False):
        stub.add_response(
            "update_termination_protection",
            {},
            {"StackName": ID, "EnableTerminationProtection": on},
        )
        adapter.protect("us-east-1", ID, on=on)


def test_express_mode_is_requested_with_rollback(stub: Stubber, adapter: CloudFormation) -> None:
    """It is requested in a creation and in a change set. Botocore's model of the service has the
    argument and its value.
    """
    body = {**BODY, "DeploymentConfig": {"Mode": "EXPRESS", "DisableRollback": False}}
    stub.add_response("create_stack", {"StackId": ID}, {**body, "ClientRequestToken": "token"})
    adapter.create("us-east-1", replace(REQUEST, express=True))
    names = {"ChangeSetName": "token", "ClientToken": "token", "ChangeSetType": "UPDATE"}
    stub.add_response("create_change_set", {"Id": SET, "StackId": ID}, {**body, **names})
    stub.add_response(
        "describe_change_set",
        {"Status": "CREATE_COMPLETE", "StackId": ID, "ExecutionStatus": "AVAILABLE"},
    )
    stub.add_response(
        "execute_change_set", {}, {"ChangeSetName": SET, "ClientRequestToken": "token"}
    )
    assert adapter.update("us-east-1", replace(REQUEST, express=True)) == ID
    modes = stub.client.meta.service_model.shape_for("DeploymentConfig").members["Mode"].enum
    assert "EXPRESS" in modes


@pytest.mark.parametrize("code", ["AlreadyExistsException", "TokenAlreadyExistsException"])
def test_a_name_or_token_that_is_taken_is_its_own_error(
    stub: Stubber, adapter: CloudFormation, code: str
) -> None:
    """The caller reads the existing stack then."""
    stub.add_client_error("create_stack", code, "it exists")
    with pytest.raises(StackExists, match="it exists"):
        adapter.create("us-east-1", REQUEST)


@pytest.mark.parametrize(
    ("status", "executes"), [("AVAILABLE", True), ("EXECUTE_IN_PROGRESS", False)]
)
def test_a_change_set_that_a_killed_run_left_is_used(
    stub: Stubber, adapter: CloudFormation, status: str, executes: bool
) -> None:
    """Its name is the token, so it has the requested content. It is not executed twice."""
    stub.add_client_error("create_change_set", "AlreadyExistsException")
    stub.add_response(
        "describe_change_set",
        {"ChangeSetId": SET},
        {"StackName": "hello-dev-api", "ChangeSetName": "token"},
    )
    found = {"Status": "CREATE_COMPLETE", "StackId": ID, "ExecutionStatus": status}
    stub.add_response("describe_change_set", found, {"ChangeSetName": SET})
    if executes:
        stub.add_response(
            "execute_change_set", {}, {"ChangeSetName": SET, "ClientRequestToken": "token"}
        )
    assert adapter.update("us-east-1", REQUEST) == ID


def test_rollbacks_are_continued_and_updates_cancelled_with_our_token(
    stub: Stubber, adapter: CloudFormation
) -> None:
    """The token identifies their events."""
    for method in ("continue_update_rollback", "cancel_update_stack"):
        stub.add_response(method, {}, {"StackName": ID, "ClientRequestToken": "token"})
    adapter.continue_rollback("us-east-1", ID, "token")
    adapter.cancel_update("us-east-1", ID, "token")


def add_events(stub: Stubber, token: str) -> None:
    """Let the next read find an event with this token as the stack's newest."""
    event = {
        "StackId": ID,
        "EventId": "1",
        "StackName": "hello-dev-api",
        "Timestamp": NOW,
        "LogicalResourceId": "hello-dev-api",
        "ResourceType": "AWS::CloudFormation::Stack",
        "ResourceStatus": "UPDATE_IN_PROGRESS",
        "ClientRequestToken": token,
    }
    stub.add_response("describe_stack_events", {"StackEvents": [event]}, {"StackName": ID})


OPERATIONS = {
    "delete_stack": CloudFormation.delete,
    "continue_update_rollback": CloudFormation.continue_rollback,
    "cancel_update_stack": CloudFormation.cancel_update,
}


@pytest.mark.parametrize("method", OPERATIONS)
def test_an_operation_whose_answer_was_lost_has_begun(
    stub: Stubber, adapter: CloudFormation, method: str
) -> None:
    """Botocore repeats the call, which the stack's new state refuses. An event has the token."""
    stub.add_client_error(method, "ValidationError", "not in this state")
    add_events(stub, "token")
    OPERATIONS[method](adapter, "us-east-1", ID, "token")

    stub.add_client_error(method, "ValidationError", "not in this state")
    add_events(stub, "that of another run")
    with pytest.raises(DeploytoolError, match="not in this state"):
        OPERATIONS[method](adapter, "us-east-1", ID, "token")


@pytest.mark.parametrize("code", ["InvalidChangeSetStatus", "ChangeSetNotFound"])
def test_a_change_set_whose_execution_was_not_answered_is_executed(
    stub: Stubber, adapter: CloudFormation, code: str
) -> None:
    """CloudFormation refuses to execute it twice, and deletes it when the update has ended."""
    stub.add_response("create_change_set", {"Id": SET, "StackId": ID})
    complete = {"Status": "CREATE_COMPLETE", "StackId": ID}
    stub.add_response("describe_change_set", complete, {"ChangeSetName": SET})
    stub.add_client_error("execute_change_set", code)
    add_events(stub, "token")
    assert adapter.update("us-east-1", REQUEST) == ID


def test_an_update_goes_through_a_change_set_that_is_waited_for(
    stub: Stubber, adapter: CloudFormation, clock: Any
) -> None:
    """It is executed when it is complete, with our token. The waits grow."""
    stub.add_response(
        "create_change_set",
        {"Id": SET, "StackId": ID},
        {**BODY, "ChangeSetName": "token", "ClientToken": "token", "ChangeSetType": "UPDATE"},
    )
    for status in ("CREATE_PENDING", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"):
        stub.add_response(
            "describe_change_set", {"Status": status, "StackId": ID}, {"ChangeSetName": SET}
        )
    stub.add_response(
        "execute_change_set", {}, {"ChangeSetName": SET, "ClientRequestToken": "token"}
    )
    assert adapter.update("us-east-1", REQUEST) == ID
    assert clock.slept == pytest.approx([0.2, 0.3])


def test_a_repair_asks_for_a_drift_aware_change_set(stub: Stubber, adapter: CloudFormation) -> None:
    """An ordinary update does not: it has no DeploymentMode, as the test above says."""
    stub.add_response(
        "create_change_set",
        {"Id": SET, "StackId": ID},
        {
            **BODY,
            "ChangeSetName": "token",
            "ClientToken": "token",
            "ChangeSetType": "UPDATE",
            "DeploymentMode": "REVERT_DRIFT",
        },
    )
    complete = {"Status": "CREATE_COMPLETE", "StackId": ID}
    stub.add_response("describe_change_set", complete, {"ChangeSetName": SET})
    stub.add_response(
        "execute_change_set", {}, {"ChangeSetName": SET, "ClientRequestToken": "token"}
    )
    assert adapter.update("us-east-1", replace(REQUEST, reverts_drift=True)) == ID


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information",
        "No updates are to be performed.",
    ],
)
def test_a_change_set_without_changes_is_removed_and_is_no_error(
    stub: Stubber, adapter: CloudFormation, reason: str
) -> None:
    """Its status is FAILED."""
    stub.add_response("create_change_set", {"Id": SET, "StackId": ID})
    stub.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": reason})
    stub.add_response("delete_change_set", {}, {"ChangeSetName": SET})
    assert adapter.update("us-east-1", REQUEST) is None


def test_the_failure_of_a_change_set_is_an_error_with_its_reason(
    stub: Stubber, adapter: CloudFormation
) -> None:
    """The change set is deleted."""
    stub.add_response("create_change_set", {"Id": SET, "StackId": ID})
    stub.add_response(
        "describe_change_set",
        {"Status": "FAILED", "StatusReason": "Parameters: [B] must have values"},
    )
    stub.add_response("describe_events", {"OperationEvents": []})
    stub.add_response("delete_change_set", {}, {"ChangeSetName": SET})
    with pytest.raises(DeploytoolError, match="must have values"):
        adapter.update("us-east-1", REQUEST)


def test_a_listing_gives_outputs_fingerprint_and_status(
    stub: Stubber, adapter: CloudFormation
) -> None:
    """Every page is read."""
    own = {
        "StackName": "hello-dev-api",
        "StackId": ID,
        "StackStatus": "UPDATE_COMPLETE",
        "CreationTime": NOW,
        "LastUpdatedTime": NOW.replace(year=2027),
        "Description": "An API [deploytool:0123456789abcdef]",
        "Outputs": [{"OutputKey": "RestApiId", "OutputValue": "abc"}],
        "Parameters": [
            {"ParameterKey": "Image", "ParameterValue": "/image", "ResolvedValue": "ami-1"},
            {"ParameterKey": "Size", "ParameterValue": "2"},
        ],
    }
    other = {
        "StackName": "other",
        "StackId": ID + "2",
        "StackStatus": "CREATE_COMPLETE",
        "CreationTime": NOW,
    }
    stub.add_response("describe_stacks", {"Stacks": [own], "NextToken": "more"}, {})
    stub.add_response("describe_stacks", {"Stacks": [other]}, {"NextToken": "more"})
    stacks = adapter.list("us-east-1")
    stack = stacks["hello-dev-api"]
    assert (stack.status, stack.outputs, stack.fingerprint) == (
        StackStatus.UPDATE_COMPLETE,
        {"RestApiId": "abc"},
        "0123456789abcdef",
    )
    assert stack.changed_at.startswith("2027")
    assert stack.parameters == {"Image": "/image", "Size": "2"}
    assert stack.resolved == {"Image": "ami-1"}
    assert stacks["other"].fingerprint is None


def test_events_of_older_operations_are_not_read(stub: Stubber, adapter: CloudFormation) -> None:
    """Events are newest first, so the page that ends with another token is the last."""

    def event(number: int, token: str) -> dict[str, Any]:
        return {
            "StackId": ID,
            "EventId": str(number),
            "StackName": "s",
            "LogicalResourceId": "A",
            "ResourceType": "T",
            "ResourceStatus": "CREATE_COMPLETE",
        } | {
            "Timestamp": NOW,
            "ClientRequestToken": token,
        }

    stub.add_response(
        "describe_stack_events",
        {"StackEvents": [event(4, "token"), event(3, "token")], "NextToken": "2"},
        {"StackName": ID},
    )
    stub.add_response(
        "describe_stack_events",
        {"StackEvents": [event(2, "token"), event(1, "older")], "NextToken": "3"},
        {"StackName": ID, "NextToken": "2"},
    )
    assert len(adapter.events("us-east-1", ID, "token")) == 3


VALIDATION_EVENT = {
    "EventId": "1",
    "StackId": ID,
    "EventType": "VALIDATION_ERROR",
    "LogicalResourceId": "Log",
    "ResourceType": "AWS::Logs::LogGroup",
    "ValidationFailureMode": "FAIL",
    "ValidationName": "NAME_CONFLICT_VALIDATION",
    "ValidationStatusReason": "Resource of type 'AWS::Logs::LogGroup' with identifier 'x' exists",
    "ValidationPath": "/Resources/Log",
    "Timestamp": NOW,
}
WARNING_EVENT = VALIDATION_EVENT | {
    "ValidationFailureMode": "WARN",
    "ValidationStatusReason": "a quota is nearly used up",
}
STACK_EVENT = {
    "EventId": "2",
    "StackId": ID,
    "PhysicalResourceId": ID,
    "EventType": "PROVISIONING_ERROR",
    "ResourceStatusReason": "Validation failed with 1 error(s)",
    "Timestamp": NOW,
}
EARLY = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]."
    " To troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure"
    " information."
)


def add_failed_change_set(stub: Stubber) -> None:
    stub.add_response("create_change_set", {"Id": SET, "StackId": ID})
    stub.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": EARLY})


def test_a_change_set_that_fails_validation_names_the_resource_and_the_place(
    stub: Stubber, adapter: CloudFormation
) -> None:
    """The events are read by the change set's ARN, every page, before it is deleted."""
    add_failed_change_set(stub)
    asked = {"ChangeSetName": SET, "Filters": {"FailedEvents": True}}
    first = {"OperationEvents": [STACK_EVENT, WARNING_EVENT], "NextToken": "more"}
    stub.add_response("describe_events", first, asked)
    stub.add_response(
        "describe_events", {"OperationEvents": [VALIDATION_EVENT]}, {**asked, "NextToken": "more"}
    )
    stub.add_response("delete_change_set", {}, {"ChangeSetName": SET})
    with pytest.raises(DeploytoolError) as caught:
        adapter.update("us-east-1", REQUEST)
    assert str(caught.value) == (
        "the change set failed: Log (AWS::Logs::LogGroup): Resource of type 'AWS::Logs::LogGroup'"
        " with identifier 'x' exists (at /Resources/Log)"
    )


@pytest.mark.parametrize(
    ("code", "note"),
    [
        ("AccessDenied", "lacks the permission cloudformation:DescribeEvents"),
        ("InvalidAction", "no such action (InvalidAction)"),
    ],
)
def test_a_role_that_may_not_read_the_reasons_still_learns_what_failed(
    stub: Stubber, adapter: CloudFormation, code: str, note: str
) -> None:
    """A role that an older version created has no such permission. That is a note, not the error."""
    add_failed_change_set(stub)
    stub.add_client_error("describe_events", code, "no such action")
    stub.add_response("delete_change_set", {}, {"ChangeSetName": SET})
    with pytest.raises(DeploytoolError) as caught:
        adapter.update("us-east-1", REQUEST)
    assert type(caught.value) is DeploytoolError
    assert EARLY in str(caught.value)
    assert note in str(caught.value)


def test_the_reasons_of_a_stack_s_operation_are_read_by_its_id(
    stub: Stubber, adapter: CloudFormation
) -> None:
    """A stack's latest operation is its rollback. It is asked about only where no id is known."""
    filters = {"FailedEvents": True}
    answer = {"OperationEvents": [VALIDATION_EVENT]}
    stub.add_response("describe_events", answer, {"OperationId": "op", "Filters": filters})
    stub.add_response("describe_events", answer, {"StackName": ID, "Filters": filters})
    for operation_id in ("op", ""):
        [failure] = adapter.failure_report("us-east-1", ID, operation_id).failures
        assert failure.path == "/Resources/Log"


def test_a_stack_of_a_status_that_is_not_known_yet_does_not_end_a_listing(
    stub: Stubber, adapter: CloudFormation
) -> None:
    """It may be anybody's."""
    other = {"StackName": "o", "StackId": ID, "StackStatus": "MOVED", "CreationTime": NOW}
    stub.add_response("describe_stacks", {"Stacks": [other]}, {})
    assert adapter.list("us-east-1")["o"].status == "MOVED"
