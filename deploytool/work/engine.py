"""Runs one operation a node of a graph, each the moment those it waits for are done, and waits for their ends with few calls."""

import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from deploytool.core.cloudports import Stacks
from deploytool.core.errors import DeploytoolError
from deploytool.core.events import Emit, RunStarted, StackBegun, StackCancelled, StackDone, StackFailed, StackWaiting
from deploytool.core.graph import NodeId
from deploytool.core.ports import Clock, Runner
from deploytool.core.stacks import Stack, StackStatus, end_of, first_cause

FIRST_WAIT, LONGEST_WAIT, WAIT_GROWTH = 0.1, 1.5, 0.25  # seconds; a wait is a quarter of what has passed, within these


@dataclass(frozen=True)
class Begun:
    """An operation that CloudFormation accepted. It ends when an event with `token` says so."""

    action: str
    stack_id: str
    token: str


@dataclass(frozen=True)
class Settled:
    """There was nothing to do, or nothing is left to wait for."""

    action: str
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Blocked:
    """Someone else's operation is under way; `begin` is called again when it has ended."""

    stack_id: str
    status: StackStatus


@dataclass(frozen=True)
class Postponed:
    """Something outside the graph is missing; `begin` is called again after so many seconds."""

    seconds: float


class Operation(Protocol):
    """What to do with a node. `begin` runs beside others; it may call the cloud but not wait for a stack."""

    def begin(self, node: NodeId, outputs: Mapping[NodeId, Mapping[str, str]]) -> Begun | Settled | Blocked | Postponed: ...

    def after(self, node: NodeId, stack: Stack) -> Begun | None:
        """Called when an operation ended well: the next one for the same node, if there is one."""
        ...


