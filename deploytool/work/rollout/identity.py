"""Keeps what a deployed stage is to its clients: its domain, its regions and its path.

The record in the standby region tells it. A stage that an older version deployed has none.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

from deploytool.core.errors import ApiUnavailable, CloudRefused, DeploytoolError, InputError
from deploytool.core.failover.identity import changed_domain, changed_regions
from deploytool.core.failover.ports import StandbyRecords
from deploytool.core.failover.records import StandbyRecord
from deploytool.core.ports import Clock
from deploytool.core.project.config import Config
from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef
from deploytool.core.service.ports import Probes
from deploytool.core.stacks.events import (
    Emit,
    Event,
    StackCancelled,
    StackDone,
    StackFailed,
    StackLeft,
)
from deploytool.core.stacks.plan import Action, make_plan
from deploytool.core.stacks.rollout import Endpoint
from deploytool.core.stacks.stack import Stack
from deploytool.work.rollout.endpoints import EndpointCheck, Endpoints, Failed, Passed
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.operations import RetryAfter

TICK = 0.25  # seconds between two looks at whether the stacks before are done
STEADY = 3  # good answers in a row, of an endpoint that a changed health check would call


def find_standby_record(records: Iterable[StandbyRecords]) -> StandbyRecord | None:
    """Return a stage's record from the first region that has it, None when none tells.

    The stage may have been deployed with other regions, whose parameters a role need not read.
    Raises CloudRefused when every region that answers refuses: then nobody knows what is deployed.
    """
    refusals: list[CloudRefused] = []
    is_known = False
    for each in records:
        try:
            record = each.read(StandbyRecord)
        except ApiUnavailable:
            continue
        except CloudRefused as error:
            refusals.append(error)
            continue
        if record is not None:
            return record
        is_known = True
    if refusals and not is_known:
        raise refusals[0]
    return None


def check_identity(
    record: StandbyRecord | None, config: Config, *, replaces_domain: bool = False
) -> None:
    """Raise InputError when a deployment would make another stage of the one that is deployed."""
    if record is None:
        return
    problems = [changed_regions(record, config)]
    if not replaces_domain:
        problems.append(changed_domain(record, config))
    found = [problem for problem in problems if problem is not None]
    if found:
        raise InputError(found)


@dataclass(frozen=True)
class IdentityPorts:
    """What the check needs: the deployment's clock, and what is made when it is first needed."""

    clock: Clock
    records: Callable[[], Iterable[StandbyRecords]]
    probes: Callable[[], Probes]


@dataclass(frozen=True)
class IdentitySettings:
    """How a deployment treats a change. `settle` is in the target's seconds, `speed` its rate.

    `replaces_domain`: the user wants the domain to change.
    """

    replaces_domain: bool = False
    settle: float = 60.0
    speed: float = 1.0


class IdentityCheck(DeployHooks):
    """Refuses a deployment that would make another stage of the deployed one.

    `record` is what the last deployment kept, None before the check and where there is none. A
    change of the path is a change of one stage: its health check is changed when the new path is
    served. A run that changes nothing reads nothing.
    """

    def __init__(
        self,
        graph: Graph,
        config: Config,
        endpoint: Endpoint,
        ports: IdentityPorts,
        emit: Emit,
        settings: IdentitySettings,
    ) -> None:
        self.record: StandbyRecord | None = None
        self._graph = graph
        self._config = config
        self._endpoint = endpoint
        self._ports = ports
        self._emit = emit
        self._settings = settings
        # The engine calls `before_change` from several threads
        self._lock = Lock()
        # What the new path may need: the stacks that change and do not wait for the health check
        self._needed: set[NodeId] = set()
        self._check: EndpointCheck | None = None
        self._endpoints: Endpoints | None = None

    def stacks_found(self, deployed: Mapping[NodeId, Stack]) -> None:
        """Read the record if anything is to change. Raises InputError to refuse the run."""
        if not deployed:
            return
        steps = make_plan(self._graph, deployed)
        changing = {step.node for step in steps if step.decision.action is not Action.NOTHING}
        if not changing:
            return
        check = self._health_check()
        if check is not None:
            self._needed = changing - {check} - _that_need(self._graph, check)
        self.record = find_standby_record(self._ports.records())
        check_identity(self.record, self._config, replaces_domain=self._settings.replaces_domain)

    def before_change(
        self,
        node: Node,
        parameters: Mapping[str, str],  # noqa: ARG002  # the hook's signature
    ) -> RetryAfter | None:
        """Let the health check of a stage that serves change its path when that is served.

        Raises DeploytoolError when it is not served in time: Route 53 would leave the primary.
        """
        if node.id != self._health_check():
            return None
        if self.record is None or self.record.path == self._graph.path:
            return None
        with self._lock:
            return RetryAfter(TICK) if self._needed else self._require_path()

    def observe(self, event: Event) -> None:
        """Remember the stacks that are done. What has failed is not waited for either."""
        if isinstance(event, StackDone | StackFailed | StackCancelled | StackLeft):
            with self._lock:
                self._needed.discard(event.node)

    def _health_check(self) -> NodeId | None:
        """Return the node of the endpoint's health check, None where the graph has none."""
        check = self._graph.service.get("health_check")
        return check.node if isinstance(check, OutputRef) else None

    def _require_path(self) -> RetryAfter | None:
        primary = self._config.primary
        if self._check is None:
            self._check = EndpointCheck(primary, self._settings.settle, STEADY)
        if self._endpoints is None:
            self._endpoints = Endpoints(self._endpoint, self._ports.probes(), None)
        result = self._check.poll(
            self._endpoints, self._ports.clock, self._settings.speed, self._emit
        )
        match result:
            case Passed():
                return None
            case RetryAfter():
                return result
            case Failed(problem):
                url = self._endpoint.url(primary)
                raise DeploytoolError(
                    f"the health check was not changed: {url} {problem}, so Route 53 would take"
                    f" {primary} for failed",
                    hint="the API must have that path first; --settle waits longer",
                )


def _that_need(graph: Graph, node: NodeId) -> set[NodeId]:
    """Return the nodes that come after a node, directly or through others."""
    found: set[NodeId] = set()
    edges = graph.edges()
    while True:
        after = {
            each
            for each, before in edges.items()
            if each not in found and (node in before or found & set(before))
        }
        if not after:
            return found
        found |= after
