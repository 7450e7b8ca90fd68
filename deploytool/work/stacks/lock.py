"""One deployment of a stage at a time, and none beside a drill.

A run holds the stage's lease while it has something to do. It takes the lease first and then looks
for a drill; a drill writes its record first and then looks for a lease (`RunningDeployment`). So of
the two at most one goes on, whichever began first.

The lease is a parameter in each of the stage's regions whose API answers, the secondary first. Two
runs that can both change a region both ask for the lease there, so only one of them goes on. This
holds too when they find different APIs dead: a run that can reach the primary alone meets the lease
of one that began when both regions answered. As every run asks in the same order, no two runs wait
for each other.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from deploytool.core.errors import ApiUnavailable, CloudRefused, DeploytoolError, Interrupted
from deploytool.core.ports import Clock, Executor, Interrupts
from deploytool.core.project.graph import Graph
from deploytool.core.stacks.events import DrillUnknown, Emit, LeaseKept, LockWaited
from deploytool.core.stacks.lease import LEASE_SECONDS, Holder, Lease, read_lease, write_lease
from deploytool.core.stacks.ports import Locks

POLL_EVERY = 3.0  # seconds between two looks at another run's lease
SETTLE = 2.0  # seconds after which a lease that was taken over is believed
SLICE = 0.2  # seconds between two looks at whether the user asked to stop


@dataclass(frozen=True)
class Coordination:
    """What keeps two runs apart.

    `is_running` says whether a process of this host runs; `unix_time` gives Unix seconds.
    """

    locks: Locks
    holder: Holder
    unix_time: Callable[[], float]
    is_running: Callable[[int], bool]

    def is_valid(self, lease: Lease) -> bool:
        """Return whether its run has the lease: it has not expired, and its process runs."""
        if lease.expires <= self.unix_time():
            return False
        on_this_host = lease.holder.host == self.holder.host
        return not on_this_host or self.is_running(lease.holder.process)


def lock_name(project: str, stage: str, purpose: str) -> str:
    """Return the name of a stage's lock for a purpose (deploy, drill)."""
    return f"/deploytool/{project}/{stage}/{purpose}"


@dataclass(frozen=True)
class RunningDeployment:
    """The Deployments port of a drill: it reads the leases of a stage."""

    coordination: Coordination
    project: str
    stage: str
    regions: Sequence[str]

    def describe(self) -> str:
        """Say who deploys the stage and since when; "" when nobody does.

        A region whose API does not answer is left out: a drill does not begin then anyway.
        """
        name = lock_name(self.project, self.stage, "deploy")
        for region in reversed(self.regions):
            with suppress(ApiUnavailable):
                text = self.coordination.locks.read(region, name)
                lease = None if text is None else read_lease(text)
                if lease is not None and self.coordination.is_valid(lease):
                    return str(lease)
        return ""


def remove_abandoned_leases(
    coordination: Coordination, project: str, stage: str, regions: Collection[str]
) -> None:
    """Delete the leases of a stage that no run has any more. Raises DeploytoolError.

    For a run with nothing to do, which takes no lease, so that it takes none over either.
    """
    name = lock_name(project, stage, "deploy")
    for region in regions:
        text = coordination.locks.read(region, name)
        if text is None:
            continue
        lease = read_lease(text)
        if lease is None or not coordination.is_valid(lease):
            coordination.locks.remove(region, name)


