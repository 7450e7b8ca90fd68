"""One deployment of a stage at a time: a lease is held while there is something to do, and none
begins during a drill.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from deploytool.core.errors import CloudRefused, DeploytoolError, Interrupted
from deploytool.core.ports import Clock, Runner
from deploytool.core.project.graph import Graph
from deploytool.core.stacks.events import Emit, LockWaited
from deploytool.core.stacks.lease import SECONDS, Holder, Lease, read_lease, write_lease
from deploytool.core.stacks.ports import Interrupts, Locks

# seconds: between looks at a lock; until a taken-over one is believed; between interrupts
LOOK, SETTLE, SLICE = 3.0, 2.0, 0.2


@dataclass(frozen=True)
class Coordination:
    """What keeps two runs apart. `runs` says whether a process of this host lives; `unix_time`
    gives Unix seconds.
    """

    locks: Locks
    holder: Holder
    unix_time: Callable[[], float]
    runs: Callable[[int], bool]


def lock_name(graph: Graph, what: str) -> str:
    """The name under which a stage's `what` (deploy, drill) is kept."""
    return f"/deploytool/{graph.project}/{graph.stage}/{what}"


class StageLease:
    """A lease that is being held. `waited`: someone else had it, so what was known of the stacks is
    old.
    """

    def __init__(
        self, coordination: Coordination, clock: Clock, runner: Runner, region: str, name: str
    ) -> None:
        self.by, self.clock, self.runner, self.region, self.name = (
            coordination,
            clock,
            runner,
            region,
            name,
        )
        self.waited = False
        self._since = coordination.unix_time()
        self._renewed = clock.now()

    def take(self, emit: Emit, interrupts: Interrupts, wait: float) -> None:
        """Raises DeploytoolError that says who holds it when that has not ended after `wait`
        seconds.
        """
        deadline = self.clock.now() + wait
        while (lease := self._try()) is not None:
            if self.clock.now() >= deadline:
                raise DeploytoolError(
                    f"this stage is being deployed by {lease}",
                    hint="wait for it with --wait SECONDS; if it was killed, its lease ends by itself within two minutes",
                )
            if not self.waited:
                emit(LockWaited(self.clock.now(), str(lease)))
            self.waited = True
            self._pause(interrupts)
        self._renewed = self.clock.now()

    def renew(self) -> None:
        """Renew the lease when its time has come; beside the caller."""
        if self.clock.now() - self._renewed > SECONDS / 3:
            self._renewed = self.clock.now()
            self.runner.submit(self._renew)

    def _renew(self) -> None:
        # A refused renewal is tried again in its turn, and stops nothing: the stacks themselves
        # take one operation at a time.
        with suppress(CloudRefused):
            self.by.locks.renew(self.region, self.name, self._value())

    def release(self) -> None:
        """Give it back, if it is still ours."""
        if self._is_ours():
            self.by.locks.remove(self.region, self.name)

    def _try(self) -> Lease | None:
        """None once it is ours, else who holds it. A lease that has ended, or whose process has, is
        taken over.
        """
        if self.by.locks.make(self.region, self.name, self._value()):
            return None
        text = self.by.locks.read(self.region, self.name)
        lease = read_lease(text) if text is not None else None
        if lease is not None and self._holds(lease):
            return lease
        self.by.locks.remove(self.region, self.name)
        if not self.by.locks.make(self.region, self.name, self._value()):
            return lease or Lease(Holder("someone", "another host", 0), self._since, self._since)
        # Another run that saw the same end may have removed ours for its own
        self.clock.sleep(SETTLE)
        text = self.by.locks.read(self.region, self.name)
        return None if self._is_ours(text) else (read_lease(text or "") or lease)

    def _holds(self, lease: Lease) -> bool:
        here = lease.holder.host == self.by.holder.host
        return lease.expires > self.by.unix_time() and (
            not here or self.by.runs(lease.holder.process)
        )

    def _is_ours(self, text: str | None = None) -> bool:
        lease = read_lease(text or self.by.locks.read(self.region, self.name) or "")
        return lease is not None and lease.holder == self.by.holder

    def _value(self) -> str:
        return write_lease(Lease(self.by.holder, self._since, self.by.unix_time() + SECONDS))

    def _pause(self, interrupts: Interrupts) -> None:
        until = self.clock.now() + LOOK
        while self.clock.now() < until:
            if interrupts.count():
                raise Interrupted("interrupted; nothing was begun")
            self.clock.sleep(SLICE)


@contextmanager
def held(
    coordination: Coordination,
    clock: Clock,
    runner: Runner,
    graph: Graph,
    emit: Emit,
    interrupts: Interrupts,
    wait: float,
) -> Iterator[StageLease]:
    """StageLease the stage's lease for the block. Raises DeploytoolError during a drill, and when someone
    else deploys it.
    """
    primary, secondary = graph.regions[0], graph.regions[-1]
    if coordination.locks.read(secondary, lock_name(graph, "drill")) is not None:
        raise DeploytoolError(
            f"a drill of stage {graph.stage} is under way, or was left unfinished",
            hint=f"when no drill runs: deploytool restore --stage {graph.stage}",
        )
    hold = StageLease(coordination, clock, runner, primary, lock_name(graph, "deploy"))
    hold.take(emit, interrupts, wait)
    try:
        yield hold
    finally:
        # What was done counts more, and an unreleased lease ends by itself
        with suppress(CloudRefused):
            hold.release()
