"""Keeps a deployment from taking both regions down: the standby is updated first, and checked
before the other is touched.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

from deploytool.core.errors import DeploytoolError
from deploytool.core.ports import Clock
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.service.ports import Probes
from deploytool.core.stacks.events import (
    Emit,
    Event,
    RolloutOrdered,
    RolloutUnordered,
    StackCancelled,
    StackDone,
    StackFailed,
    StackHeld,
    StageUnnamed,
)
from deploytool.core.stacks.plan import Action, value_of
from deploytool.core.stacks.rollout import (
    Endpoint,
    Order,
    conflicts,
    function_of,
    in_service,
    order_of,
    paired,
    versions_of,
)
from deploytool.core.stacks.stack import Stack
from deploytool.work.rollout.endpoints import EndpointCheck, Endpoints
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.operations import RetryAfter

# Seconds of the target's clock: a region's time to answer as it must after its update
SETTLE = 60.0
# Good answers in a row: the first may be of what was there before, a new API deployment takes its
# seconds to arrive
STEADY = 3
BRIEFLY = 10.0  # seconds that a region which nobody touches has for its answer
_TICK = 0.25  # seconds in which it is noticed that the standby's stacks are done


@dataclass(frozen=True)
class Rollout:
    """How to roll out: `parallel` changes both regions at once, `settle` is in seconds of the
    target's clock.

    `regions` are those that the run may touch; `chosen` says of each stack whether it may. `speed`:
    how many of the target's seconds pass in one of the deployment's.
    """

    regions: tuple[str, ...]
    chosen: Callable[[NodeId], bool] = lambda _: True
    parallel: bool = False
    settle: float = SETTLE
    speed: float = 1.0


@dataclass(frozen=True)
class RolloutPorts:
    """The deployment's clock, and the target's probes, made when they are first needed."""

    clock: Clock
    probes: Callable[[], Probes]


class RolloutGate(DeployHooks):
    """Holds the region that serves back until the standby is updated and answers. One per run.

    It asks nobody anything before the first change of a stack that both regions have, and never
    before the stage is in service.
    """

    def __init__(
        self, graph: Graph, endpoint: Endpoint, ports: RolloutPorts, emit: Emit, rollout: Rollout
    ) -> None:
        self._graph, self._endpoint, self._ports, self._emit, self._rollout = (
            graph,
            endpoint,
            ports,
            emit,
            rollout,
        )
        self._lock = Lock()
        self._paired = paired(graph)
        self.deployed: Mapping[NodeId, Stack] = {}
        self._serves = self._serving = self._warned = self._passed = False
        self._done: dict[NodeId, str] = {}
        self._broken: list[NodeId] = []
        self._held: set[NodeId] = set()
        self._check: EndpointCheck | None = None
        self._refused = ""

    def stacks_found(self, deployed: Mapping[NodeId, Stack]) -> None:
        """Learn what is there. Raises DeploytoolError when that keeps what is wanted from being
        made.
        """
        self.deployed = deployed
        self._serves = in_service(self._graph, deployed)
        for conflict in conflicts(self._graph, deployed, self._rollout.chosen):
            region, stage = conflict.there.region, self._graph.stage
            raise DeploytoolError(
                f"{conflict.wanted} cannot be made while {conflict.there} is deployed: both make the stage of one API, and a "
                "change in place would take the region down; nothing was deployed",
                hint="deploy the new integration as another stage, move over and destroy this one; or, region by region while "
                f"the other one serves: aws cloudformation delete-stack --region {region} --stack-name {conflict.stack_name}, "
                f"then deploytool deploy --stage {stage} --region {region}",
            )

    def observe(self, event: Event) -> None:
        """Remember the result of each stack."""
        match event:
            case StackDone(_, node, action):
                self._done[node] = action
            case StackFailed(_, node) | StackCancelled(_, node):
                self._broken.append(node)

    def before_change(
        self,
        node: Node,
        parameters: Mapping[str, str],  # noqa: ARG002  # the hook's signature
    ) -> RetryAfter | None:
        """None: change it. Raises DeploytoolError when that could take down the only region that
        serves.
        """
        if not self._serves or node.id not in self._paired:
            return None
        with self._lock:
            if self._rollout.parallel:
                self._warn()
                return None
            if not self._named:
                return None
            if len(self._rollout.regions) == 1:
                return self._alone(node.id)
            order = self._order
            return self._gate(node.id, order) if node.id in order.gated else None

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            self._emit(RolloutUnordered(self._ports.clock.now(), self._rollout.regions))

    @cached_property
    def _endpoints(self) -> Endpoints:
        zone = self._graph.service.get("hosted_zone")
        outputs = {each: stack.outputs for each, stack in self.deployed.items()}
        return Endpoints(
            self._endpoint,
            self._ports.probes(),
            None if zone is None else value_of(zone, outputs),
        )

    @cached_property
    def _named(self) -> bool:
        """Where the DNS is somebody else's, its records may not have been created yet."""
        if not (named := self._endpoints.is_named()):
            self._emit(StageUnnamed(self._ports.clock.now(), self._endpoint.domain))
        return named

    @cached_property
    def _order(self) -> Order:
        """By who serves now; the configuration's primary, where nobody answers."""
        who = self._endpoints.who_serves(self._graph.regions)
        self._serving = who is not None
        order = order_of(self._graph, who or self._graph.regions[0])
        self._emit(
            RolloutOrdered(self._ports.clock.now(), order.active, order.standby, self._serving)
        )
        return order

    def _gate(self, node: NodeId, order: Order) -> RetryAfter | None:
        """The active region's turn comes when the standby is up to date and answers."""
        if self._passed:
            return None
        if self._refused:
            raise DeploytoolError(f"{order.active} was not touched: {self._refused}")
        if node not in self._held:
            self._held.add(node)
            self._emit(StackHeld(self._ports.clock.now(), node, order.standby))
        if failed := [each for each in self._broken if each in order.first]:
            raise self._stop(order, f"{failed[0]} failed")
        if not order.first <= self._done.keys():
            return RetryAfter(_TICK)
        self._check = self._check or EndpointCheck(
            order.standby, self._rollout.settle, STEADY, self._expected(order.standby)
        )
        result = self._look(self._check)
        if isinstance(result, str):
            url = self._endpoint.url(order.standby)
            raise self._stop(
                order,
                f"{order.standby} did not pass its check in {self._rollout.settle:g} s: {url} {result}",
            )
        self._passed = result is None
        return result

    def _look(self, check: EndpointCheck) -> RetryAfter | str | None:
        return check.look(self._endpoints, self._ports.clock, self._rollout.speed, self._emit)

    def _stop(self, order: Order, why: str) -> DeploytoolError:
        self._refused = why
        still = f"; {order.active} was not touched" + (
            " and still serves what it served before" if self._serving else ""
        )
        mend = (
            f"until it is mended a failover would reach {order.standby} as it is now: mend it, or take the change back, and "
            f"deploy again, {order.standby} comes first again; --parallel changes {order.active} without the check"
        )
        return DeploytoolError(why + still, hint=mend)

    def _expected(self, region: str) -> frozenset[str]:
        """The versions that a region must serve; any, where its function was left as it is."""
        function = function_of(self._graph, region)
        left = function is None or self._done.get(function) == Action.NOT_CHOSEN
        return frozenset() if left else versions_of(self._graph, region)

    def _alone(self, node: NodeId) -> RetryAfter | None:
        """A run in one region: the other one must serve meanwhile."""
        (other,) = (each for each in self._graph.regions if each not in self._rollout.regions)
        if self._passed:
            return None
        self._check = self._check or EndpointCheck(other, min(self._rollout.settle, BRIEFLY), 1)
        result = self._refused or self._look(self._check)
        if isinstance(result, str):
            self._refused = result
            raise DeploytoolError(
                f"{node} was not touched: its region may be the only one that serves, as {self._endpoint.url(other)} {result}",
                hint=f"mend {other} first, or deploy both regions (without --region); --parallel takes the risk",
            )
        self._passed = result is None
        return result
