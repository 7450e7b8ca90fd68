"""The state and the outputs of a stage while APIs do not answer, in the simulated world."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from deploytool.core.errors import ApiUnavailable, CloudRefused
from deploytool.core.failover.records import SCHEMA_VERSION, Deployed, SwitchRecord
from deploytool.core.failover.standby import outputs_record, standby_record
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.service.findings import Findings
from deploytool.core.stacks.plan import find_stacks
from deploytool.simulated.cloudformation import SimulatedStacks
from deploytool.simulated.executor import InlineExecutor
from deploytool.simulated.outage import Outage
from deploytool.simulated.world import World
from deploytool.work.check import check, servers_of_zone
from deploytool.work.overview import KnownOutputs, Overview, OverviewPorts, known_outputs, overview

EAST, WEST = "us-east-1", "us-west-2"
DEPLOYED = Deployed("2026-11-25T09:00:00+00:00", "ana@laptop", "abc", "1.0")
SWITCH = SwitchRecord(SCHEMA_VERSION, True, "2026-11-25T12:00:00Z", "ana", "a test", "command")


@dataclass
class Stage:
    """A deployed stage, whose regions' APIs a test ends through `outage`."""

    graph: Graph
    stacks: SimulatedStacks
    world: World = field(default_factory=World)
    outage: Outage = field(default_factory=Outage)
    looks: list[Findings] = field(default_factory=list)

    def keep_records(self) -> None:
        """Keep in the standby region what a deployment and a failover do."""
        listed = {region: self.stacks.list(region) for region in (EAST, WEST)}
        deployed = find_stacks(self.graph, listed)
        outputs = {node: stack.outputs for node, stack in deployed.items()}
        self.world.standby.write(standby_record(self.world.service, {}, (), DEPLOYED))
        self.world.standby.write(outputs_record(EAST, outputs, DEPLOYED.at))
        self.world.standby.write(SWITCH)

    def overview(self, *regions: str) -> Overview:
        around, world = self.outage.around, self.world
        ports = OverviewPorts(
            executor=InlineExecutor(),
            stacks=around(self.stacks),
            records=around(world.standby, WEST),
            drills=around(world.drill_records, WEST),
            health_checks=around(world.health_checks, EAST),
            look=self._look,
        )
        return overview(ports, self.graph, regions or (EAST, WEST))

    def outputs(self, *regions: str) -> KnownOutputs:
        around = self.outage.around
        records = around(self.world.standby, WEST)
        return known_outputs(
            InlineExecutor(), around(self.stacks), records, self.graph, regions or (EAST, WEST)
        )

    def _look(self) -> Findings:
        probes = self.world.probes()
        service = self.world.service
        found = check(probes, InlineExecutor(), service, servers_of_zone(probes, service))
        self.looks.append(found)
        return found


@pytest.fixture
def stage(
    stacks: SimulatedStacks, run: Callable[..., object], graph_of: Callable[..., Graph]
) -> Stage:
    """A stage with its stacks and its records."""
    run()
    stage = Stage(graph_of(), stacks)
    stage.keep_records()
    return stage


def what_is_missing(state: Overview | KnownOutputs) -> dict[str, str]:
    """Return the region of each part that is missing."""
    return {gap.what: gap.region for gap in state.missing}


def test_everything_is_known_while_every_api_answers(stage: Stage) -> None:
    """Who serves, what the standby region keeps, the health check and all stacks."""
    state = stage.overview()
    assert state.missing == ()
    assert state.findings is not None
    assert state.findings.served_by == EAST
    assert state.standby is not None
    assert state.standby.deployed == DEPLOYED
    assert state.switch == SWITCH
    assert state.health_check == stage.world.check
    assert state.stacks.keys() == stage.graph.nodes.keys()
    assert all(state.stacks.values())


def test_without_the_primary_s_api_the_rest_is_known(stage: Stage) -> None:
    """Its stacks and the health check are missing, and each names the region."""
    stage.outage.dead = {EAST}
    state = stage.overview()
    assert what_is_missing(state) == {
        f"the stacks of {EAST}": EAST,
        "whether the health check is inverted": EAST,
    }
    assert state.switch == SWITCH
    assert {node.region for node in state.stacks} == {WEST}
    assert state.findings is not None
    assert state.findings.served_by == EAST


