"""Whether an operation has ended and how, read from its own events."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploytool.core.errors import DeploytoolError
from deploytool.core.ports import Clock
from deploytool.core.stacks.ports import Stacks
from deploytool.core.stacks.repair import Repair, command_for, repair_of
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

# Seconds between looks at a stale answer, and how many (about 45 s)
FIRST_WAIT, LONGEST_WAIT, TRIES = 0.3, 5.0, 12


@dataclass(frozen=True)
class Completed:
    """How an operation ended. `stack` is what it left when that is as wanted, `cause` and `hint`
    are said when it is not.
    """

    status: StackStatus
    stack: Stack | None = None
    cause: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Completions:
    """Looks for the ends of operations; every method makes calls, so it is called beside the
    engine.
    """

    stacks: Stacks
    clock: Clock

    def ended(
        self, region: str, begun: Started, seen: Stack | None, *, taken_over: bool
    ) -> Completed | None:
        """The end, or None while it runs. `seen` is what the last listing showed.

        With `taken_over` it is also asked whether someone else's operation has ended on the stack
        since ours began.
        """
        events = self.stacks.events(region, begun.stack_id, *begun.tokens)
        status = end_of(events, begun.stack_id, *begun.tokens)
        if status is None:
            return self._taken_over(region, begun) if taken_over else None
        if status in begun.wanted:
            return Completed(status, self._left(region, begun, seen, status))
        cause = self._cause(region, begun, events)
        said = (
            f"{cause.logical_id} ({cause.type}): {cause.reason or cause.status}"
            if cause
            else f"ended as {status}"
        )
        hint = ""
        if (
            repair_of(status, ours=True) in (Repair.EXPLAIN, Repair.CONTINUE)
            or status is StackStatus.ROLLBACK_FAILED
        ):
            hint = command_for(
                status, begun.name, region, rollback_failures(events, begun.stack_id)
            )
        return Completed(status, None, said, hint)

    def _cause(
        self, region: str, begun: Started, events: Sequence[StackEvent]
    ) -> StackEvent | None:
        """The first cause; where that is a nested stack, the first cause in there."""
        cause = first_cause(events, begun.stack_id, *begun.tokens)
        if (
            cause is None
            or cause.type != STACK_TYPE
            or not cause.physical_id
            or cause.physical_id == begun.stack_id
        ):
            return cause
        return (
            first_cause(self.stacks.latest_events(region, cause.physical_id), cause.physical_id)
            or cause
        )

    def _left(self, region: str, begun: Started, seen: Stack | None, status: StackStatus) -> Stack:
        """The stack once DescribeStacks shows the end that its events told; a stale answer is asked
        again.
        """
        if status is StackStatus.DELETE_COMPLETE:
            return Stack(begun.name, begun.stack_id, status, {})
        wait = FIRST_WAIT
        for _ in range(TRIES):
            stack, seen = seen or self.stacks.get(region, begun.stack_id), None
            if begun.is_shown_by(stack) and (stack.status is status or stack.status.is_good_end):
                return stack
            self.clock.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        raise DeploytoolError(
            f"{begun.name} ended as {status}, and CloudFormation still shows {stack.status}",
            hint="run the command again; it goes on where it stopped",
        )

    def _taken_over(self, region: str, begun: Started) -> Completed | None:
        """Someone else's operation that began after ours and has ended: ours is over, whatever it
        did.
        """
        events = self.stacks.latest_events(region, begun.stack_id)
        last = latest_of(events, begun.stack_id)
        if (
            last is None
            or last.token in begun.tokens
            or not any(event.token in begun.tokens for event in events)
        ):
            return None
        status = StackStatus(last.status)
        if not status.is_end:
            return None
        return Completed(
            status,
            None,
            f"someone else's operation ({last.token or 'without a token'}) ended it as {status}",
        )
