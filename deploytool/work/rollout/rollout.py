"""The gate of a rollout: the active region is changed after the standby has passed its check.

So a bad change never takes both regions down. While the API of a region does not answer, the other
one is changed without it, and then has to pass its check.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import assert_never

from deploytool.core.errors import DeploytoolError
from deploytool.core.ports import Clock
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.service.ports import Probes
from deploytool.core.stacks.events import (
    Emit,
    Event,
    RegionAlone,
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
    Conflict,
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
from deploytool.work.rollout.endpoints import EndpointCheck, Endpoints, Failed, Passed
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.operations import RetryAfter

# Seconds of the target's clock in which an updated region must answer well.
SETTLE = 60.0

# Good answers in a row. A new API deployment takes some seconds to arrive, so the first answers may
# be of the previous one.
STEADY = 3

# Seconds of the target's clock in which a region that is not updated must answer well.
SETTLE_UNCHANGED = 10.0

# Seconds after which the gate looks again whether the standby's stacks are done.
TICK = 0.25


@dataclass(frozen=True)
class Rollout:
    """How to roll out.

    `regions` are those that the run may change, and `chosen` tells it of each stack. `parallel`
    changes both regions at once. `settle` is in seconds of the target's clock, of which `speed` pass
    in one second of the deployment's.
    """

    regions: tuple[str, ...]
    chosen: Callable[[NodeId], bool] = lambda _: True
    parallel: bool = False
    settle: float = SETTLE
    speed: float = 1.0


@dataclass(frozen=True)
class RolloutPorts:
    """The deployment's clock, and the target's probes, created when they are first needed."""

    clock: Clock
    probes: Callable[[], Probes]


class RolloutGate(DeployHooks):
    """Delays changes of the active region until the standby is updated and answers. One per run.

    It calls no endpoint before the first change of a stack that both regions have, and none while
    the stage is not in service.
    """

    def __init__(
        self, graph: Graph, endpoint: Endpoint, ports: RolloutPorts, emit: Emit, rollout: Rollout
    ) -> None:
        self._graph = graph
        self._endpoint = endpoint
        self._ports = ports
        self._emit = emit
        self._rollout = rollout

        self.deployed: Mapping[NodeId, Stack] = {}
        self._unavailable: frozenset[str] = frozenset()
        self._paired = paired(graph)
        self._is_in_service = False

        # The engine calls `before_change` from several threads.
        self._lock = Lock()
        self._done: dict[NodeId, str] = {}
        self._broken: list[NodeId] = []
        self._held: set[NodeId] = set()
        self._has_warned = False
        self._active_answers = False
        self._check: EndpointCheck | None = None
        self._has_passed = False
        self._refusal = ""  # why the check of the other region failed

    def apis_unavailable(self, regions: frozenset[str]) -> None:
        """Remember the regions whose API does not answer."""
        self._unavailable = regions

    @property
    def _lost(self) -> frozenset[str]:
        """Those of the two regions whose API does not answer. Another region serves no clients."""
        return self._unavailable & frozenset(self._graph.regions)

    def stacks_found(self, deployed: Mapping[NodeId, Stack]) -> None:
        """Remember the deployed stacks.

        Raises DeploytoolError when one of them prevents the creation of another.
        """
        self.deployed = deployed
        self._is_in_service = in_service(self._graph, deployed, self._unavailable)
        for conflict in conflicts(self._graph, deployed, self._rollout.chosen):
            raise _conflict_error(conflict, self._graph.stage)

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
        """Return None to let a stack be changed now, or when to ask again.

        Raises DeploytoolError when the change could take down the only region that serves.
        """
        if not self._is_in_service or node.id not in self._paired:
            return None
        with self._lock:
            return self._admit(node.id)

    def _admit(self, node: NodeId) -> RetryAfter | None:
        """Do as `before_change` for a stack that clients are served with."""
        if self._rollout.parallel:
            self._warn_once()
        elif self._lost:
            self._warn_alone(node.region)
        elif self._is_named:
            if len(self._rollout.regions) == 1:
                return self._require_other_region(node)
            if node in self._order.gated:
                return self._require_standby(node, self._order)
        return None

    def _warn_once(self) -> None:
        if not self._has_warned:
            self._has_warned = True
            self._emit(RolloutUnordered(self._ports.clock.now(), self._rollout.regions))

    def _warn_alone(self, region: str) -> None:
        """Say once that a region may be the only one that serves.

        The user has chosen it, and nothing can be done about the other one meanwhile.
        """
        if self._has_warned or not self._is_named:
            return
        self._has_warned = True
        for other in sorted(self._lost):
            problem = self._endpoints.state(other).problem
            if problem is not None:
                url = self._endpoint.url(other)
                self._emit(RegionAlone(self._ports.clock.now(), region, url, problem))

    def problems_after(self) -> tuple[str, ...]:
        """Let each region that this run has changed pass its check, by DNS and HTTPS alone.

        Return what is wrong with those that do not, after they had `settle` seconds. For a run
        that changes one region, and for one without the API of a region; otherwise the check has
        come before the change of the other region.
        """
        changes_one = len(self._rollout.regions) == 1 and not self._rollout.parallel
        is_last = bool(self._lost) or changes_one
        if not is_last or not self._is_in_service or not self._is_named:
            return ()
        changed = {
            node.region
            for node, action in self._done.items()
            if node in self._paired and action in (Action.CREATE, Action.UPDATE)
        }
        problems = (self._problem_of(region) for region in sorted(changed))
        return tuple(problem for problem in problems if problem)

    def _problem_of(self, region: str) -> str:
        """Poll a region's check to its end; return what is wrong, or ""."""
        settle = self._rollout.settle
        check = EndpointCheck(region, settle, STEADY, self._expected_versions(region))
        while True:
            result = check.poll(self._endpoints, self._ports.clock, self._rollout.speed, self._emit)
            match result:
                case Passed():
                    return ""
                case Failed(problem):
                    url = self._endpoint.url(region)
                    return f"{region} did not pass its check in {settle:g} s: {url} {problem}"
                case RetryAfter(seconds):
                    self._ports.clock.sleep(seconds)
                case _:
                    assert_never(result)

    @cached_property
    def _endpoints(self) -> Endpoints:
        hosted_zone_id = None
        zone = self._graph.service.get("hosted_zone")
        # Its stack may be unknown, and Route 53's API is needed for its name servers.
        if zone is not None and not self._unavailable:
            outputs = {node: stack.outputs for node, stack in self.deployed.items()}
            hosted_zone_id = value_of(zone, outputs)
        return Endpoints(self._endpoint, self._ports.probes(), hosted_zone_id)

    @cached_property
    def _is_named(self) -> bool:
        """Whether clients can reach the stage.

        Where the DNS is hosted elsewhere, its records may not exist yet.
        """
        is_named = self._endpoints.is_named()
        if not is_named:
            self._emit(StageUnnamed(self._ports.clock.now(), self._endpoint.domain))
        return is_named

    @cached_property
    def _order(self) -> Order:
        """The order by the region that serves now, or by the primary when none answers."""
        serving = self._endpoints.serving_region(self._graph.regions)
        self._active_answers = serving is not None
        order = order_of(self._graph, serving or self._graph.regions[0])
        now = self._ports.clock.now()
        self._emit(RolloutOrdered(now, order.active, order.standby, self._active_answers))
        return order

    def _require_standby(self, node: NodeId, order: Order) -> RetryAfter | None:
        """Return None when the standby is up to date and has passed its check."""
        if self._has_passed:
            return None
        if self._refusal:
            raise DeploytoolError(f"{order.active} was not touched: {self._refusal}")

        if node not in self._held:
            self._held.add(node)
            self._emit(StackHeld(self._ports.clock.now(), node, order.standby))
        for broken in self._broken:
            if broken in order.first:
                raise self._refuse(order, f"{broken} failed")
        if not order.first <= self._done.keys():
            return RetryAfter(TICK)

        settle = self._rollout.settle
        result = self._poll(order.standby, settle, STEADY, self._expected_versions(order.standby))
        match result:
            case Passed():
                return None
            case RetryAfter():
                return result
            case Failed(problem):
                url = self._endpoint.url(order.standby)
                why = f"{order.standby} did not pass its check in {settle:g} s: {url} {problem}"
                raise self._refuse(order, why)
            case _:
                assert_never(result)

    def _require_other_region(self, node: NodeId) -> RetryAfter | None:
        """Return None when the region that this run does not change serves meanwhile."""
        if self._has_passed:
            return None

        (other,) = set(self._graph.regions) - set(self._rollout.regions)
        if not self._refusal:
            settle = min(self._rollout.settle, SETTLE_UNCHANGED)
            result = self._poll(other, settle, 1, frozenset())
            match result:
                case Passed():
                    return None
                case RetryAfter():
                    return result
                case Failed(problem):
                    self._refusal = problem
                case _:
                    assert_never(result)
        url = self._endpoint.url(other)
        raise DeploytoolError(
            f"{node} was not touched: its region may be the only one that serves, "
            f"as {url} {self._refusal}",
            hint=f"fix {other} first, or deploy both regions (without --region); "
            "--parallel changes the region without this check",
        )

    def _poll(
        self, region: str, settle: float, steady: int, versions: frozenset[str]
    ) -> Passed | Failed | RetryAfter:
        """Poll the check of a region, which the first poll creates."""
        if self._check is None:
            self._check = EndpointCheck(region, settle, steady, versions)
        result = self._check.poll(
            self._endpoints, self._ports.clock, self._rollout.speed, self._emit
        )
        self._has_passed = isinstance(result, Passed)
        return result

    def _refuse(self, order: Order, why: str) -> DeploytoolError:
        """Remember why the active region is not changed, and return the error that tells it."""
        self._refusal = why
        message = f"{why}; {order.active} was not touched"
        if self._active_answers:
            message += " and still serves what it served before"
        hint = (
            f"a failover would reach {order.standby} as it is now: fix it or revert the change, "
            f"and deploy again, which updates {order.standby} first again; "
            "--settle waits longer, as AWS does not say how long a change takes to arrive; "
            f"--parallel changes {order.active} without the check"
        )
        return DeploytoolError(message, hint=hint)

    def _expected_versions(self, region: str) -> frozenset[str]:
        """Return the versions that a region may serve; empty stands for any.

        Any version is good when the run does not change the function.
        """
        function = function_of(self._graph, region)
        if function is None or self._done.get(function) in (Action.NOT_CHOSEN, Action.LEFT):
            return frozenset()
        return versions_of(self._graph, region)


def _conflict_error(conflict: Conflict, stage: str) -> DeploytoolError:
    region = conflict.existing.region
    return DeploytoolError(
        f"{conflict.wanted} cannot be created while {conflict.existing} is deployed: both create "
        f"{conflict.both_create}, and a change in place would take the region down; "
        "nothing was deployed",
        hint="deploy the new kind as another stage, move the clients there and destroy this "
        "stage; or change one region at a time while the other one serves: "
        f"aws cloudformation delete-stack --region {region} "
        f"--stack-name {conflict.existing_stack_name}, "
        f"then deploytool deploy --stage {stage} --region {region}",
    )
