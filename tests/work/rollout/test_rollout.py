"""Rollouts on a simulated CloudFormation: the standby, its check, then the active region."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import DnsAnswer, HttpAnswer, Nameserver
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.service.ports import Probes
from deploytool.core.stacks.events import (
    Event,
    RegionAlone,
    RegionPassed,
    RolloutOrdered,
    RolloutUnordered,
    StackStarted,
    StageUnnamed,
)
from deploytool.core.stacks.rollout import Endpoint
from deploytool.work.rollout.rollout import Rollout, RolloutGate, RolloutPorts
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployOptions, DeployPorts

EAST, WEST = REGIONS = ("us-east-1", "us-west-2")
DOMAIN = "dev.example.com"
GRAPH = """
artifacts: {function: {source: x, bucket: {output: bucket.Out}}}
stacks:
  zone: {template: t.yaml, scope: global}
  bucket: {template: t.yaml, scope: regional}
  lambda: {template: t.yaml, scope: regional, parameters: {Input: {output: zone.Out}, More: {artifact: function, part: key}}}
  check: {template: t.yaml, scope: global, parameters: {Input: {output: lambda.Out, region: primary}}}
  guard: {template: t.yaml, scope: secondary, parameters: {Input: {output: check.Out}}}
service:
  hosted_zone: {output: zone.Out}
  health_check: {output: check.Out}
  function: {output: lambda.Out}
"""


@dataclass
class World:
    """The name server, the edges of both regions, and the probes of them.

    Regional endpoints answer with the version that `stacks` deployed. `statuses` are HTTP statuses
    by region, 0 for a refused connection. `gates` are those of the deployments, the newest last.
    """

    stacks: Any
    active: str = EAST
    statuses: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)
    addresses: tuple[str, ...] = ("192.0.2.2",)
    dns_is_silent: bool = False
    gates: list[RolloutGate] = field(default_factory=list)

    def name_servers(self, zone: str) -> Sequence[Nameserver]:
        assert zone.startswith("hello-dev-zone.Out")
        assert EAST not in self.stacks.dead, "Route 53's API is in us-east-1"
        return (Nameserver("ns", "192.0.2.1"),)

    def query(self, _server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:
        self.queries.append(name)
        if self.dns_is_silent:
            raise ProbeFailed("timeout", "no answer")
        return DnsAnswer("NOERROR", self.addresses, 60)

    def get(self, domain: str, _address: str, _path: str) -> HttpAnswer:
        region = self.active if domain == DOMAIN else domain.split(".", maxsplit=1)[0]
        status = self.statuses.get(region, 200)
        if not status:
            raise ProbeFailed("refused", f"{domain} refused the connection")
        return HttpAnswer(status, region, self.versions.get(region), None, 0.1)

    def probes(self) -> Probes:
        port: Any = self
        return Probes(self.stacks.clock, port, port, port, (Nameserver("r", "192.0.2.3"),))


Deployed = Callable[..., tuple[Outcome, list[Event]]]


@pytest.fixture
def world(stacks: Any) -> World:
    return World(stacks)


@pytest.fixture
def rolled(ports: DeployPorts, world: World, graph_of: Callable[..., Graph]) -> Deployed:
    """Deploy code; each region's endpoint reports its version when the update starts."""

    def rolled(
        code: bytes, regions: tuple[str, ...] = REGIONS, **more: Any
    ) -> tuple[Outcome, list[Event]]:
        graph = graph_of(code, graph=GRAPH)
        version = graph.nodes[NodeId("lambda", EAST)].uploads[0].package.version
        events: list[Event] = []

        def emit(event: Event) -> None:
            events.append(event)
            if isinstance(event, StackStarted) and event.node.stack == "lambda":
                world.versions[event.node.region] = world.versions.get(
                    f"stuck {event.node.region}", version
                )

        chosen = lambda node: node.region in regions  # noqa: E731  # as the command makes it
        endpoint = Endpoint(DOMAIN, "/v1", {region: f"{region}.{DOMAIN}" for region in REGIONS})
        rollout = Rollout(regions, chosen, **more)
        gate = RolloutGate(graph, endpoint, RolloutPorts(ports.clock, world.probes), emit, rollout)
        world.gates.append(gate)
        options = DeployOptions(hooks=(gate,))
        return deploy(graph, ports, emit, chosen, options), events

    return rolled


