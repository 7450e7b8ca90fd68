"""Runs one operation a node of a graph, each the moment those it waits for are done, and waits for
their ends with few calls.

One listing a region tells which stacks may have ended, whatever their number; only for those are
events read. Every call is made beside the loop, which alone holds the state; what a call gave comes
back to it through a queue.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from deploytool.core.errors import CloudRefused, DeploytoolError, Throttled
from deploytool.core.ports import Clock, Runner
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
from deploytool.core.stacks.stack import Stack, StackStatus
from deploytool.work.stacks.completion import Completed, Completions
from deploytool.work.stacks.operations import (
    Operation,
    Outcome,
    RetryAfter,
    Started,
    StartResult,
    Unchanged,
    WaitingForOther,
)
from deploytool.work.tasks import Beside

__all__ = ["Engine", "Operation", "Outcome", "Started", "Unchanged", "WaitingForOther"]

SLICE, BRIEF = 0.1, 0.005  # seconds between two turns of the loop; while a call is being made
# Looks at a stack that is at an end which no event of ours tells, before someone else's are read
QUIET = 5
REFUSALS = 5  # looks in a row that may be refused; each was repeated by botocore before
STOP, CANCEL, DETACH = 1, 2, 3  # how often the user must ask for it


@dataclass
class _Running:
    """An operation that is being waited for. `unchanged` counts listings that still showed the
    state before it.
    """

    begun: Started
    since: float
    unchanged: int = 0
    unconfirmed: int = 0
    refused: int = 0
    cancelling: bool = False


class Engine:
    """One run over a graph. `random` gives numbers from 0 to 1; `redact` takes secrets out of what
    AWS said.
    """

    def __init__(
        self,
        stacks: Stacks,
        clock: Clock,
        runner: Runner,
        emit: Emit,
        *,
        interrupts: Interrupts | None = None,
        random: Callable[[], float] = lambda: 0.5,
        heartbeat: Callable[[], None] = lambda: None,
        redact: Callable[[str], str] = lambda text: text,
    ) -> None:
        self.stacks, self.clock, self.emit = stacks, clock, emit
        self.interrupts, self.random = interrupts or NoInterrupts(), random
        self.heartbeat, self.redact = heartbeat, redact
        self.endings = Completions(stacks, clock)
        self.beside = Beside(runner)
        self.outcome = Outcome()
        self.waiting: dict[NodeId, frozenset[NodeId]] = {}
        self.starting: set[NodeId] = set()
        self.running: dict[NodeId, _Running] = {}
        self.blocked: dict[NodeId, str] = {}
        self.postponed: dict[NodeId, float] = {}
        self.began: dict[NodeId, float] = {}
        self.took: dict[tuple[str, str], float] = {}
        self.checking: set[NodeId] = set()
        self.listing: set[str] = set()
        self.due: dict[str, float] = {}
        self.refused: dict[str, int] = {}
        self.stop_level = 0
        self.operation: Operation

    def run(self, edges: Mapping[NodeId, frozenset[NodeId]], operation: Operation) -> Outcome:
        """Bring every node to its end. A failure cancels only what depends on it."""
        started = self.clock.now()
        self.waiting, self.operation = dict(edges), operation
        self.emit(RunStarted(started, tuple(edges), dict(edges)))
        while self._unfinished() and self.stop_level < DETACH:
            self._heed_interrupts()
            self._start_ready()
            self._resume()
            self._look()
            self.heartbeat()
            if not self.beside.take():
                self.clock.sleep(self._idle())
        self.outcome.seconds = self.clock.now() - started
        return self.outcome

    def _unfinished(self) -> bool:
        return bool(self.waiting or self.starting or self.running or self.blocked or self.postponed)

    def _idle(self) -> float:
        """Seconds until the next turn: a result may come, a look is due, or the user may ask to
        stop.
        """
        if self.starting or self.checking or self.listing:
            return BRIEF
        next_look = min(
            (*(self.due[region] for region in self._regions()), *self.postponed.values()),
            default=0.0,
        )
        return min(max(next_look - self.clock.now(), BRIEF), SLICE)

    # StartResult

    def _start_ready(self) -> None:
        for node, needs in list(self.waiting.items()):
            broken = tuple(
                sorted(
                    need
                    for need in needs
                    if need in self.outcome.failed or need in self.outcome.cancelled
                )
            )
            if broken:
                del self.waiting[node]
                self.outcome.cancelled[node] = broken
                self.emit(StackCancelled(self.clock.now(), node, broken))
            elif all(need in self.outcome.done for need in needs):
                del self.waiting[node]
                self._begin(node)

    def _begin(self, node: NodeId) -> None:
        self.starting.add(node)
        self.began.setdefault(node, self.clock.now())
        outputs = dict(self.outcome.outputs)
        self.beside.call(partial(self.operation.begin, node, outputs), partial(self._begun, node))

    def _begun(self, node: NodeId, result: StartResult | DeploytoolError | None) -> None:
        self.starting.discard(node)
        match result:
            case Started():
                self._watch(node, result)
            case Unchanged(action, outputs):
                self._done(node, action, outputs)
            case WaitingForOther() | RetryAfter() if self.stop_level:
                self.outcome.stopped[node] = "not begun"
            case WaitingForOther(stack_id, status, holder):
                self.blocked[node] = stack_id
                self._look_soon(node.region)
                self.emit(StackWaiting(self.clock.now(), node, status, holder))
            case RetryAfter(seconds):
                self.postponed[node] = self.clock.now() + seconds
            case DeploytoolError() as error:
                self._failed(node, str(error), error.hint)

    def _resume(self) -> None:
        """Begin what was postponed until now."""
        for node in [each for each, due in self.postponed.items() if due <= self.clock.now()]:
            del self.postponed[node]
            self._begin(node)

    def _watch(self, node: NodeId, begun: Started) -> None:
        now = self.clock.now()
        self.running[node] = _Running(begun, now)
        self._look_soon(node.region)
        self.emit(StackStarted(now, node, begun.action, self._expected(node), begun.resumed))
        if self.stop_level >= CANCEL:
            self._cancel(node)

    def _expected(self, node: NodeId) -> float | None:
        """Seconds that the node's operation should take: like the same stack's in another region,
        if that has ended.
        """
        begun = self.running[node].begun
        return self.took.get((node.stack, begun.action), begun.expected)

    # Looking

    def _regions(self) -> set[str]:
        return {node.region for node in (*self.running, *self.blocked)}

    def _look_soon(self, region: str) -> None:
        soon = self.clock.now() + FIRST
        self.due[region] = min(self.due.get(region, soon), soon)

    def _look(self) -> None:
        """List each region whose time has come."""
        now = self.clock.now()
        for region in sorted(self._regions() - self.listing):
            if self.due[region] <= now:
                self.listing.add(region)
                self.beside.call(partial(self.stacks.list, region), partial(self._listed, region))

    def _listed(self, region: str, result: Mapping[str, Stack] | DeploytoolError) -> None:
        self.listing.discard(region)
        now = self.clock.now()
        if isinstance(result, DeploytoolError):
            self.refused[region] = self.refused.get(region, 0) + 1
            if self.refused[region] > REFUSALS and not isinstance(result, Throttled):
                raise result
            self.due[region] = now + LONGEST
            return
        self.refused[region] = 0
        listed = {stack.id: stack for stack in result.values()}
        for node in [
            each for each in self.running if each.region == region and each not in self.checking
        ]:
            self._check(node, listed.get(self.running[node].begun.stack_id))
        for node in [each for each in self.blocked if each.region == region]:
            seen = listed.get(self.blocked[node])
            if seen is None or not seen.status.is_busy:
                del self.blocked[node]
                self._begin(node)
        waits = [
            pause(now - self.running[node].since, self._expected(node))
            for node in self.running
            if node.region == region
        ]
        self.due[region] = now + jittered(min(waits, default=LONGEST / 2), self.random())

    def _check(self, node: NodeId, seen: Stack | None) -> None:
        """Read the events of an operation that may have ended; of one that shows no change only
        every now and then.
        """
        run = self.running[node]
        if seen is None or not run.begun.is_shown_by(seen):
            run.unchanged += 1
            deleting = (
                StackStatus.DELETE_COMPLETE in run.begun.wanted
                and seen is None
                and run.begun.before is not None
            )
            if run.unchanged & (run.unchanged - 1) and not deleting:
                return
        elif not seen.status.is_end:
            return
        self.checking.add(node)
        shown = seen if seen and run.begun.is_shown_by(seen) else None
        taken_over = run.unconfirmed >= QUIET
        call = partial(self.endings.ended, node.region, run.begun, shown, taken_over=taken_over)
        self.beside.call(call, partial(self._checked, node))

    def _checked(self, node: NodeId, result: Completed | DeploytoolError | None) -> None:
        self.checking.discard(node)
        run = self.running[node]
        match result:
            case None:
                run.unconfirmed += 1
            case CloudRefused() if run.refused < REFUSALS:
                run.refused += 1
            case DeploytoolError() as error:
                del self.running[node]
                self._failed(node, str(error), error.hint)
            case Completed():
                del self.running[node]
                self._ended(node, run, result)

    def _ended(self, node: NodeId, run: _Running, end: Completed) -> None:
        begun = run.begun
        in_time = run.cancelling and (
            end.stack is None or end.status is StackStatus.DELETE_COMPLETE
        )
        if in_time:
            self.outcome.stopped[node] = f"{begun.action} cancelled"
        elif end.stack is None:
            self._failed(node, end.cause, end.hint)
        elif self.stop_level and begun.more:
            self.outcome.stopped[node] = f"{begun.action}; no more was begun"
        else:
            self.took[node.stack, begun.action] = self.clock.now() - run.since
            self.starting.add(node)
            stack = end.stack
            self.beside.call(
                partial(self.operation.after, node, stack),
                partial(self._followed, node, begun.action, stack.outputs),
            )

    def _followed(
        self,
        node: NodeId,
        action: str,
        outputs: Mapping[str, str],
        result: Started | Unchanged | DeploytoolError | None,
    ) -> None:
        self._begun(node, Unchanged(action, outputs) if result is None else result)

    # Stopping

    def _heed_interrupts(self) -> None:
        wanted = self.interrupts.count()
        while self.stop_level < min(wanted, DETACH):
            self.stop_level += 1
            now, runs = self.clock.now(), tuple(sorted((*self.running, *self.starting)))
            match self.stop_level:
                case 1:
                    self.outcome.stopped.update(
                        dict.fromkeys((*self.waiting, *self.blocked, *self.postponed), "not begun")
                    )
                    self.waiting, self.blocked, self.postponed = {}, {}, {}
                    self.emit(StopRequested(now, runs))
                case 2:
                    self.emit(CancelRequested(now, runs))
                    for node in tuple(self.running):
                        self._cancel(node)
                case _:
                    self.outcome.stopped.update(dict.fromkeys(runs, "left to CloudFormation"))
                    self.emit(Detached(now, runs))

    def _cancel(self, node: NodeId) -> None:
        begun = self.running[node].begun
        self.beside.call(
            partial(self.operation.cancel, node, begun), partial(self._cancelled, node)
        )

    def _cancelled(self, node: NodeId, result: str | DeploytoolError | None) -> None:
        """An accepted cancellation has a token of its own; one that was refused came too late, and
        the end is waited for.
        """
        run = self.running.get(node)
        if run and isinstance(result, str):
            run.begun = replace(run.begun, also=(result,))
            run.cancelling = True
            self._look_soon(node.region)

    # Ending

    def _done(self, node: NodeId, action: str, outputs: Mapping[str, str]) -> None:
        now = self.clock.now()
        self.outcome.done[node] = action
        self.outcome.outputs[node] = outputs
        self.emit(StackDone(now, node, action, now - self.began[node], outputs))

    def _failed(self, node: NodeId, cause: str, hint: str) -> None:
        self.outcome.failed[node] = self.redact(cause)
        self.emit(StackFailed(self.clock.now(), node, self.redact(cause), hint))
