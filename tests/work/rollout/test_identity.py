"""A stage that is deployed stays the stage that its clients know."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from deploytool.core.errors import ApiUnavailable, CloudRefused, InputError
from deploytool.core.failover.identity import other_domain
from deploytool.core.failover.records import Deployed, StandbyRecord
from deploytool.core.ports import DnsAnswer, HttpAnswer, Nameserver
from deploytool.core.project.config import Config, parse_config
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.service.ports import Probes
from deploytool.core.stacks.events import Event, StackDone, StackFailed, StackStarted
from deploytool.core.stacks.rollout import Endpoint
from deploytool.simulated.memory import SimulatedStandbyRecords
from deploytool.work.rollout.identity import (
    IdentityCheck,
    IdentityPorts,
    IdentitySettings,
    check_identity,
    find_standby_record,
)
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployOptions, DeployPorts

EAST, WEST = "us-east-1", "us-west-2"
RECORD = StandbyRecord(
    schema_version=1,
    project="hello",
    stage="dev",
    domain="dev.example.com",
    path="/v1",
    primary=EAST,
    secondary=WEST,
    regional_domains={},
    hosted_zone_id="Z1",
    name_servers=(),
    health_check_id="h",
    failover_health_check_id="",
    switch_health_check_id="",
    failback="automatic",
    deployed=Deployed("2026-11-26T00:00:00+00:00", "ana@laptop"),
)
# The health check is before the records and beside the API
GRAPH = """
stacks:
  api: {template: t.yaml, scope: regional, parameters: {Input: {setting: domain}}}
  check: {template: t.yaml, scope: global, parameters: {Input: {setting: domain}}}
  record: {template: t.yaml, scope: regional, parameters: {Input: {output: check.Out}}}
service:
  hosted_zone: Z1
  health_check: {output: check.Out}
