"""CloudFormation in memory, on a virtual clock, for the tests of deployments.

Nothing is patched into it. A test sets in its fields how long an operation takes, how it fails, and
what happens before a call.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from deploytool.core.errors import ApiUnavailable, StackExists
from deploytool.core.project.template import fingerprint_in
from deploytool.core.project.yamltext import load_yaml
from deploytool.core.stacks.changes import DeployedTemplate
from deploytool.core.stacks.failures import FailureReport
from deploytool.core.stacks.stack import (
    STACK_TYPE,
    VALIDATION_FAILED,
    Stack,
    StackEvent,
    StackRequest,
    StackStatus,
)
from deploytool.simulated.executor import VirtualClock

Answer = TypeVar("Answer")

# The status of a stack whose operation failed.
_BAD_ENDS = {
    "CREATE": "ROLLBACK_COMPLETE",
    "UPDATE": "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK": "UPDATE_ROLLBACK_FAILED",
    "DELETE": "DELETE_FAILED",
}
_START = datetime(2026, 1, 1, tzinfo=UTC)  # the time of events at second 0 of the clock
_RESOURCE_TYPE = "AWS::Some::Thing"
_LATEST = 100  # how many events one call returns
NESTED = "arn:nested"  # the id of a nested stack


class Killed(BaseException):
    """The process ends here: none of its code runs any more."""


@dataclass
class Call:
    """A call that is being made: its method, region and stack id (empty for a listing)."""

    method: str
    region: str
    stack_id: str = ""


@dataclass
class ChangeUnderWay:
    """An operation in progress. `ends` is in the clock's seconds; `fails` is the cause, or empty.

    `ends_as` is the status after a cancellation. `fingerprint` is the stack's before the change.
    """

    action: str
    token: str
    ends: float
    fails: str = ""
    request: StackRequest | None = None
    ends_as: str = ""
    fingerprint: str | None = None


@dataclass
class StackRecord:
    """A stack with its history. `values` are the parameters, also those that are not shown."""

    stack: Stack
    change: ChangeUnderWay | None = None
    events: list[StackEvent] = field(default_factory=list)
    body: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


def _complete(
    record: StackRecord, status: StackStatus, request: StackRequest, stored: Mapping[str, str]
) -> None:
    """Bring a stack into the state of a request. Its outputs show the parameters.

    Parameters that name a value in Parameter Store take it from `stored`.
    """
    values: dict[str, str] = {}
    for name, value in request.parameters.items():
        values[name] = record.values[name] if name in request.kept else value

    document = _parsed(request.body)
    declared = document.get("Parameters", {})
    hidden = {name for name in values if declared.get(name, {}).get("NoEcho", False)}
    shown = {name: "****" if name in hidden else value for name, value in values.items()}

    # DescribeStacks shows these parameters also where the default counts.
    resolved: dict[str, str] = {}
    for name, spec in declared.items():
        if str(spec.get("Type", "")).startswith("AWS::SSM::Parameter::Value"):
            shown.setdefault(name, str(spec.get("Default", "")))
            resolved[name] = stored[shown[name]]

    all_values = ",".join(sorted(values.values()))
    names = document.get("Outputs", {})
    record.body = request.body
    record.values = values
    record.stack = replace(
        record.stack,
        status=status,
        outputs={name: f"{request.name}.{name}({all_values})" for name in names},
        parameters=shown,
        resolved=resolved,
        tags=dict(request.tags),
    )


@cache
def _parsed(body: str) -> Any:  # noqa: ANN401  # a template
    return load_yaml(body, "the request")


def _nothing_before(_call: Call) -> None:
    """Do nothing before a call."""


@dataclass
class SimulatedStacks:
    """The Stacks port. Comments describe the fields that a test can set."""

    clock: VirtualClock

    # By stack name: how many seconds an operation takes (1 unless given), the cause with which it
    # fails, the cause with which it fails inside a nested stack, and the seconds of the clean-up
    # after an update.
    durations: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    nested_failures: dict[str, str] = field(default_factory=dict)
    cleanups: dict[str, float] = field(default_factory=dict)

    # The reasons of a failed validation, by operation id; a failure of a stack whose name is an
    # operation id here has no event of a resource.
    reports: dict[str, FailureReport] = field(default_factory=dict)

    # The stacks with a resource that was changed or deleted outside CloudFormation, by name and
    # region. A drift-aware update brings it back.
    drifted: set[tuple[str, str]] = field(default_factory=set)

    # The values in Parameter Store, by name, in every region.
    stored: dict[str, str] = field(default_factory=dict)

    # How many answers after the start of an operation still show the state before it.
    stale: int = 0

    # Regions in which the creation token of a deleted stack is refused, and those in which it
    # answers with that stack. Elsewhere it is forgotten.
    old_tokens_refused: frozenset[str] = frozenset()
    old_tokens_answer: frozenset[str] = frozenset()

    # Regions whose API does not answer: every call raises ApiUnavailable.
    dead: set[str] = field(default_factory=set)

    # Called before each call. It may raise an error or change the stacks.
    before_call: Callable[[Call], None] = _nothing_before

    # The process ends at the call of this number: "before" it has an effect, or "after" it, so that
    # its answer is lost.
    kill_at: tuple[int, str] = (0, "before")
    killed: type[BaseException] = Killed

    # What has happened: the stacks by region and id; each call's method and region; the requests;
    # and each operation's start, action, stack name and region.
    records: dict[tuple[str, str], StackRecord] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    requests: list[StackRequest] = field(default_factory=list)
    history: list[tuple[float, str, str, str]] = field(default_factory=list)
    _shown: dict[str, tuple[int, Stack]] = field(default_factory=dict)
    _ended_at: float | None = None

    # The port

    def list(self, region: str) -> Mapping[str, Stack]:
        self._call("list", region)
        stacks = [self._maybe_stale(record.stack) for record in self.living(region)]
        return self._answer({stack.name: stack for stack in stacks})

    def get(self, region: str, stack_id: str) -> Stack:
        self._call("get", region, stack_id)
        return self._answer(self._maybe_stale(self.records[region, stack_id].stack))

    def create(self, region: str, request: StackRequest) -> str:
        self._call("create", region)
        self.requests.append(request)
        old_stack_id = self._use_token(region, request)
        if old_stack_id:
            return old_stack_id

        stack_id = f"arn:{region}:{request.name}:{len(self.records)}"
        status = StackStatus.CREATE_IN_PROGRESS
        stack = Stack(
            request.name,
            stack_id,
            status,
            {},
            tags=dict(request.tags),
            protected=request.protected,
        )
        self.records[region, stack_id] = StackRecord(stack)
        self.begin(region, stack_id, "CREATE", request.token, request)
        return self._answer(stack_id)

    def _use_token(self, region: str, request: StackRequest) -> str:
        """Return the stack that the token has created, if it has created one.

        Raises StackExists when the name is taken, or the token by a deleted stack.
        """
        for (where, stack_id), record in self.records.items():
            deleted = record.stack.status is StackStatus.DELETE_COMPLETE
            if where != region or record.stack.name != request.name:
                continue
            if record.events[0].token != request.token:
                if not deleted:
                    raise StackExists(f"{request.name} exists already")
            elif not deleted or region in self.old_tokens_answer:
                return stack_id
            elif region in self.old_tokens_refused:
                raise StackExists("A client request token already exists")
        return ""

    def update(self, region: str, request: StackRequest) -> str | None:
        self._call("update", region)
        self.requests.append(request)
        record = self.record(request.name, region)
        stack_id = record.stack.id
        if record.change and record.change.token == request.token:
            return stack_id  # the same call again
        drift = (request.name, region)
        unchanged = fingerprint_in(_parsed(request.body)["Description"]) == record.stack.fingerprint
        if request.reverts_drift and unchanged and drift not in self.drifted:
            return self._answer(None)
        self.drifted.discard(drift)
        self.begin(region, stack_id, "UPDATE", request.token, request)
        return self._answer(stack_id)

    def delete(self, region: str, stack_id: str, token: str) -> None:
        self._call("delete", region, stack_id)
        record = self.records[region, stack_id]
        if any(event.token == token for event in record.events):
            return  # the same call again
        if record.stack.protected:
            raise AssertionError("the stack has termination protection")
        self.begin(region, stack_id, "DELETE", token)
        self._answer(None)

    def continue_rollback(self, region: str, stack_id: str, token: str) -> None:
        self._call("continue", region, stack_id)
        if self.records[region, stack_id].stack.status is not StackStatus.UPDATE_ROLLBACK_FAILED:
            raise AssertionError("only a failed rollback can be continued")
        self.begin(region, stack_id, "UPDATE_ROLLBACK", token)
        self._answer(None)

    def cancel_update(self, region: str, stack_id: str, token: str) -> None:
        self._call("cancel", region, stack_id)
        record = self.records[region, stack_id]
        change = record.change
        if change is None or record.stack.status is not StackStatus.UPDATE_IN_PROGRESS:
            raise AssertionError("no update is in progress")
        change.token = token
        change.ends_as = "UPDATE_ROLLBACK_COMPLETE"
        change.ends = self.clock.now() + 1.0
        self._set(record, "UPDATE_ROLLBACK_IN_PROGRESS", token)
        self._answer(None)

    def protect(self, region: str, stack_id: str, *, on: bool) -> None:
        self._call("protect", region, stack_id)
        record = self.records[region, stack_id]
        record.stack = replace(record.stack, protected=on)
        self._answer(None)

    def events(self, region: str, stack_id: str, *tokens: str) -> Sequence[StackEvent]:
        self._call("events", region, stack_id)
        newest_first = reversed(self.records[region, stack_id].events)
        return self._answer([event for event in newest_first if event.token in tokens])

    def latest_events(self, region: str, stack_id: str) -> Sequence[StackEvent]:
        self._call("latest", region, stack_id)
        if stack_id == NESTED:
            return self._answer(self._nested_events())
        newest_first = reversed(self.records[region, stack_id].events)
        return self._answer([*newest_first][:_LATEST])

    def failure_report(self, region: str, stack_id: str, operation_id: str) -> FailureReport:
        self._call("failure_report", region, stack_id)
        return self._answer(self.reports.get(operation_id, FailureReport()))

    def deployed(self, region: str, stack_id: str) -> DeployedTemplate:
        """Answer as the DeployedTemplates port."""
        self._call("template", region, stack_id)
        record = self.records[region, stack_id]
        return self._answer(DeployedTemplate(_parsed(record.body), record.stack.parameters))

    # For tests

    def find(self, name: str, region: str) -> Stack:
        """Return the one living stack of that name."""
        return self.record(name, region).stack

    def record(self, name: str, region: str) -> StackRecord:
        """Return the one living stack of that name, with its history."""
        (record,) = [record for record in self.living(region) if record.stack.name == name]
        return record

    def living(self, region: str) -> Sequence[StackRecord]:
        """Return the stacks of a region that are not deleted."""
        return [
            record
            for (where, _), record in self.records.items()
            if where == region and record.stack.status is not StackStatus.DELETE_COMPLETE
        ]

    def put(self, name: str, region: str, status: StackStatus, reason: str = "") -> None:
        """Bring a stack into a state, as someone else or AWS would."""
        record = self.record(name, region)
        record.change = None
        record.stack = replace(record.stack, status=status, reason=reason)

    def begin(
        self,
        region: str,
        stack_id: str,
        action: str,
        token: str,
        request: StackRequest | None = None,
    ) -> None:
        """Begin an operation, also as someone else would."""
        record = self.records[region, stack_id]
        name = record.stack.name
        now = self.clock.now()
        self.history.append((now, action, name, region))
        self._shown[stack_id] = (self.stale, record.stack)

        failure = self.failures.get(name, self.nested_failures.get(name, ""))
        ends = now + self.durations.get(name, 1.0)
        before = record.stack.fingerprint
        record.change = ChangeUnderWay(action, token, ends, failure, request, fingerprint=before)

        if request:
            description = _parsed(request.body)["Description"]
            record.stack = replace(record.stack, fingerprint=fingerprint_in(description))
        if action != "DELETE":
            record.stack = replace(record.stack, changed_at=str(now))
        self._set(record, f"{action}_IN_PROGRESS", token)

    # Time and events

    def _call(self, method: str, region: str, stack_id: str = "") -> None:
        self.calls.append((method, region))
        if self.kill_at == (len(self.calls), "before"):
            raise self.killed
        if region in self.dead:
            raise ApiUnavailable(f"{method} in {region}: Service Unavailable (503)", region)
        self.before_call(Call(method, region, stack_id))
        self._end_changes()

    def _answer(self, answer: Answer) -> Answer:
        if self.kill_at == (len(self.calls), "after"):
            raise self.killed
        return answer

    def _end_changes(self) -> None:
        """End the operations whose time has come."""
        for record in self.records.values():
            change = record.change
            if change is None or change.ends > self.clock.now():
                continue
            self._ended_at = change.ends
            if not self._clean_up(record, change):
                record.change = None
                self._end(record, change)
            self._ended_at = None

    def _clean_up(self, record: StackRecord, change: ChangeUnderWay) -> bool:
        """Let a good update clean up first, if it has a clean-up; return whether it has."""
        seconds = self.cleanups.get(record.stack.name, 0.0)
        cleaning = record.stack.status is StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
        if change.action != "UPDATE" or not seconds or cleaning:
            return False
        status = StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
        self._set(record, status, change.token, change.request)
        change.ends += seconds
        return True

    def _end(self, record: StackRecord, change: ChangeUnderWay) -> None:
        undone = bool(change.fails or change.ends_as)
        if change.action == "UPDATE" and undone:
            record.stack = replace(record.stack, fingerprint=change.fingerprint)

        if change.fails:
            self._fail(record, change)
            self._set(record, _BAD_ENDS[change.action], change.token)
        elif change.ends_as:
            self._set(record, change.ends_as, change.token)
        else:
            self._set(record, f"{change.action}_COMPLETE", change.token, change.request)

    def _fail(self, record: StackRecord, change: ChangeUnderWay) -> None:
        """Add the events of a resource that failed, and of another that was cancelled for it."""
        status = f"{change.action.removesuffix('_ROLLBACK')}_FAILED"
        token = change.token
        if record.stack.name in self.reports:
            # The event of the stack that the validation fails with, and the start of the rollback
            self._validation_event(record, status, change.fails, token)
            return
        if record.stack.name in self.nested_failures:
            reason = "Embedded stack was not successfully created"
            self._event(record, "Thing", STACK_TYPE, status, reason, token, NESTED)
        else:
            self._event(record, "Thing", _RESOURCE_TYPE, status, change.fails, token)
        cancelled = "Resource creation cancelled"
        self._event(record, "Other", _RESOURCE_TYPE, status, cancelled, token)

    def _validation_event(self, record: StackRecord, status: str, reason: str, token: str) -> None:
        stack = record.stack
        self._event(record, stack.name, STACK_TYPE, status, reason, token, stack.id)
        record.events[-1] = replace(
            record.events[-1], operation_id=stack.name, detailed_status=VALIDATION_FAILED
        )

    def _nested_events(self) -> Sequence[StackEvent]:
        """Return the events inside the nested stack, newest first."""
        (reason,) = self.nested_failures.values()
        cause = StackEvent(_START, "Table", "T", "CREATE_FAILED", reason, "", "")
        cancelled = replace(cause, logical_id="Other", reason="Resource creation cancelled")
        return [cancelled, cause]

    def _set(
        self, record: StackRecord, status: str, token: str, request: StackRequest | None = None
    ) -> None:
        old = record.stack
        if request is None:
            record.stack = replace(old, status=StackStatus(status))
        else:
            _complete(record, StackStatus(status), request, self.stored)
        self._event(record, old.name, STACK_TYPE, status, "", token, old.id)

    def _event(
        self,
        record: StackRecord,
        logical_id: str,
        resource_type: str,
        status: str,
        reason: str,
        token: str,
        physical_id: str = "",
    ) -> None:
        now = self.clock.now() if self._ended_at is None else self._ended_at
        # Each event is a little later than the one before, so that they have an order.
        at = _START + timedelta(seconds=now, microseconds=len(record.events))
        event = StackEvent(at, logical_id, resource_type, status, reason, token, physical_id)
        record.events.append(event)

    def _maybe_stale(self, stack: Stack) -> Stack:
        """Return the state before the operation, as often as `stale` says."""
        left, past = self._shown.get(stack.id, (0, stack))
        if left <= 0:
            return stack
        self._shown[stack.id] = (left - 1, past)
        return past