def started(events: list[Event]) -> list[NodeId]:
    """The regional stacks that were changed, in order."""
    return [
        event.node
        for event in events
        if isinstance(event, StackStarted) and event.node.stack in ("bucket", "lambda")
    ]


def test_a_first_deployment_is_parallel_and_calls_no_endpoint(
    rolled: Deployed, world: World
) -> None:
    """Both regions start at once, without a DNS query. Neither does a run with nothing to do make
    one.
    """
    outcome, events = rolled(b"1")
    assert outcome.ok
    times = {event.node: event.at for event in events if isinstance(event, StackStarted)}
    assert times[NodeId("bucket", EAST)] == times[NodeId("bucket", WEST)]
    before = len(world.stacks.calls)
    outcome, _ = rolled(b"1")
    assert outcome.ok
    assert world.stacks.calls[before:] == [("list", EAST), ("list", WEST)]
    assert world.queries == []


def test_an_update_reaches_the_standby_first(rolled: Deployed, world: World) -> None:
    """The active region's function is updated after three good answers of the standby with the new
    version.
    """
    rolled(b"1")
    calls = len(world.stacks.calls)
    outcome, events = rolled(b"2")
    assert outcome.ok
    assert started(events) == [NodeId("lambda", WEST), NodeId("lambda", EAST)]
    (passed,) = [event for event in events if isinstance(event, RegionPassed)]
    assert passed.region == WEST
    times = {
        event.node.region: event.at
        for event in events
        if isinstance(event, StackStarted) and event.node.stack == "lambda"
    }
    assert times[EAST] >= passed.at >= times[WEST] + 1.0 + 4.0
    assert ("get", EAST) not in world.stacks.calls[calls:], "waiting for the standby costs no call"


@pytest.mark.parametrize("status", [500, 0])
def test_a_bad_standby_leaves_the_active_region_alone(
    rolled: Deployed, world: World, status: int
) -> None:
    """The run fails and reports the answer and what the active region serves. The next good version
    reaches both regions.
    """
    rolled(b"1")
    world.statuses[WEST] = status
    outcome, events = rolled(b"2", settle=20.0)
    assert not outcome.ok
    assert started(events) == [NodeId("lambda", WEST)]
    cause = outcome.failed[NodeId("lambda", EAST)]
    assert "us-west-2 did not pass its check in 20 s: https://us-west-2.dev.example.com/v1" in cause
    assert ("answers 500" if status else "refused") in cause
    assert "us-east-1 was not touched and still serves what it served before" in cause
    world.statuses.clear()
    outcome, events = rolled(b"3")
    assert outcome.ok
    assert started(events) == [NodeId("lambda", WEST), NodeId("lambda", EAST)]


def test_a_standby_that_serves_the_old_version_has_not_passed(
    rolled: Deployed, world: World
) -> None:
    """Status 200 from the right region is not enough when the function has changed."""
    rolled(b"1")
    world.versions["stuck us-west-2"] = "old"
    outcome, _ = rolled(b"2", settle=5.0)
    assert "still serves version old, not " in outcome.failed[NodeId("lambda", EAST)]


def test_a_standby_whose_stack_fails_leaves_the_active_region_alone(
    rolled: Deployed, world: World
) -> None:
    """No check is made then, because the update was rolled back."""
    rolled(b"1")
    world.stacks.failures["hello-dev-lambda"] = "no such runtime"
    outcome, events = rolled(b"2")
    assert started(events) == [NodeId("lambda", WEST)]
    assert (
        "lambda@us-west-2 failed; us-east-1 was not touched"
        in outcome.failed[NodeId("lambda", EAST)]
    )


def test_after_a_failover_the_order_is_reversed(rolled: Deployed, world: World) -> None:
    """The region that serves is the last, even if the configuration calls it the secondary."""
    rolled(b"1")
    world.active = WEST
    outcome, events = rolled(b"2")
    assert outcome.ok
    assert started(events) == [NodeId("lambda", EAST), NodeId("lambda", WEST)]


def test_a_primary_that_is_down_stops_the_update_of_the_standby_that_serves(
    rolled: Deployed, world: World
) -> None:
    """The only region that serves is not touched, except with --parallel."""
    rolled(b"1")
    world.active, world.statuses = WEST, {EAST: 503}
    outcome, events = rolled(b"2", settle=5.0)
    assert started(events) == [NodeId("lambda", EAST)]
    assert "us-west-2 was not touched" in outcome.failed[NodeId("lambda", WEST)]
    outcome, events = rolled(b"3", parallel=True)
    assert outcome.ok
    assert len([event for event in events if isinstance(event, RolloutUnordered)]) == 1


