"""Runs one operation for each node of a graph, each as soon as the nodes that it needs are done.

One listing of a region shows which of its stacks may have ended, however many there are. Events are
read only for those. Every call is made beside the loop, through the executor. The loop alone holds
the states.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, assert_never

from deploytool.core.errors import DeploytoolError, Throttled
from deploytool.core.ports import Clock, Executor, Result
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.durations import FIRST, LONGEST, jittered, pause
from deploytool.core.stacks.events import (
    CancelRequested,
    Detached,
    Emit,
    RunStarted,
    StackCancelled,
    StackDone,
    StackFailed,
    StackStarted,
    StackWaiting,
    StopRequested,
)
from deploytool.core.stacks.ports import Interrupts, NoInterrupts, Stacks
from deploytool.core.stacks.stack import Stack, StackOperation
from deploytool.work.stacks.completion import Completed, Completions
from deploytool.work.stacks.node_states import (
    LEFT,
    NOT_STARTED,
    Blocked,
    Cancelled,
    Done,
    Failed,
    NodeState,
    Postponed,
    Running,
    Starting,
    Stopped,
    Waiting,
    after_check,
    after_end,
    after_listing,
    after_start,
    cancelled_by,
    first_states,
    in_progress,
    is_finished,
    not_started,
    ready,
)
from deploytool.work.stacks.operations import Operation, Outcome, StartResult, WaitingForOther

# The longest and the shortest wait between two turns of the loop, in seconds: the user may ask to
# stop, and time must pass.
TURN = 0.1
SHORTEST_TURN = 0.005
# How many ends of a stack may stay unconfirmed by an event of ours, before the events of others
# are read too: someone else's operation may have replaced ours.
UNCONFIRMED = 5
# How many listings of a region in a row may be refused; botocore repeats each call itself.
REFUSED_LISTINGS = 5
# How often the user must ask for each.
STOP, CANCEL, DETACH = 1, 2, 3


@dataclass
class _RegionPoll:
    """When a region is listed next, and how many listings in a row were refused."""

    due: float
    listing: bool = False
    refused: int = 0


class Engine:
    """One run over a graph. `random` gives numbers from 0 to 1; `redact` removes secrets from texts.

    `heartbeat` is called in every turn of the loop.
    """

    def __init__(
        self,
        stacks: Stacks,
        clock: Clock,
        executor: Executor,
        emit: Emit,
        *,
        interrupts: Interrupts | None = None,
        random: Callable[[], float] = lambda: 0.5,
        heartbeat: Callable[[], None] = lambda: None,
        redact: Callable[[str], str] = lambda text: text,
    ) -> None:
        self._stacks = stacks
        self._clock = clock
        self._executor = executor
        self._emit = emit
        self._interrupts = interrupts or NoInterrupts()
        self._random = random
        self._heartbeat = heartbeat
        self._redact = redact
        self._completions = Completions(stacks, clock)
        self._states: dict[NodeId, NodeState] = {}
        self._polls: dict[str, _RegionPoll] = {}
        self._calls: dict[Future[Any], Callable[[Any], None]] = {}
        self._durations: dict[tuple[str, StackOperation], float] = {}
        self._stop_level = 0
        self._operation: Operation

    def run(self, edges: Mapping[NodeId, frozenset[NodeId]], operation: Operation) -> Outcome:
        """Bring every node to its end. A failure cancels only the nodes that depend on it.

        Raises DeploytoolError when a region can no longer be listed.
        """
        began = self._clock.now()
        self._operation = operation
        self._states = first_states(edges)
        self._emit(RunStarted(began, tuple(edges), dict(edges)))

        while not is_finished(self._states) and self._stop_level < DETACH:
            self._handle_interrupts()
            self._start_ready()
            self._start_postponed()
            self._poll()
            self._heartbeat()
            if not self._handle_results():
                self._wait()
        return self._outcome(self._clock.now() - began)

    # Calls beside the loop

    def _call(
        self, call: Callable[[], Result], then: Callable[[Result | DeploytoolError], None]
    ) -> None:
        """Start a call. The loop hands its result, or the error that AWS caused, to `then`."""
        self._calls[self._executor.submit(call)] = then

    def _handle_results(self) -> bool:
        """Handle the calls that have ended; return whether there were any.

        An exception that is no DeploytoolError is a bug and ends the run.
        """
        ended = [future for future in self._calls if future.done()]
        for future in ended:
            then = self._calls.pop(future)
            try:
                result = future.result()
            except DeploytoolError as error:
                result = error
            then(result)
        return bool(ended)

    def _wait(self) -> None:
        """Wait until a call ends, a poll is due, or the user may have asked to stop."""
        now = self._clock.now()
        polls = [self._poll_of(region) for region in self._polled_regions()]
        due = [poll.due for poll in polls if not poll.listing]
        due += [state.until for state in self._states.values() if isinstance(state, Postponed)]
        seconds = min(due, default=now + TURN) - now
        seconds = min(max(seconds, SHORTEST_TURN), TURN)

        if self._calls:
            self._executor.wait(self._calls, seconds)
        else:
            self._clock.sleep(seconds)

    # Starting

    def _start_ready(self) -> None:
        """Start the nodes whose needs are done, and cancel those whose needs failed."""
        for node in list(self._states):
            because = cancelled_by(self._states, node)
            if because:
                self._states[node] = Cancelled(because)
                self._emit(StackCancelled(self._clock.now(), node, because))
        for node in ready(self._states):
            self._start(node, self._clock.now())

    def _start_postponed(self) -> None:
        for node, state in self._states.items():
            if isinstance(state, Postponed) and state.until <= self._clock.now():
                self._start(node, state.began)

    def _start(self, node: NodeId, began: float) -> None:
        state = Starting(began)
        self._states[node] = state
        start = partial(self._operation.start, node, self._outputs())
        self._call(start, partial(self._on_started, node, state))

    def _on_started(
        self, node: NodeId, state: Starting, result: StartResult | DeploytoolError
    ) -> None:
        if self._states[node] is not state:
            return  # left to CloudFormation meanwhile; an end stays as it is
        now = self._clock.now()
        new = after_start(state, result, now, stopping=self._stop_level >= STOP)
        self._enter(node, new)

        match new:
            case Running(started):
                self._poll_soon(node.region)
                expected = self._expected(node, new)
                text = started.operation.value
                self._emit(StackStarted(now, node, text, expected, started.resumed))
                if self._stop_level >= CANCEL:
                    self._cancel(node, new)
            case Blocked():
                self._poll_soon(node.region)
                if isinstance(result, WaitingForOther):
                    self._emit(StackWaiting(now, node, result.status, result.holder))

    def _expected(self, node: NodeId, state: Running) -> float | None:
        """Return the expected seconds: those that the same stack took in another region, if any."""
        key = (node.stack, state.started.operation)
        return self._durations.get(key, state.started.expected)

    # Polling

    def _polled_regions(self) -> set[str]:
        """Return the regions with a stack that is waited for."""
        return {
            node.region
            for node, state in self._states.items()
            if isinstance(state, Running | Blocked)
        }

    def _poll_of(self, region: str) -> _RegionPoll:
        return self._polls.setdefault(region, _RegionPoll(self._clock.now() + FIRST))

    def _poll_soon(self, region: str) -> None:
        poll = self._poll_of(region)
        poll.due = min(poll.due, self._clock.now() + FIRST)

    def _poll(self) -> None:
        """List each region whose time has come."""
        for region in sorted(self._polled_regions()):
            poll = self._poll_of(region)
            if not poll.listing and poll.due <= self._clock.now():
                poll.listing = True
                self._call(partial(self._stacks.list, region), partial(self._on_listed, region))

    def _on_listed(self, region: str, result: Mapping[str, Stack] | DeploytoolError) -> None:
        poll = self._poll_of(region)
        poll.listing = False
        if isinstance(result, DeploytoolError):
            poll.refused += 1
            if poll.refused > REFUSED_LISTINGS and not isinstance(result, Throttled):
                raise result
            poll.due = self._clock.now() + LONGEST
            return

        poll.refused = 0
        by_id = {stack.id: stack for stack in result.values()}
        for node, state in list(self._states.items()):
            if node.region != region:
                continue
            match state:
                case Running(started, checking=False):
                    self._check_if_ended(node, state, by_id.get(started.stack_id))
                case Blocked(began, stack_id):
                    stack = by_id.get(stack_id)
                    if stack is None or not stack.status.is_busy:
                        self._start(node, began)
        poll.due = self._clock.now() + self._pause(region)

    def _pause(self, region: str) -> float:
        """Return the seconds until the region's next poll: those of the most urgent stack."""
        now = self._clock.now()
        pauses = [
            pause(now - state.since, self._expected(node, state))
            for node, state in self._states.items()
            if node.region == region and isinstance(state, Running)
        ]
        return jittered(min(pauses, default=LONGEST / 2), self._random())

    def _check_if_ended(self, node: NodeId, state: Running, stack: Stack | None) -> None:
        """Read the events of an operation that may have ended."""
        state, may_have_ended = after_listing(state, stack)
        self._states[node] = replace(state, checking=may_have_ended)
        if not may_have_ended:
            return

        listed = None
        if stack is not None and state.started.is_shown_by(stack):
            listed = stack
        others_too = state.unconfirmed >= UNCONFIRMED
        check = partial(
            self._completions.find, node.region, state.started, listed, others_too=others_too
        )
        self._call(check, partial(self._on_checked, node))

    def _on_checked(self, node: NodeId, result: Completed | DeploytoolError | None) -> None:
        state = self._states[node]
        if not isinstance(state, Running):
            return  # stopped meanwhile
        new = after_check(state, result)
        if not isinstance(new, Completed):
            self._enter(node, new)
            return

        following = after_end(state, new, stopping=self._stop_level >= STOP)
        self._enter(node, following)
        if isinstance(following, Starting) and new.stack is not None:
            operation = state.started.operation
            self._durations[node.stack, operation] = self._clock.now() - state.since
            done = Done(operation, new.stack.outputs, self._clock.now() - state.began)
            follow = partial(self._operation.follow, node, new.stack)
            self._call(follow, partial(self._on_followed, node, following, done))

    def _on_followed(
        self,
        node: NodeId,
        state: Starting,
        done: Done,
        result: StartResult | DeploytoolError | None,
    ) -> None:
        """The node is done, unless another operation follows."""
        if self._states[node] is not state:
            return  # as in _on_started
        if result is None:
            self._enter(node, done)
        else:
            self._on_started(node, state, result)

    # Stopping

    def _handle_interrupts(self) -> None:
        """Do what the user asked for since the last turn, one level after the other."""
        asked = min(self._interrupts.count(), DETACH)
        while self._stop_level < asked:
            self._stop_level += 1
            now = self._clock.now()
            nodes = in_progress(self._states)

            if self._stop_level == STOP:
                for node in not_started(self._states):
                    self._states[node] = Stopped(NOT_STARTED)
                self._emit(StopRequested(now, nodes))
            elif self._stop_level == CANCEL:
                self._emit(CancelRequested(now, nodes))
                for node in nodes:
                    state = self._states[node]
                    if isinstance(state, Running):
                        self._cancel(node, state)
            else:
                for node in nodes:
                    self._states[node] = Stopped(LEFT)
                self._emit(Detached(now, nodes))

    def _cancel(self, node: NodeId, state: Running) -> None:
        cancel = partial(self._operation.cancel, node, state.started)
        self._call(cancel, partial(self._on_cancelled, node, state.started.token))

    def _on_cancelled(self, node: NodeId, token: str, result: str | DeploytoolError | None) -> None:
        """Wait for the cancellation's own token too.

        A refused cancellation came too late: the operation's end is waited for.
        """
        state = self._states[node]
        if not isinstance(state, Running) or state.started.token != token:
            return  # that operation has ended, and another one may follow on the node
        if isinstance(result, str):
            started = replace(state.started, also=(result,))
            self._states[node] = replace(state, started=started, cancelling=True)
            self._poll_soon(node.region)

    # Ends

    def _enter(self, node: NodeId, state: NodeState) -> None:
        """Give a node its new state, and report an end."""
        now = self._clock.now()
        if isinstance(state, Failed):
            state = replace(state, cause=self._redact(state.cause))
        self._states[node] = state
        match state:
            case Done(action, outputs, seconds):
                self._emit(StackDone(now, node, action.value, seconds, outputs))
            case Failed(cause, hint):
                self._emit(StackFailed(now, node, cause, hint))

    def _outputs(self) -> dict[NodeId, Mapping[str, str]]:
        """Return the outputs of the nodes that are done."""
        return {
            node: state.outputs for node, state in self._states.items() if isinstance(state, Done)
        }

    def _outcome(self, seconds: float) -> Outcome:
        outcome = Outcome(outputs=self._outputs(), seconds=seconds)
        for node, state in self._states.items():
            match state:
                case Done(action):
                    outcome.done[node] = action
                case Failed(cause):
                    outcome.failed[node] = cause
                case Cancelled(because):
                    outcome.cancelled[node] = because
                case Stopped(text):
                    outcome.stopped[node] = text
                case Waiting() | Starting() | Running() | Blocked() | Postponed():
                    raise AssertionError(f"{node} has not reached an end")
                case _:
                    assert_never(state)
        return outcome