"""


def config(domain: str = "dev.example.com", regions: tuple[str, str] = (EAST, WEST)) -> Config:
    text = (
        f'project = "hello"\ndomain = "example.com"\nregions = ["{regions[0]}", "{regions[1]}"]\n'
        f'[stages.dev]\ndomain = "{domain}"\n'
    )
    return parse_config(text, "deploytool.toml")


def test_the_stage_that_is_deployed_passes() -> None:
    """So does a stage of which no record is kept: an older version deployed it, or nobody did."""
    check_identity(RECORD, config())
    check_identity(None, config("api.example.com"))


def test_another_domain_is_refused() -> None:
    """Clients of the former name would lose it in both regions at once. An option accepts that."""
    other = config("api.example.com")
    with pytest.raises(InputError) as caught:
        check_identity(RECORD, other)
    message = str(caught.value)
    assert message.startswith(
        "deploytool.toml: stages.dev.domain: stage dev serves dev.example.com"
    )
    assert "--replace-domain" in message
    check_identity(RECORD, other, replaces_domain=True)


@pytest.mark.parametrize("regions", [(WEST, EAST), (EAST, "eu-west-1"), ("eu-west-1", WEST)])
@pytest.mark.parametrize("replaces_domain", [False, True])
def test_other_regions_are_refused(regions: tuple[str, str], *, replaces_domain: bool) -> None:
    """No option accepts them. The message names what to put back."""
    with pytest.raises(InputError, match="put back regions") as caught:
        check_identity(RECORD, config(regions=regions), replaces_domain=replaces_domain)
    assert f'regions = ["{EAST}", "{WEST}"]' in str(caught.value)


def test_the_record_is_found_in_either_region() -> None:
    """The regions may have changed places, and a role may not be able to read one of them."""
    empty = SimulatedStandbyRecords()
    kept = SimulatedStandbyRecords({StandbyRecord: RECORD})
    dead = SimulatedStandbyRecords(error=ApiUnavailable("no answer", EAST))
    forbidden = SimulatedStandbyRecords(error=CloudRefused("AccessDenied"))
    assert find_standby_record([empty, kept]) == RECORD
    assert find_standby_record([dead, kept]) == RECORD
    assert find_standby_record([forbidden, kept]) == RECORD
    assert find_standby_record([dead, empty]) is None
    assert find_standby_record([forbidden, empty]) is None


def test_a_record_that_no_region_lets_read_is_an_error() -> None:
    """Otherwise a role without the permission would deploy another stage over this one."""
    dead = SimulatedStandbyRecords(error=ApiUnavailable("no answer", EAST))
    forbidden = SimulatedStandbyRecords(error=CloudRefused("AccessDenied"))
    with pytest.raises(CloudRefused):
        find_standby_record([forbidden, dead])


def test_a_stage_of_another_domain_is_not_destroyed() -> None:
    """The stacks have the same names, so they would be deleted under the wrong domain."""
    assert other_domain(RECORD, config()) is None
    problem = other_domain(RECORD, config("api.example.com"))
    assert problem is not None
    assert 'put back domain = "dev.example.com"' in str(problem)


class World:
    """The endpoints of the regions: `served` are the paths that they answer well."""

    def __init__(self, stacks: Any) -> None:
        self.stacks = stacks
        self.served = {"/v1"}

    def query(self, _server: Nameserver, _name: str, *, tcp: bool = False) -> DnsAnswer:
        return DnsAnswer("NOERROR", ("192.0.2.2",), 60)

    def get(self, domain: str, _address: str, path: str) -> HttpAnswer:
        status = 200 if path in self.served else 403
        return HttpAnswer(status, domain.split(".", maxsplit=1)[0], None, None, 0.1)

    def probes(self) -> Probes:
        port: Any = self
        return Probes(self.stacks.clock, port, port, port, (Nameserver("r", "192.0.2.3"),))


@pytest.fixture
def world(stacks: Any) -> World:
    return World(stacks)


@pytest.fixture
def change(
    ports: DeployPorts, world: World, graph_of: Callable[..., Graph]
) -> Callable[..., tuple[Outcome, list[Event]]]:
    """Deploy a stage, then a change of all its stacks with another path."""

    def change(path: str, served_with: str = "") -> tuple[Outcome, list[Event]]:
        graph = graph_of(graph=GRAPH)
        assert deploy(graph, ports, lambda _: None).ok
        graph = graph_of(graph=GRAPH, thing="Other'")
        graph = replace(graph, settings={**graph.settings, "path": path})
        events: list[Event] = []

        def emit(event: Event) -> None:
            events.append(event)
            is_served = isinstance(event, StackDone) and str(event.node) == served_with
            if is_served:
                world.served.add(path)

        records = SimulatedStandbyRecords({StandbyRecord: RECORD})
        check = IdentityCheck(
            graph,
            config(),
            Endpoint("dev.example.com", path, {region: f"{region}.d" for region in (EAST, WEST)}),
            IdentityPorts(ports.clock, lambda: [records], world.probes),
            emit,
            IdentitySettings(),
        )
        return deploy(graph, ports, emit, options=DeployOptions(hooks=(check,))), events

    return change


CHECK = NodeId("check", EAST)


def started(events: list[Event]) -> list[str]:
    return [str(event.node) for event in events if isinstance(event, StackStarted)]


def test_a_path_that_is_not_served_leaves_the_health_check(change: Any) -> None:
    """Route 53 would leave a primary that serves. The rest of the change is made."""
    outcome, events = change("/nosuch")
    assert not outcome.ok
    [failed] = [event for event in events if isinstance(event, StackFailed)]
    assert failed.node == CHECK
    assert "https://us-east-1.d/nosuch" in failed.cause
    assert "403" in failed.cause
    assert "us-east-1 for failed" in failed.cause
    assert set(started(events)) == {f"api@{EAST}", f"api@{WEST}"}


def test_a_path_that_the_same_deployment_brings_is_waited_for(change: Any) -> None:
    """The health check changes when the API has the path, not before."""
    outcome, events = change("/v2", served_with=f"api@{EAST}")
    assert outcome.ok, [event for event in events if isinstance(event, StackFailed)]
    order = started(events)
    assert order.index(f"check@{EAST}") > order.index(f"api@{EAST}")
    assert order.index(f"check@{EAST}") < order.index(f"record@{EAST}")


def test_the_path_that_was_deployed_is_not_called(change: Any, world: World) -> None:
    """A change of other settings goes on while the primary is down."""
    world.served.clear()
    outcome, _ = change("/v1")
    assert outcome.ok