def test_without_the_secondary_s_api_its_records_are_missing(stage: Stage) -> None:
    """Who serves is known by DNS and HTTPS all the same."""
    stage.outage.dead = {WEST}
    state = stage.overview()
    assert set(what_is_missing(state).values()) == {WEST}
    assert len(state.missing) == 6
    assert state.findings is not None
    assert {node.region for node in state.stacks} == {EAST}


def test_without_any_api_it_is_still_said_who_serves(stage: Stage) -> None:
    """DNS and HTTPS need none of them."""
    stage.outage.dead = {EAST, WEST}
    state = stage.overview()
    assert state.findings is not None
    assert state.findings.served_by == EAST
    assert state.stacks == {}


def test_without_the_record_the_stacks_tell_the_health_check(stage: Stage) -> None:
    """An older version deployed the stage. Without its primary's API the check is unknown."""
    stage.world.standby.remove_all()
    assert stage.overview().missing == ()
    stage.outage.dead = {EAST}
    assert f"the stacks of {EAST}" in what_is_missing(stage.overview())


def test_a_stage_that_is_not_deployed_is_not_looked_up_in_dns(
    stacks: SimulatedStacks, graph_of: Callable[..., Graph]
) -> None:
    """A resolver would keep the negative answer, and deny the domain after a deployment."""
    stage = Stage(graph_of(), stacks)
    state = stage.overview()
    assert (state.findings, stage.looks) == (None, [])
    assert set(state.stacks.values()) == {None}
    # While an API does not answer nobody can say that the stage is not deployed
    stage.outage.dead = {WEST}
    assert stage.overview().findings is not None


def test_a_refusal_is_an_error(stage: Stage) -> None:
    """A missing permission is no outage: the command ends with 3."""
    stage.world.standby.error = CloudRefused("no permission")
    with pytest.raises(CloudRefused):
        stage.overview()


def test_a_region_that_is_not_selected_is_not_asked(stage: Stage) -> None:
    """Its stacks are not shown, so they are not missing."""
    stage.outage.dead = {EAST}
    assert f"the stacks of {EAST}" not in what_is_missing(stage.overview(WEST))
    assert stage.outputs(WEST).missing == ()


def test_the_last_known_outputs_stand_in_for_the_primary_s(stage: Stage) -> None:
    """They are the same; that they may be out of date is said."""
    current = stage.outputs()
    assert current.last_known is None
    stage.outage.dead = {EAST}
    known = stage.outputs()
    # A stack without outputs has no entry in the record
    assert known.outputs == {node: values for node, values in current.outputs.items() if values}
    assert known.last_known is not None
    assert what_is_missing(known) == {f"the current outputs of {EAST}": EAST}


def test_without_the_secondary_s_api_the_primary_s_outputs_are_current(stage: Stage) -> None:
    """Nothing keeps those of the secondary elsewhere."""
    stage.outage.dead = {WEST}
    known = stage.outputs()
    assert {node.region for node in known.outputs} == {EAST}
    assert what_is_missing(known) == {f"the current outputs of {WEST}": WEST}


def test_outputs_without_a_record_are_missing(stage: Stage) -> None:
    """An older version deployed the stage."""
    stage.world.standby.remove_all()
    stage.outage.dead = {EAST}
    known = stage.outputs()
    assert NodeId("zone", EAST) not in known.outputs
    assert what_is_missing(known) == {f"the current outputs of {EAST}": EAST}


def test_the_double_of_an_outage_raises_what_the_adapters_raise() -> None:
    """A port without a region takes it from the first argument of each call."""
    outage = Outage({EAST})
    world = World()
    functions = outage.around(world.functions)
    functions.set_reserved_concurrency(WEST, "f", 0)
    with pytest.raises(ApiUnavailable) as caught:
        functions.set_reserved_concurrency(EAST, "f", 0)
    assert caught.value.region == EAST
