"""One run over the stacks of a graph: what it needs, its options, and the lease that it holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from deploytool.core.ports import Clock, Executor
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.events import Emit
from deploytool.core.stacks.plan import find_stacks
from deploytool.core.stacks.ports import Buckets, Interrupts, NoInterrupts, Stacks
from deploytool.core.stacks.stack import Stack
from deploytool.work.stacks.engine import Engine
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.lock import Coordination, hold_lease
from deploytool.work.stacks.operations import Outcome


@dataclass(frozen=True)
class DeployPorts:
    """What deploying needs of a target.

    The clock runs in real time, because CloudFormation is not faster on a fast local cloud. Without
    `coordination` nothing prevents a second run. `random` gives numbers from 0 to 1; `commit` the
    source's commit.
    """

    stacks: Stacks
    buckets: Buckets
    clock: Clock
    executor: Executor
    coordination: Coordination | None = None
    random: Callable[[], float] = lambda: 0.5
    commit: Callable[[], str] = lambda: ""


@dataclass(frozen=True)
class DeployOptions:
    """The options of a run.

    With `express` CloudFormation ends an operation before the resources are ready. `wait` is how
    long to wait for another run, in seconds. With `ready` a stack is left for a later run when it
    needs a stack that is not chosen and not as desired; without it the stack takes the outputs
    that exist.
    """

    express: bool = False
    wait: float = 0.0
    interrupts: Interrupts = field(default_factory=NoInterrupts)
    hooks: tuple[DeployHooks, ...] = ()
    ready: bool = False


def find_deployed(ports: DeployPorts, graph: Graph) -> dict[NodeId, Stack]:
    """Return the stacks of the graph that exist, from one listing for each region."""
    regions = sorted({node.region for node in graph.nodes})
    return find_stacks(graph, {region: ports.stacks.list(region) for region in regions})


def run_engine(
    graph: Graph,
    ports: DeployPorts,
    emit: Emit,
    options: DeployOptions,
    run: Callable[[Engine, Mapping[NodeId, Stack]], Outcome],
    redact: Callable[[str], str] = lambda text: text,
    *,
    needs_lease: Callable[[Mapping[NodeId, Stack]], bool],
) -> Outcome:
    """Run an engine over the stacks of a graph that exist, holding the stage's lease if needed.

    `run` gets the engine and the deployed stacks. Raises DeploytoolError as `hold_lease` does.
    """
    engine = partial(
        Engine,
        ports.stacks,
        ports.clock,
        ports.executor,
        emit,
        interrupts=options.interrupts,
        random=ports.random,
        redact=redact,
    )

    # Whether there is anything to do is known only after the listing. An idle run takes no lease.
    deployed = find_deployed(ports, graph)
    coordination = ports.coordination
    if coordination is None or not needs_lease(deployed):
        return run(engine(), deployed)

    with hold_lease(
        coordination, ports.clock, ports.executor, graph, emit, options.interrupts, options.wait
    ) as lease:
        if lease.waited:
            # The other run has changed stacks since they were listed.
            deployed = find_deployed(ports, graph)
        return run(engine(heartbeat=lease.renew), deployed)