def test_when_no_region_answers_the_secondary_comes_first(rolled: Deployed, world: World) -> None:
    """The event tells that the active region did not answer, and so does the error."""
    rolled(b"1")
    world.statuses = {EAST: 500, WEST: 500}
    outcome, events = rolled(b"2", settle=5.0)
    (ordered,) = [event for event in events if isinstance(event, RolloutOrdered)]
    assert (ordered.active, ordered.serving) == (EAST, False)
    assert "still serves" not in outcome.failed[NodeId("lambda", EAST)]


def test_one_region_alone_is_changed_only_while_the_other_serves(
    rolled: Deployed, world: World
) -> None:
    """--region never takes down the only region that serves."""
    rolled(b"1")
    world.statuses[WEST] = 500
    outcome, events = rolled(b"2", regions=(EAST,))
    assert started(events) == []
    assert (
        "may be the only one that serves, as https://us-west-2.dev.example.com/v1 answers 500"
        in next(iter(outcome.failed.values()))
    )
    outcome, events = rolled(b"2", regions=(EAST,), parallel=True)
    assert started(events) == [NodeId("lambda", EAST)]
    world.statuses.clear()
    outcome, events = rolled(b"3", regions=(EAST,))
    assert outcome.ok
    assert started(events) == [NodeId("lambda", EAST)]


def test_one_region_alone_must_serve_after_its_change(rolled: Deployed, world: World) -> None:
    """A pipeline changes the standby in a job of its own: that job must fail, and not the next."""
    rolled(b"1")
    world.versions[f"stuck {WEST}"] = "old"
    rolled(b"2", regions=(WEST,), settle=5.0)
    (problem,) = world.gates[-1].problems_after()
    assert problem.startswith(f"{WEST} did not pass its check in 5 s: https://{WEST}.{DOMAIN}/v1")
    del world.versions[f"stuck {WEST}"]
    rolled(b"3", regions=(WEST,))
    assert world.gates[-1].problems_after() == ()


def test_without_the_api_of_the_primary_the_standby_is_changed_and_then_checked(
    rolled: Deployed, world: World
) -> None:
    """The check needs DNS and HTTPS only: the new version must answer."""
    rolled(b"1")
    world.stacks.dead = {EAST}
    outcome, events = rolled(b"2", (WEST,))
    assert outcome.ok
    assert world.gates[-1].problems_after() == ()
    assert [event.region for event in events if isinstance(event, RegionPassed)] == [WEST]
    assert not [event for event in events if isinstance(event, RegionAlone)]


def test_without_the_api_of_the_primary_a_bad_version_of_the_standby_is_reported(
    rolled: Deployed, world: World
) -> None:
    """It has some seconds to answer well."""
    rolled(b"1")
    world.stacks.dead = {EAST}
    world.statuses = {WEST: 500}
    _, events = rolled(b"2", (WEST,), settle=5.0)
    assert world.gates[-1].problems_after() == (
        f"{WEST} did not pass its check in 5 s: https://{WEST}.{DOMAIN}/v1 answers 500",
    )
    assert not [event for event in events if isinstance(event, RegionPassed)]


def test_the_only_region_that_serves_is_changed_on_the_day_with_a_warning(
    rolled: Deployed, world: World
) -> None:
    """The primary cannot be repaired meanwhile, and the user has chosen the other region."""
    rolled(b"1")
    world.stacks.dead = {EAST}
    world.statuses = {EAST: 0}
    outcome, events = rolled(b"2", (WEST,))
    assert outcome.ok
    (alone,) = [event for event in events if isinstance(event, RegionAlone)]
    assert (alone.region, alone.url) == (WEST, f"https://{EAST}.{DOMAIN}/v1")


def test_a_stage_without_any_address_is_updated_at_once(rolled: Deployed, world: World) -> None:
    """Its records do not exist yet, so it has no clients: no region waits, and an event tells it. A
    DNS that does not answer proves nothing.
    """
    rolled(b"1")
    world.addresses = ()
    outcome, events = rolled(b"2")
    assert outcome.ok
    assert len([event for event in events if isinstance(event, StageUnnamed)]) == 1
    world.dns_is_silent = True
    outcome, events = rolled(b"3", settle=5.0)
    assert started(events) == [NodeId("lambda", WEST)]
    assert not outcome.ok
