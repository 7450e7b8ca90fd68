"""Runs one operation for each node of a graph, each as soon as the nodes that it needs are done.

One listing of a region shows which of its stacks may have ended, however many there are. Events are
read only for those. Every call is made beside the loop, through the executor. The loop alone holds
the states.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import IntEnum
from functools import partial
from typing import assert_never

from deploytool.core.errors import ApiUnavailable, DeploytoolError
from deploytool.core.ports import Clock, Executor, Interrupts, NoInterrupts
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.durations import LONGEST, jittered, pause
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
from deploytool.core.stacks.ports import Stacks
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
    after_check,
    after_end,
    after_listing,
    after_loss,
    after_start,
    cancelled_by,
    first_states,
    in_progress,
    is_finished,
    not_started,
    outcome_of,
    outputs_of,
    ready,
)
from deploytool.work.stacks.operations import Operation, Outcome, StartResult, WaitingForOther
from deploytool.work.stacks.polling import RegionPolls
from deploytool.work.tasks import PendingCalls

# Seconds between two turns of the loop: at most, so that a request to stop is noticed at once, and
# at least, so that a virtual clock advances. A call that ends wakes the loop earlier.
LONGEST_TURN = 0.1
SHORTEST_TURN = 0.005
# After so many checks of a stack that found no end of our operation, the events of others are read
# too: someone else's operation may have replaced it.
UNCONFIRMED = 5


class StopLevel(IntEnum):
    """How the run stops. The value is how often the user must ask for it."""

    NONE = 0
    STOP = 1  # start nothing more, wait for what is under way
    CANCEL = 2  # cancel what is under way
    DETACH = 3  # end without waiting


class Engine:
    """One run over a graph.

    `random` gives numbers from 0 to 1, `redact` removes secrets from texts, and `heartbeat` is
    called in every turn of the loop.
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
        self._emit = emit
        self._interrupts = interrupts or NoInterrupts()
        self._random = random
        self._heartbeat = heartbeat
        self._redact = redact
        self._completions = Completions(stacks, clock)
        self._states: dict[NodeId, NodeState] = {}
        self._polls = RegionPolls()
        self._calls = PendingCalls(executor)
        self._durations: dict[tuple[str, StackOperation], float] = {}
        self._stop_level = StopLevel.NONE
        self._operation: Operation

    def run(self, edges: Mapping[NodeId, frozenset[NodeId]], operation: Operation) -> Outcome:
        """Bring every node to its end. A failure cancels only the nodes that depend on it.

        An API that does not answer ends only the nodes of its region. Raises DeploytoolError when
        AWS refuses to list a region.
        """
        began = self._clock.now()
        self._operation = operation
        self._states = first_states(edges)
        self._emit(RunStarted(began, tuple(edges), dict(edges)))

        while not is_finished(self._states) and self._stop_level < StopLevel.DETACH:
            self._handle_interrupts()
            self._start_ready()
            self._start_postponed()
            self._poll()
            self._heartbeat()
            if not self._calls.handle_finished():
                self._wait()
        return outcome_of(self._states, self._clock.now() - began)

    def _wait(self) -> None:
        """Wait until a call ends, a poll is due, or the user may have asked to stop."""
        now = self._clock.now()
        due = self._polls.next_due(self._polled_regions())
        due += [state.until for state in self._states.values() if isinstance(state, Postponed)]
        seconds = min(due, default=now + LONGEST_TURN) - now
        seconds = min(max(seconds, SHORTEST_TURN), LONGEST_TURN)

        if not self._calls.wait(seconds):
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
        start = partial(self._operation.start, node, outputs_of(self._states))
        self._calls.start(start, partial(self._on_started, node, state))

    def _on_started(
        self, node: NodeId, state: Starting, result: StartResult | DeploytoolError
    ) -> None:
        if self._states[node] is not state:
            return  # left to CloudFormation meanwhile; an end stays as it is
        now = self._clock.now()
        new = after_start(state, result, now, stopping=self._stop_level >= StopLevel.STOP)
        self._enter(node, new)

        match new:
            case Running(started):
                self._polls.poll_soon(node.region, self._clock.now())
                expected = self._expected(node, new)
                text = started.operation.value
                self._emit(StackStarted(now, node, text, expected, started.resumed))
                if self._stop_level >= StopLevel.CANCEL:
                    self._cancel(node, new)
            case Blocked():
                self._polls.poll_soon(node.region, self._clock.now())
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

    def _poll(self) -> None:
        """List each region whose time has come."""
        for region in self._polls.start_due(self._polled_regions(), self._clock.now()):
            self._calls.start(partial(self._stacks.list, region), partial(self._on_listed, region))

    def _on_listed(self, region: str, result: Mapping[str, Stack] | DeploytoolError) -> None:
        if isinstance(result, DeploytoolError):
            try:
                self._polls.failed(region, result, self._clock.now())
            except ApiUnavailable as error:
                self._lose(region, error)
            return

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
        self._polls.answered(region, self._clock.now() + self._pause(region))

    def _lose(self, region: str, error: ApiUnavailable) -> None:
        """End the nodes of a region whose API does not answer. Those of other regions go on."""
        for node, state in list(self._states.items()):
            if node.region == region and isinstance(state, Running | Blocked):
                self._enter(node, after_loss(error))

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
        self._calls.start(check, partial(self._on_checked, node))

    def _on_checked(self, node: NodeId, result: Completed | DeploytoolError | None) -> None:
        state = self._states[node]
        if not isinstance(state, Running):
            return  # stopped meanwhile
        new = after_check(state, result)
        if not isinstance(new, Completed):
            self._enter(node, new)
            return

        following = after_end(state, new, stopping=self._stop_level >= StopLevel.STOP)
        self._enter(node, following)
        if isinstance(following, Starting) and new.stack is not None:
            operation = state.started.operation
            self._durations[node.stack, operation] = self._clock.now() - state.since
            done = Done(operation, new.stack.outputs, self._clock.now() - state.began)
            follow = partial(self._operation.follow, node, new.stack)
            self._calls.start(follow, partial(self._on_followed, node, following, done))

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
        """Do what the user has asked for since the last turn, one level after the other."""
        requests = self._interrupts.count()
        while self._stop_level < min(requests, StopLevel.DETACH):
            self._stop_level = StopLevel(self._stop_level + 1)
            self._stop(self._stop_level)

    def _stop(self, level: StopLevel) -> None:
        now = self._clock.now()
        nodes = in_progress(self._states)
        match level:
            case StopLevel.NONE:
                pass
            case StopLevel.STOP:
                for node in not_started(self._states):
                    self._states[node] = Stopped(NOT_STARTED)
                self._emit(StopRequested(now, nodes))
            case StopLevel.CANCEL:
                self._emit(CancelRequested(now, nodes))
                for node in nodes:
                    state = self._states[node]
                    if isinstance(state, Running):
                        self._cancel(node, state)
            case StopLevel.DETACH:
                for node in nodes:
                    self._states[node] = Stopped(LEFT)
                self._emit(Detached(now, nodes))
            case _:
                assert_never(level)

    def _cancel(self, node: NodeId, state: Running) -> None:
        cancel = partial(self._operation.cancel, node, state.started)
        self._calls.start(cancel, partial(self._on_cancelled, node, state.started.token))

    def _on_cancelled(self, node: NodeId, token: str, result: str | DeploytoolError | None) -> None:
        """Wait for the cancellation's own token too.

        A refused cancellation came too late: the operation's end is waited for.
        """
        state = self._states[node]
        if not isinstance(state, Running) or state.started.token != token:
            return  # that operation has ended, and another one may follow on the node
        if isinstance(result, str):
            started = replace(state.started, cancel_token=result)
            self._states[node] = replace(state, started=started, cancelling=True)
            self._polls.poll_soon(node.region, self._clock.now())

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
