"""Whether an operation has ended and how, from the events of its stack."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploytool.core.errors import DeploytoolError
from deploytool.core.ports import Clock
from deploytool.core.stacks.failures import operation_of, stack_reason
from deploytool.core.stacks.ports import Stacks
from deploytool.core.stacks.repair import Repair, command_for, permission_hint, repair_of
from deploytool.core.stacks.stack import (
    STACK_TYPE,
    Stack,
    StackEvent,
    StackStatus,
    end_of,
    first_cause,
    latest_of,
    rollback_failures,
)
from deploytool.work.stacks.operations import Started

# DescribeStacks may answer with an old state for a while after the event of the end. It is asked
# again, at growing intervals in seconds, for about 45 s in all.
FIRST_WAIT = 0.3
LONGEST_WAIT = 5.0
TRIES = 12


@dataclass(frozen=True)
class Completed:
    """How an operation ended.

    `stack` is the stack that a good end left, None after a bad one. Then `cause` says what went
    wrong, and `hint` what to do.
    """

    status: StackStatus
    stack: Stack | None = None
    cause: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Completions:
    """Finds the ends of operations. Every method makes calls, so it runs beside the engine's loop."""

    stacks: Stacks
    clock: Clock

    def find(
        self, region: str, started: Started, listed: Stack | None, *, others_too: bool
    ) -> Completed | None:
        """Return how the operation ended, or None while it runs.

        `listed` is the stack of the last listing. With `others_too` the end of someone else's
        operation counts that started on the stack after ours.
        """
        events = self.stacks.events(region, started.stack_id, *started.tokens)
        status = end_of(events, started.stack_id, *started.tokens)
        if status is None:
            return self._end_of_another(region, started) if others_too else None
        if status in started.good_ends:
            return Completed(status, self._stack_left(region, started, listed, status))

        cause = self._first_cause(region, started, events)
        if cause is not None:
            text = f"{cause.logical_id} ({cause.type}): {cause.reason or cause.status}"
        else:
            shown = listed.reason if listed is not None else ""
            text = self._reason_without_resource(region, started, status, events, shown)
        hint = self._hint(region, started, status, events) or permission_hint(text)
        return Completed(status, None, text, hint)

    def _reason_without_resource(
        self,
        region: str,
        started: Started,
        status: StackStatus,
        events: Sequence[StackEvent],
        shown: str,
    ) -> str:
        """Return why an operation failed although no event of a resource says so.

        CloudFormation refuses an operation before its first resource when a validation or a hook
        fails. `shown` is the reason that DescribeStacks shows.
        """
        reason = stack_reason(events, started.stack_id, *started.tokens) or shown
        summary = f"ended as {status}: {reason}" if reason else f"ended as {status}"
        operation_id = operation_of(events, started.stack_id, *started.tokens)
        report = self.stacks.failure_report(region, started.stack_id, operation_id)
        return report.explain(summary)

    def _hint(
        self, region: str, started: Started, status: StackStatus, events: Sequence[StackEvent]
    ) -> str:
        """Return the command that helps, where the next run cannot repair the stack by itself."""
        by_hand = repair_of(status, ours=True) in (Repair.EXPLAIN, Repair.CONTINUE)
        if not by_hand and status is not StackStatus.ROLLBACK_FAILED:
            return ""
        skipped = rollback_failures(events, started.stack_id)
        return command_for(status, started.stack_name, region, skipped)

    def _first_cause(
        self, region: str, started: Started, events: Sequence[StackEvent]
    ) -> StackEvent | None:
        """Return the event of the first cause; when that is a nested stack, the cause in there.

        None means that no resource failed.
        """
        cause = first_cause(events, started.stack_id, *started.tokens)
        if cause is None or cause.physical_id == started.stack_id:
            return None
        if cause.type != STACK_TYPE or not cause.physical_id:
            return cause
        nested = self.stacks.latest_events(region, cause.physical_id)
        return first_cause(nested, cause.physical_id) or cause

    def _stack_left(
        self, region: str, started: Started, listed: Stack | None, status: StackStatus
    ) -> Stack:
        """Return the stack as soon as DescribeStacks shows the end that the events show.

        Raises DeploytoolError when it never does.
        """
        if status is StackStatus.DELETE_COMPLETE:
            return Stack(started.stack_name, started.stack_id, status, {})

        wait = FIRST_WAIT
        stack = listed or self.stacks.get(region, started.stack_id)
        for _ in range(TRIES):
            ended = stack.status is status or stack.status.is_good_end
            if ended and started.is_shown_by(stack):
                return stack
            self.clock.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
            stack = self.stacks.get(region, started.stack_id)
        raise DeploytoolError(
            f"{started.stack_name} ended as {status}, but CloudFormation still shows {stack.status}",
            hint="run the command again; it continues where it stopped",
        )

    def _end_of_another(self, region: str, started: Started) -> Completed | None:
        """Return the end of someone else's operation that started after ours, if there is one."""
        events = self.stacks.latest_events(region, started.stack_id)
        last = latest_of(events, started.stack_id)
        if last is None or last.token in started.tokens:
            return None
        if not any(event.token in started.tokens for event in events):
            return None  # ours is too old to be listed, or has no event yet

        status = StackStatus(last.status)
        if not status.is_end:
            return None
        token = last.token or "without a token"
        return Completed(status, None, f"someone else's operation ({token}) ended it as {status}")
