"""The state of a stage, as far as the APIs of its regions answer. Changes nothing.

Every API is asked at the same time, and DNS and HTTPS beside them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from deploytool.core.drill.ports import DrillRecords
from deploytool.core.drill.record import DrillRecord
from deploytool.core.errors import ApiUnavailable
from deploytool.core.failover.ports import StandbyRecords
from deploytool.core.failover.records import (
    LastDrill,
    OutputsRecord,
    ServingRecord,
    StandbyRecord,
    SwitchRecord,
)
from deploytool.core.ports import Executor
from deploytool.core.project.graph import Graph, NodeId, OutputRef
from deploytool.core.route53.health import HealthCheck
from deploytool.core.service.findings import Findings
from deploytool.core.service.missing import Missing
from deploytool.core.service.ports import HealthChecks
from deploytool.core.stacks.plan import find_stacks
from deploytool.core.stacks.ports import StackReader
from deploytool.core.stacks.stack import Stack
from deploytool.work.answers import Answer, Questions

Listing = Mapping[str, Stack]


@dataclass(frozen=True)
class OverviewPorts:
    """The ports of an overview. `look` checks the service by DNS and HTTPS."""

    executor: Executor
    stacks: StackReader
    records: StandbyRecords
    drills: DrillRecords
    health_checks: HealthChecks
    look: Callable[[], Findings]


@dataclass(frozen=True)
class Overview:
    """What is known of a stage. `missing` says what is not, because an API did not answer.

    `stacks` has the nodes of the regions that answer; None for a stack that is not deployed.
    `findings` is None when nothing is deployed: a resolver would keep for some time that it does
    not know the domain. `drill` is the record of a drill that did not finish.
    """

    stacks: Mapping[NodeId, Stack | None]
    health_check: HealthCheck | None = None
    drill: DrillRecord | None = None
    standby: StandbyRecord | None = None
    switch: SwitchRecord | None = None
    serving: ServingRecord | None = None
    last_drill: LastDrill | None = None
    findings: Findings | None = None
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True)
class KnownOutputs:
    """The outputs of the deployed stacks.

    `last_known` is the record that those of the primary region are from, when its API does not
    answer. `missing` says which outputs are not known, or not known to be current.
    """

    outputs: Mapping[NodeId, Mapping[str, str]]
    last_known: OutputsRecord | None = None
    missing: tuple[Missing, ...] = ()


def overview(ports: OverviewPorts, graph: Graph, regions: Collection[str]) -> Overview:
    """Return the state of a stage, with the stacks of these regions."""
    records = ports.records
    questions = Questions(ports.executor)
    standby = questions.ask(
        "when the stage was deployed, and from which commit",
        partial(records.read, StandbyRecord),
    )
    lists = _list_stacks(questions, ports.stacks, regions)
    deployed = _Deployed(graph, standby, lists, questions)

    drill = questions.ask("whether a drill is unfinished", ports.drills.read)
    switch = questions.ask("whether the switch holds", partial(records.read, SwitchRecord))
    serving = questions.ask(
        "since when and why that region serves", partial(records.read, ServingRecord)
    )
    last_drill = questions.ask("the last drill", partial(records.read, LastDrill))
    check = questions.ask(
        "whether the health check is inverted",
        partial(_health_check, ports.health_checks, deployed),
    )
    findings = questions.ask("who serves", partial(_look, ports.look, deployed))
    return Overview(
        stacks=deployed.nodes(),
        health_check=check.value(),
        drill=drill.value(),
        standby=standby.value(),
        switch=switch.value(),
        serving=serving.value(),
        last_drill=last_drill.value(),
        findings=findings.value(),
        missing=questions.missing(),
    )


def known_outputs(
    executor: Executor,
    stacks: StackReader,
    records: StandbyRecords,
    graph: Graph,
    regions: Collection[str],
) -> KnownOutputs:
    """Return the outputs of the stacks in these regions.

    For a primary region whose API does not answer they are those of the last deployment, which the
    secondary region keeps.
    """
    questions = Questions(executor)
    lists = _list_stacks(questions, stacks, regions, "the current outputs of")
    listed = _listed(lists)
    outputs: dict[NodeId, Mapping[str, str]] = {}
    for node, stack in find_stacks(graph, listed).items():
        outputs[node] = stack.outputs

    last_known = None
    primary = graph.regions[0]
    if primary in regions and primary not in listed:
        record = questions.ask(
            f"the outputs of {primary} at the last deployment",
            partial(records.read, OutputsRecord),
        )
        last_known = record.value()
    if last_known is not None:
        for stack_name, values in last_known.outputs.items():
            outputs[NodeId(stack_name, last_known.region)] = values
    return KnownOutputs(outputs, last_known, questions.missing())


@dataclass(frozen=True)
class _Deployed:
    """What the standby's record and the listings tell of the deployed stacks."""

    graph: Graph
    standby: Answer[StandbyRecord | None]
    lists: Mapping[str, Answer[Listing]]
    questions: Questions

    def exists(self) -> bool:
        """Return whether anything is deployed, as soon as one answer shows it.

        True as well when an API did not answer, and no other shows it.
        """
        answers: list[Answer[Any]] = [self.standby, *self.lists.values()]
        self.questions.wait_until(self._shows_stack, answers)
        here = [answer for answer in answers if answer.is_here]
        return any(self._shows_stack(answer) or answer.missing for answer in here)

    def nodes(self) -> dict[NodeId, Stack | None]:
        """Return the nodes of the regions that answer. Waits for the listings."""
        listed = _listed(self.lists)
        deployed = find_stacks(self.graph, listed)
        return {node: deployed.get(node) for node in self.graph.nodes if node.region in listed}

    def health_check_id(self) -> str | None:
        """Return the id of the endpoint's health check, None when there is none.

        Waits for the answers. Raises ApiUnavailable when those that tell the id are missing.
        """
        record = self.standby.value()
        if record is not None and record.health_check_id:
            return record.health_check_id
        value = self.graph.service.get("health_check")
        if not isinstance(value, OutputRef):
            return value

        stack = self.nodes().get(value.node)
        if stack is not None:
            return stack.outputs.get(value.output)
        listing = self.lists.get(value.node.region)
        if listing is not None and listing.missing is not None:
            gap = listing.missing
            raise ApiUnavailable(f"the health check is not known: {gap.reason}", gap.region)
        return None

    def _shows_stack(self, answer: Answer[Any]) -> bool:
        value = answer.value()
        if answer is self.standby:
            return value is not None
        region = next(name for name, listing in self.lists.items() if listing is answer)
        return bool(find_stacks(self.graph, {region: value or {}}))


def _list_stacks(
    questions: Questions,
    stacks: StackReader,
    regions: Collection[str],
    what: str = "the stacks of",
) -> dict[str, Answer[Listing]]:
    return {
        region: questions.ask(f"{what} {region}", partial(stacks.list, region))
        for region in regions
    }


def _listed(lists: Mapping[str, Answer[Listing]]) -> dict[str, Listing]:
    """Return the listings of the regions that answer."""
    listed: dict[str, Listing] = {}
    for region, answer in lists.items():
        stacks = answer.value()
        if stacks is not None:
            listed[region] = stacks
    return listed


def _health_check(health_checks: HealthChecks, deployed: _Deployed) -> HealthCheck | None:
    """Return the health check of the endpoint, None when there is none.

    Raises ApiUnavailable when Route 53 does not answer, or those that know which check it is.
    """
    health_check_id = deployed.health_check_id()
    return health_checks.get(health_check_id) if health_check_id else None


def _look(look: Callable[[], Findings], deployed: _Deployed) -> Findings | None:
    return look() if deployed.exists() else None
