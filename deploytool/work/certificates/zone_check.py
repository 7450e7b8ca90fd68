"""Checks, before any stack is made, that Route 53 will take the records and zones of a deployment.

CloudFormation would find these faults only when it comes to the records, after every other stack. A
zone that a stage creates must be the only public one of its name: a second one has other name
servers, and the parent still leads to the first. A stack whose creation was rolled back may have left
its zone too: `DeletionPolicy: Retain` keeps a resource in that case as well (CloudFormation's
Template Reference, "DeletionPolicy attribute").
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from deploytool.core.certificates.certificate import certificate_requests, hosted_zone_in
from deploytool.core.certificates.ports import ZoneInfo, ZoneReader
from deploytool.core.certificates.records import PlannedRecord, planned_records
from deploytool.core.errors import ApiUnavailable, InputError, InputProblem, NoSuchZone
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.route53.conflicts import conflicts, is_within
from deploytool.core.route53.zone import HostedZone, RecordSet
from deploytool.core.stacks.stack import Stack, StackStatus
from deploytool.work.stacks.hooks import DeployHooks

# A stack with one of these statuses has no resources.
_EMPTY = frozenset(
    {
        StackStatus.REVIEW_IN_PROGRESS,
        StackStatus.ROLLBACK_COMPLETE,
        StackStatus.DELETE_COMPLETE,
    }
)
# With these it will be created again. A zone that an earlier creation left is not its own.
_CREATED_AGAIN = _EMPTY | {StackStatus.CREATE_FAILED, StackStatus.ROLLBACK_FAILED}
# With these too, but what it leaves is known only when that operation has ended.
_ENDING = frozenset({StackStatus.ROLLBACK_IN_PROGRESS, StackStatus.DELETE_IN_PROGRESS})
_MAX_VALUES = 3  # of a record set that a message names


class ZoneCheck(DeployHooks):
    """Refuses a deployment whose zones or records Route 53 would refuse. `file` is for messages."""

    def __init__(
        self,
        graph: Graph,
        is_chosen: Callable[[NodeId], bool],
        make_zones: Callable[[], ZoneReader],
        file: str,
    ) -> None:
        self._graph = graph
        self._is_chosen = is_chosen
        self._make_zones = make_zones
        self._file = file
        self._ending: frozenset[NodeId] = frozenset()

    def stacks_found(self, deployed: Mapping[NodeId, Stack]) -> None:
        """Check what this run creates. Raises InputError with every problem.

        While Route 53's API does not answer nothing is checked: no stack can change records then.
        """
        self._ending = frozenset(
            node for node, stack in deployed.items() if stack.status in _ENDING
        )
        try:
            check_zones(self._graph, self._is_chosen, deployed, self._make_zones, self._file)
        except ApiUnavailable:
            return

    def before_change(self, node: Node, parameters: Mapping[str, str]) -> None:
        """Check the zone of a stack that was being deleted. Raises InputError."""
        name = hosted_zone_in(node.document, parameters)
        if node.id in self._ending and name is not None:
            check = _Check(self._graph, self._make_zones(), self._file)
            problems = list(check.second_zone(node, name))
            if problems:
                raise InputError(problems)


def check_zones(
    graph: Graph,
    is_chosen: Callable[[NodeId], bool],
    deployed: Mapping[NodeId, Stack],
    make_zones: Callable[[], ZoneReader],
    file: str,
) -> None:
    """Raise InputError when Route 53 would refuse what the chosen stacks create, with every reason.

    What the deployed stacks have already is not read again: a deployment with nothing to create
    makes no call. Raises ApiUnavailable, CloudRefused.
    """
    news = [
        _news_of(node, deployed.get(node.id)) for node in graph.nodes.values() if is_chosen(node.id)
    ]
    if not any(new.is_anything for new in news):
        return

    check = _Check(graph, make_zones(), file)
    problems = [problem for new in news for problem in check.problems(new)]
    if problems:
        raise InputError(sorted(set(problems)))


def was_created_by(zone: ZoneInfo, stack_name: str) -> bool:
    """Return whether a stack of this name created a hosted zone, perhaps in an earlier deployment.

    The comment of the zone then has the stack's name as a word (hosted-zone.yaml).
    """
    return stack_name in zone.comment.split()


# The id of a zone, and the key of a record set in it
Key = tuple[str, tuple[str, str, str]]


@dataclass(frozen=True)
class _News:
    """What a stack will create or change: its zone, its record sets, and the zones of certificates.

    `zone` is the name of the zone that it creates. `validated` has pairs of a name and the id of the
    zone that takes its validation record. `own` are the zones and keys of the record sets that the
    stack has already.
    """

    node: Node
    zone: str | None
    records: tuple[PlannedRecord, ...]
    validated: tuple[tuple[str, str], ...]
    own: frozenset[Key] = frozenset()

    @property
    def is_anything(self) -> bool:
        return bool(self.zone or self.records or self.validated)


def _news_of(node: Node, stack: Stack | None) -> _News:
    """Compare a node with its stack. Parameters that are outputs are not known yet."""
    # Not left out: the template's default would then count, which the output replaces.
    known = {
        name: value if isinstance(value, str) else None for name, value in node.parameters.items()
    }
    wanted = _all_of(node, known)
    if stack is None or stack.status in _EMPTY:
        return wanted

    present = _all_of(node, stack.parameters)
    makes_zone = wanted.zone != present.zone or stack.status in _CREATED_AGAIN
    return _News(
        node,
        wanted.zone if makes_zone and stack.status not in _ENDING else None,
        tuple(planned for planned in wanted.records if planned not in present.records),
        tuple(pair for pair in wanted.validated if pair not in present.validated),
        frozenset((planned.zone_id, planned.record.key) for planned in present.records),
    )


def _all_of(node: Node, parameters: Mapping[str, str | None]) -> _News:
    pseudo = {"AWS::Region": node.id.region, "AWS::StackName": node.stack_name}
    parameters = {**parameters, **pseudo}
    validated: list[tuple[str, str]] = []
    for request in certificate_requests(node.document, parameters):
        validated.extend((name, str(zone_id)) for name, zone_id in request.zones.items())
    return _News(
        node,
        hosted_zone_in(node.document, parameters, certain=True),
        planned_records(node.document, parameters),
        tuple(validated),
    )


class _Check:
    """Reads each zone once, and yields the problems of what stacks create."""

    def __init__(self, graph: Graph, zones: ZoneReader, file: str) -> None:
        self._graph = graph
        self._zones = zones
        self._file = file
        self._read: dict[str, ZoneInfo | InputProblem] = {}

    def problems(self, news: _News) -> Iterator[InputProblem]:
        if news.zone is not None:
            yield from self.second_zone(news.node, news.zone)
        for name, zone_id in news.validated:
            yield from self._misplaced(name, zone_id)
        for planned in news.records:
            misplaced = list(self._misplaced(planned.record.name, planned.zone_id))
            yield from misplaced
            if not misplaced:
                is_own = (planned.zone_id, planned.record.key) in news.own
                yield from self._conflicting(planned, is_own=is_own)

    def second_zone(self, node: Node, name: str) -> Iterator[InputProblem]:
        """Yield a problem for each public zone that exists of a name."""
        stage = self._graph.stage
        for zone in self._zones.find(name):
            origin = f" ({zone.comment})" if zone.comment else ""
            removal = "or, if nothing uses it, delete it"
            if was_created_by(zone, node.stack_name):
                origin = (
                    f", which {node.stack_name} created: it was retained when that stack was deleted"
                    " or rolled back, or the stack is in another region than before"
                )
                removal += f": deploytool destroy --stage {stage} --delete-zone"
            yield self._problem(
                "zone",
                f"{name.rstrip('.')} already has the public hosted zone {zone.id}{origin};"
                " a second one would have other name servers, and the parent leads to the first."
                f' Use it: set zone = "existing" and hosted_zone_id = "{zone.id}"'
                f" in [stages.{stage}.settings]; {removal}",
            )

    def _misplaced(self, name: str, zone_id: str) -> Iterator[InputProblem]:
        """Yield why a zone cannot have a record of a name, whatever it holds."""
        zone = self._zone(zone_id)
        if isinstance(zone, InputProblem):
            yield zone
        elif not is_within(_as_zone(zone), name):
            yield self._problem_of_zone(
                zone_id,
                f"hosted zone {zone_id} is that of {zone.name.rstrip('.')}, which does not hold"
                f" {name.rstrip('.')}; give the zone of this domain, or one above it",
            )

    def _conflicting(self, planned: PlannedRecord, *, is_own: bool) -> Iterator[InputProblem]:
        """Yield the record sets that are there already and cannot stay beside one of the stage.

        `is_own` says that the record set is there too, and is changed.
        """
        record = planned.record
        zone = self._zone(planned.zone_id)
        if isinstance(zone, InputProblem):
            return
        existing = self._zones.named(planned.zone_id, record.name)
        is_taken = not is_own and any(other.key == record.key for other in existing)
        if not is_taken and not any(conflicts(_as_zone(zone), record, existing)):
            return

        name = record.name.rstrip(".")
        there = "; ".join(map(_described, existing))
        if is_own:
            yield self._problem(
                "",
                f"the record {record.set_identifier} of {name} would become"
                f" {record.failover or record.policy}, and Route 53 refuses that beside the others:"
                f" {there}. Keep the settings that it was deployed with (the order of the regions"
                " too), or destroy the stage and deploy it anew",
            )
            return
        yield self._problem(
            "",
            f"{name} has records in hosted zone {planned.zone_id} that this stage did not make:"
            f" {there}. Route 53 refuses the stage's {record.type} record beside them."
            " Delete them, or choose another domain"
            " (docs/how-to/domain.md, 'A name that is in use')",
        )

    def _zone(self, zone_id: str) -> ZoneInfo | InputProblem:
        if zone_id not in self._read:
            self._read[zone_id] = self._read_zone(zone_id)
        return self._read[zone_id]

    def _read_zone(self, zone_id: str) -> ZoneInfo | InputProblem:
        try:
            zone = self._zones.get(zone_id)
        except NoSuchZone:
            return self._problem_of_zone(
                zone_id,
                f"there is no hosted zone {zone_id} in the account that is deployed to;"
                ' leave the id out to find the zone by the domain, or set zone = "new"',
            )
        if not zone.private:
            return zone

        public = ", ".join(found.id for found in self._zones.find(zone.name))
        fix = f"the public one is {public}" if public else "there is no public one of this name"
        return self._problem_of_zone(
            zone_id,
            f"hosted zone {zone_id} of {zone.name.rstrip('.')} is private: only its VPCs see its"
            f" records, and no certificate is validated there; {fix}",
        )

    def _problem_of_zone(self, zone_id: str, message: str) -> InputProblem:
        """Return a problem of the setting that gives a zone's id."""
        for name, value in self._graph.settings.items():
            if value == zone_id:
                return self._problem(name, message)
        return self._problem("", message)

    def _problem(self, setting: str, message: str) -> InputProblem:
        """Return a problem of a setting of the stage, or of its domain."""
        key = f"stages.{self._graph.stage}"
        if setting and setting in self._graph.settings:
            return InputProblem(self._file, f"{key}.settings.{setting}", message)
        return InputProblem(self._file, key, message)


def _as_zone(zone: ZoneInfo) -> HostedZone:
    return HostedZone(zone.id, zone.name, zone.name_servers, ())


def _described(record: RecordSet) -> str:
    """Return a record set in short, like `CNAME old.example.net`."""
    if record.alias is not None:
        target = f"alias to {record.alias.dns_name.rstrip('.')}"
    else:
        target = ", ".join(record.values[:_MAX_VALUES])
        if len(record.values) > _MAX_VALUES:
            target += " ..."
    policy = f" ({record.policy}, {record.set_identifier})" if record.policies else ""
    return f"{record.type} {target}{policy}"
