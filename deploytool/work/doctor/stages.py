"""What the checks of one stage have in common: its graph, its stacks and its hosted zone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from deploytool.core.certificates.certificate import certificate_requests, hosted_zone_in
from deploytool.core.certificates.ports import ZoneInfo, ZoneReader
from deploytool.core.certificates.records import planned_records
from deploytool.core.doctor.domain import StageZone
from deploytool.core.errors import DeploytoolError, InputError, InputProblem
from deploytool.core.project.config import Setting, Stage
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.stacks.stack import Stack
from deploytool.work.certificates.zone_check import was_created_by
from deploytool.work.doctor.run import Once
from deploytool.work.stacks.run import found_in


class ZoneFinder(ZoneReader, Protocol):
    """Reads hosted zones, and finds the one that holds a domain."""

    def find_enclosing(self, domain: str) -> ZoneInfo | None:
        """Return the public zone with the longest name that the domain is in.

        Raises InputError when several zones have that name.
        """
        ...


Listings = Mapping[str, Once[Mapping[str, Stack]]]
MakeGraph = Callable[[Mapping[str, Setting]], Graph]


@dataclass(frozen=True)
class StageSource:
    """A stage of the configuration, and what makes its graph.

    `lookups` are the settings to look up, each with its kind. `make_graph` takes their values and
    raises InputError.
    """

    stage: Stage
    lookups: Mapping[str, str]
    make_graph: MakeGraph
    file: str  # for messages
    primary: str


class StageState:
    """What AWS has of a stage. Each part is read once, when the first check needs it.

    `listings` has the stacks of each region. `graph` is the stage's graph with the settings that are
    looked up, `deployed` has its stacks that exist, and `zone` is its hosted zone with the name
    servers.
    """

    def __init__(self, source: StageSource, zones: ZoneFinder, listings: Listings) -> None:
        self.source = source
        self.zones = zones
        self.graph: Once[Graph] = Once(self._read_graph)
        self.deployed: Once[Mapping[NodeId, Stack]] = Once(self._read_deployed)
        self.zone: Once[StageZone] = Once(self._read_zone)
        self._listings = listings

    @property
    def name(self) -> str:
        """The name of the stage."""
        return self.source.stage.name

    @property
    def domain(self) -> str:
        """The domain of the stage."""
        return self.source.stage.domain

    def _read_graph(self) -> Graph:
        values: dict[str, Setting] = {}
        for name, kind in self.source.lookups.items():
            key = f"stages.{self.name}.settings.{name}"
            zone = self.zones.find_enclosing(self.domain) if kind == "hosted_zone" else None
            if zone is None:
                message = (
                    f"no public hosted zone of the account holds {self.domain};"
                    ' set the id of the zone to use, or set zone = "new"'
                )
                raise InputError([InputProblem(self.source.file, key, message)])
            values[name] = zone.id
        return self.source.make_graph(values)

    def _read_deployed(self) -> Mapping[NodeId, Stack]:
        graph = self.graph.get()
        regions = sorted({node.region for node in graph.nodes})
        listed = {region: self._listing(region) for region in regions}
        return dict(found_in(graph, listed).deployed)

    def _listing(self, region: str) -> Mapping[str, Stack]:
        if region not in self._listings:
            raise DeploytoolError(f"the stacks of {region} were not listed")
        return self._listings[region].get()

    def _read_zone(self) -> StageZone:
        graph = self.graph.get()
        for node in graph.nodes.values():
            name = hosted_zone_in(node.document, known_parameters(node), certain=True)
            if name is not None:
                return self._zone_to_create(node, name)

        # Records and certificates in a zone that exists name its id
        ids: set[str] = set()
        for node in graph.nodes.values():
            known = known_parameters(node)
            ids.update(planned.zone_id for planned in planned_records(node.document, known))
            for request in certificate_requests(node.document, known):
                ids.update(map(str, request.zones.values()))
        for zone_id in sorted(ids):
            return StageZone(self.zones.get(zone_id))
        return StageZone()

    def _zone_to_create(self, node: Node, name: str) -> StageZone:
        """Return the zone of that name that a stack of the stage created, or that it will be."""
        stack = self.deployed.get().get(node.id)
        outputs = set(stack.outputs.values()) if stack is not None else set()
        for zone in self.zones.find(name):
            if zone.id in outputs or was_created_by(zone, node.stack_name):
                return StageZone(self.zones.get(zone.id))
        return StageZone(planned=name)


def known_parameters(node: Node) -> dict[str, str | None]:
    """Return the parameters of a node; an output of another stack is not known, so None."""
    values: dict[str, str | None] = {
        name: value if isinstance(value, str) else None for name, value in node.parameters.items()
    }
    return {**values, **node.pseudo_parameters}