class RegionLease:
    """The lease in one region, which this run takes, renews and releases.

    `waited`: another run had it meanwhile, so the stacks must be listed again.
    """

    def __init__(
        self,
        coordination: Coordination,
        clock: Clock,
        executor: Executor,
        region: str,
        name: str,
    ) -> None:
        self.waited = False
        self._coordination = coordination
        self._clock = clock
        self._executor = executor
        self._region = region
        self._name = name
        self._since = coordination.unix_time()
        self._renewed = clock.now()

    def take(self, emit: Emit, interrupts: Interrupts, wait: float) -> None:
        """Take the lease; wait up to `wait` seconds for another run to end.

        Raises DeploytoolError that names the holder when it still has it then.
        """
        deadline = self._clock.now() + wait
        while (lease := self._try()) is not None:
            if self._clock.now() >= deadline:
                raise DeploytoolError(
                    f"this stage is being deployed by {lease}",
                    hint="wait for it with --wait SECONDS; the lease of a killed run expires "
                    "within two minutes",
                )
            if not self.waited:
                emit(LockWaited(self._clock.now(), str(lease)))
            self.waited = True
            self._pause(interrupts)
        self._renewed = self._clock.now()

    def renew(self) -> None:
        """Renew the lease when its time has come, beside the caller."""
        if self._clock.now() - self._renewed > LEASE_SECONDS / 3:
            self._renewed = self._clock.now()
            self._executor.start(self._renew)

    def _renew(self) -> None:
        # A refused renewal is tried again in its turn. It stops nothing, because a stack accepts
        # one operation at a time anyway.
        with suppress(CloudRefused, ApiUnavailable):
            self._coordination.locks.renew(self._region, self._name, self._value())

    def release(self, emit: Emit) -> None:
        """Release the lease, if it is still this run's.

        What the run did matters more than a lease that stays, and it expires. So a failure is told
        and raises nothing.
        """
        try:
            if self._is_ours(self._read()):
                self._coordination.locks.remove(self._region, self._name)
        except DeploytoolError as error:
            emit(LeaseKept(self._clock.now(), self._region, str(error)))

    def _try(self) -> Lease | None:
        """Take the lease; return None, or the lease of another run that has it.

        A lease that has expired, or whose process has ended, is taken over.
        """
        if self._make():
            return None
        other = self._read()
        # The answer to an earlier attempt was lost, and botocore made the call again
        if self._is_ours(other):
            return None
        if other is not None and self._coordination.is_valid(other):
            return other
        return self._take_over(other)

    def _take_over(self, other: Lease | None) -> Lease | None:
        """Replace an invalid lease; return None, or the lease of a run that was faster."""
        self._coordination.locks.remove(self._region, self._name)
        is_made = self._make()
        # The answer may have been lost, as in `_try`
        if is_made or self._is_ours(self._read()):
            # Another run that saw the same invalid lease may have removed ours in its place.
            self._clock.sleep(SETTLE)

        current = self._read()
        if self._is_ours(current):
            return None
        someone = Holder("someone", "another host", 0)
        return current or other or Lease(someone, self._since, self._since)

    def _make(self) -> bool:
        return self._coordination.locks.make(self._region, self._name, self._value())

    def _read(self) -> Lease | None:
        text = self._coordination.locks.read(self._region, self._name)
        return None if text is None else read_lease(text)

    def _is_ours(self, lease: Lease | None) -> bool:
        return lease is not None and lease.holder == self._coordination.holder

    def _value(self) -> str:
        expires = self._coordination.unix_time() + LEASE_SECONDS
        return write_lease(Lease(self._coordination.holder, self._since, expires))

    def _pause(self, interrupts: Interrupts) -> None:
        """Wait until the next look at the lease. Raises Interrupted when the user asks to stop."""
        until = self._clock.now() + POLL_EVERY
        while self._clock.now() < until:
            if interrupts.count():
                raise Interrupted("interrupted; nothing was started")
            self._clock.sleep(SLICE)


@dataclass(frozen=True)
class StageLease:
    """The lease of a stage: those that this run has in the regions."""

    leases: Sequence[RegionLease]

    @property
    def waited(self) -> bool:
        """Whether another run had the lease meanwhile, so that the stacks must be listed again."""
        return any(lease.waited for lease in self.leases)

    def renew(self) -> None:
        """Renew the lease when its time has come, beside the caller."""
        for lease in self.leases:
            lease.renew()


@contextmanager
def hold_lease(
    coordination: Coordination,
    clock: Clock,
    executor: Executor,
    graph: Graph,
    emit: Emit,
    interrupts: Interrupts,
    wait: float,
    *,
    unreachable: Collection[str] = (),
) -> Iterator[StageLease]:
    """Hold the stage's lease during the block. An `unreachable` region's API does not answer.

    Raises DeploytoolError during a drill, and when another run deploys the stage; ApiUnavailable
    when no region answers.
    """
    secondary = graph.regions[-1]
    is_known = secondary not in unreachable
    if not is_known or not _refuse_during_drill(coordination, graph, secondary):
        emit(DrillUnknown(clock.now(), secondary))

    deadline = clock.now() + wait
    leases: list[RegionLease] = []
    unanswered: ApiUnavailable | None = None
    with ExitStack() as to_release:
        for region in dict.fromkeys(reversed(graph.regions)):
            if region in unreachable:
                continue
            name = lock_name(graph.project, graph.stage, "deploy")
            lease = RegionLease(coordination, clock, executor, region, name)
            try:
                lease.take(emit, interrupts, max(deadline - clock.now(), 0.0))
            except ApiUnavailable as error:
                # Without it, no run can change the stacks of that region either.
                unanswered = error
                continue
            to_release.callback(lease.release, emit)
            leases.append(lease)

        if not leases and unanswered is not None:
            raise unanswered
        # A drill may have begun since the first look
        if is_known:
            _refuse_during_drill(coordination, graph, secondary)
        yield StageLease(leases)


def _refuse_during_drill(coordination: Coordination, graph: Graph, secondary: str) -> bool:
    """Raise DeploytoolError when the secondary region has the record of a drill.

    Return whether that is known: False when its API does not answer.
    """
    try:
        record = coordination.locks.read(secondary, lock_name(graph.project, graph.stage, "drill"))
    except ApiUnavailable:
        return False
    if record is not None:
        raise DeploytoolError(
            f"a drill of stage {graph.stage} is under way, or was left unfinished",
            hint=f"when no drill runs: deploytool restore --stage {graph.stage}",
        )
    return True