@dataclass
class Outcome:
    """How a run ended: what was done with each node, which failed (with the cause) and which were not begun."""

    done: dict[NodeId, str] = field(default_factory=dict)
    failed: dict[NodeId, str] = field(default_factory=dict)
    cancelled: dict[NodeId, tuple[NodeId, ...]] = field(default_factory=dict)
    outputs: dict[NodeId, Mapping[str, str]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.failed and not self.cancelled


@dataclass
class _Running:
    """An operation that is being waited for."""

    begun: Begun
    since: float


class Engine:
    """One run over a graph. Calls to the cloud go through the runner, so that a slow one delays no other."""

    def __init__(self, stacks: Stacks, clock: Clock, runner: Runner, emit: Emit) -> None:
        self.stacks, self.clock, self.runner, self.emit = stacks, clock, runner, emit
        self.results: queue.SimpleQueue[tuple[NodeId, Begun | Settled | Blocked | Postponed | DeploytoolError]] = (
            queue.SimpleQueue()
        )
        self.outcome = Outcome()
        self.waiting: dict[NodeId, frozenset[NodeId]] = {}
        self.starting: set[NodeId] = set()
        self.running: dict[NodeId, _Running] = {}
        self.blocked: dict[NodeId, str] = {}
        self.postponed: dict[NodeId, float] = {}
        self.began: dict[NodeId, float] = {}

    def run(self, edges: Mapping[NodeId, frozenset[NodeId]], operation: Operation) -> Outcome:
        """Bring every node to its end. A failure cancels only what depends on it."""
        started = self.clock.now()
        self.waiting = dict(edges)
        self.emit(RunStarted(started, tuple(edges)))
        while self.waiting or self.starting or self.running or self.blocked or self.postponed:
            self._start_ready(operation)
            self._take_results()
            if self.starting:
                self.clock.sleep(0.01)
                continue
            if self.running or self.blocked or self.postponed:
                self.clock.sleep(self._wait())
                self._poll(operation)
                self._resume(operation)
        self.outcome.seconds = self.clock.now() - started
        return self.outcome

    def _start_ready(self, operation: Operation) -> None:
        for node, needs in list(self.waiting.items()):
            broken = tuple(sorted(need for need in needs if need in self.outcome.failed or need in self.outcome.cancelled))
            if broken:
                del self.waiting[node]
                self.outcome.cancelled[node] = broken
                self.emit(StackCancelled(self.clock.now(), node, broken))
            elif all(need in self.outcome.done for need in needs):
                del self.waiting[node]
                self._begin(node, operation)

    def _begin(self, node: NodeId, operation: Operation) -> None:
        self.starting.add(node)
        self.began.setdefault(node, self.clock.now())
        outputs = dict(self.outcome.outputs)

        def task() -> None:
            self.results.put((node, _guarded(lambda: operation.begin(node, outputs))))

        self.runner.submit(task)

    def _take_results(self) -> None:
        while not self.results.empty():
            node, result = self.results.get()
            self.starting.discard(node)
            match result:
                case Begun():
                    self._watch(node, result)
                case Settled(action, outputs):
                    self._done(node, action, outputs)
                case Blocked(stack_id, status):
                    self.blocked[node] = stack_id
                    self.emit(StackWaiting(self.clock.now(), node, status))
                case Postponed(seconds):
                    self.postponed[node] = self.clock.now() + seconds
                case DeploytoolError() as error:
                    self._failed(node, str(error), error.hint)
                case error:
                    raise error

    def _watch(self, node: NodeId, begun: Begun) -> None:
        self.running[node] = _Running(begun, self.clock.now())
        self.emit(StackBegun(self.clock.now(), node, begun.action))

    def _wait(self) -> float:
        """Seconds until the next look: short after a start, longer the longer the youngest operation runs."""
        now = self.clock.now()
        youngest = min((now - each.since for each in self.running.values()), default=LONGEST_WAIT)
        return min(max(WAIT_GROWTH * youngest, FIRST_WAIT), LONGEST_WAIT)

    def _poll(self, operation: Operation) -> None:
        """One call a region tells which stacks may have ended; only for those are events read."""
        for region in sorted({node.region for node in (*self.running, *self.blocked)}):
            listed = {stack.id: stack for stack in self.stacks.list(region).values()}
            for node in [each for each in self.running if each.region == region]:
                seen = listed.get(self.running[node].begun.stack_id)
                if seen is None or seen.status.is_end:
                    self._check_end(node, operation)
            for node in [each for each in self.blocked if each.region == region]:
                seen = listed.get(self.blocked[node])
                if seen is None or not seen.status.is_busy:
                    del self.blocked[node]
                    self._begin(node, operation)

    def _resume(self, operation: Operation) -> None:
        for node in [each for each, due in self.postponed.items() if due <= self.clock.now()]:
            del self.postponed[node]
            self._begin(node, operation)

    def _check_end(self, node: NodeId, operation: Operation) -> None:
        begun = self.running[node].begun
        events = self.stacks.events(node.region, begun.stack_id, begun.token)
        end = end_of(events, begun.stack_id, begun.token)
        if end is None:
            return
        del self.running[node]
        if not end.is_good_end:
            cause = first_cause(events, begun.token)
            said = f"{cause.logical_id} ({cause.type}): {cause.reason or cause.status}" if cause else f"ended as {end}"
            self._failed(node, said, "")
            return
        stack = self._described(node, begun.stack_id, end)
        following = operation.after(node, stack)
        if following:
            self._watch(node, following)
        else:
            self._done(node, begun.action, stack.outputs)

    def _described(self, node: NodeId, stack_id: str, end: StackStatus) -> Stack:
        """The stack once DescribeStacks shows the end that its events told; a stale answer is asked again."""
        wait = FIRST_WAIT
        while True:
            stack = self.stacks.get(node.region, stack_id)
            if stack.status is end or stack.status.is_good_end:
                return stack
            self.clock.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _done(self, node: NodeId, action: str, outputs: Mapping[str, str]) -> None:
        now = self.clock.now()
        self.outcome.done[node] = action
        self.outcome.outputs[node] = outputs
        self.emit(StackDone(now, node, action, now - self.began[node], outputs))

    def _failed(self, node: NodeId, cause: str, hint: str) -> None:
        self.outcome.failed[node] = cause
        self.emit(StackFailed(self.clock.now(), node, cause, hint))


def _guarded(
    call: Callable[[], Begun | Settled | Blocked | Postponed],
) -> Begun | Settled | Blocked | Postponed | DeploytoolError:
    """The call's result, or its error as a value: it is raised or reported in the caller's thread, never lost in another."""
    try:
        return call()
    except DeploytoolError as error:
        return error
    except Exception as error:  # noqa: BLE001  # carried to the main thread and raised there
        return _Unexpected(error)


class _Unexpected(DeploytoolError):
    """A programming error in a task, carried to the main thread."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.__cause__ = error
