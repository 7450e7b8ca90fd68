"""One run over the stacks of a graph: what it needs, its options, and the lease that it holds."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from deploytool.core.errors import ApiUnavailable
from deploytool.core.ports import Clock, Executor, Interrupts, NoInterrupts
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.events import Emit
from deploytool.core.stacks.outage import GLOBAL_REGION, Found
from deploytool.core.stacks.plan import find_stacks
from deploytool.core.stacks.ports import (
    Buckets,
    DeployedTemplates,
    StackReader,
    Stacks,
    StoredValues,
)
from deploytool.core.stacks.stack import Stack
from deploytool.work.stacks.engine import Engine
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.lock import Coordination, hold_lease
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.stored_values import with_stored_values
from deploytool.work.tasks import for_each

# Seconds of wall time between two looks at whether the lease must be renewed, after the last stack
RENEW_EVERY = 5.0


@dataclass(frozen=True)
class DeployPorts:
    """What deploying needs of a target.

    The clock runs in real time, because CloudFormation is not faster on a fast local cloud. Without
    `coordination` nothing prevents a second run. `random` gives numbers from 0 to 1; `commit` the
    source's commit. `templates` are read while us-east-1's API does not answer. Without `values`
    nothing is known of values in Parameter Store that have changed.
    """

    stacks: Stacks
    buckets: Buckets
    clock: Clock
    executor: Executor
    templates: DeployedTemplates
    coordination: Coordination | None = None
    random: Callable[[], float] = lambda: 0.5
    commit: Callable[[], str] = lambda: ""
    values: StoredValues | None = None


@dataclass(frozen=True)
class DeployOptions:
    """The options of a run.

    With `express` CloudFormation ends an operation before the resources are ready. `wait` is how
    long to wait for another run, in seconds. With `ready` a stack is left for a later run when it
    needs a stack that is not chosen and not as desired; without it the stack takes the outputs
    that exist. `command_options` are added to the commands in hints, like ` --local`. `name_hint`
    says what to do when somebody else's stack has the name of one of ours. With `repair` the
    resources of every chosen stack are compared with its template, and brought back to it. `finish`
    is called with the outcome while the run still has the lease: what it writes belongs to the run.
    """

    express: bool = False
    wait: float = 0.0
    interrupts: Interrupts = field(default_factory=NoInterrupts)
    hooks: tuple[DeployHooks, ...] = ()
    ready: bool = False
    repair: bool = False
    command_options: str = ""
    name_hint: str = "delete that stack, or choose another name for the project or the stage"
    finish: Callable[[Outcome], None] = lambda _outcome: None


def find_deployed(ports: DeployPorts, graph: Graph) -> dict[NodeId, Stack]:
    """Return the stacks of the graph that exist, from one listing for each region.

    Raises ApiUnavailable when the API of a region does not answer.
    """
    found = find_reachable(ports.stacks, ports.executor, graph)
    for error in found.unreachable.values():
        raise error
    return dict(found.deployed)


def find_reachable(stacks: StackReader, executor: Executor, graph: Graph) -> Found:
    """Return the stacks of the graph that exist, as far as the APIs of their regions answer.

    All regions are listed at the same time. Raises CloudRefused.
    """
    regions = {node.region for node in graph.nodes}
    return found_in(graph, list_regions(stacks, executor, regions))


def _find_all(ports: DeployPorts, graph: Graph) -> Found:
    """Return the stacks that exist, with what is known of their values in Parameter Store."""
    found = find_reachable(ports.stacks, ports.executor, graph)
    if ports.values is None:
        return found
    return with_stored_values(graph, found, ports.values, ports.executor)


def found_in(graph: Graph, listings: Mapping[str, Mapping[str, Stack] | ApiUnavailable]) -> Found:
    """Return the stacks of the graph in the listings of the regions."""
    listed: dict[str, Mapping[str, Stack]] = {}
    unreachable: dict[str, ApiUnavailable] = {}
    for region, listing in listings.items():
        if isinstance(listing, ApiUnavailable):
            unreachable[region] = listing
        else:
            listed[region] = listing
    return Found(find_stacks(graph, listed), unreachable, GLOBAL_REGION not in unreachable)


def list_regions(
    stacks: StackReader, executor: Executor, regions: Collection[str]
) -> dict[str, Mapping[str, Stack] | ApiUnavailable]:
    """List the stacks of regions at the same time; give the error of an API that does not answer.

    Raises CloudRefused.
    """

    def stacks_of(region: str) -> Mapping[str, Stack] | ApiUnavailable:
        try:
            return stacks.list(region)
        except ApiUnavailable as error:
            return error

    return for_each(executor, stacks_of, sorted(regions))


def run_engine(
    graph: Graph,
    ports: DeployPorts,
    emit: Emit,
    options: DeployOptions,
    run: Callable[[Engine, Found], Outcome],
    redact: Callable[[str], str] = lambda text: text,
    *,
    needs_lease: Callable[[Found], bool],
) -> Outcome:
    """Run an engine over the stacks of a graph that exist, holding the stage's lease if needed.

    `run` gets the engine and the stacks that were found. `needs_lease` may refuse them with an
    error. Raises DeploytoolError as `hold_lease` does.
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
    found = _find_all(ports, graph)
    must_hold = needs_lease(found)
    coordination = ports.coordination
    if coordination is None or not must_hold:
        outcome = run(engine(), found)
        options.finish(outcome)
        return outcome

    with hold_lease(
        coordination,
        ports.clock,
        ports.executor,
        graph,
        emit,
        options.interrupts,
        options.wait,
        unreachable=found.regions,
    ) as lease:
        if lease.waited:
            # The other run has changed stacks since they were listed.
            found = _find_all(ports, graph)
            needs_lease(found)
        outcome = run(engine(heartbeat=lease.renew), found)
        finishing = ports.executor.submit(partial(options.finish, outcome))
        while not finishing.done():
            ports.executor.wait([finishing], RENEW_EVERY)
            lease.renew()
        finishing.result()
        return outcome
