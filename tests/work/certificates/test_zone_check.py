"""The check of zones and records before any stack is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from deploytool.core.certificates.ports import ZoneInfo
from deploytool.core.errors import ApiUnavailable, InputError, NoSuchZone
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.template import parse_template
from deploytool.core.route53.zone import AliasTarget, RecordSet, canonical
from deploytool.core.stacks.stack import Stack, StackStatus
from deploytool.work.certificates.zone_check import ZoneCheck, check_zones

DOMAIN = "dev.example.com"
RECORD = """
Parameters: {Name: {Type: String}, Zone: {Type: String}, Target: {Type: String}, Role: {Type: String}}
Conditions: {IsFailover: !Not [!Equals [!Ref Role, NONE]]}
Resources:
  Record:
    Type: AWS::Route53::RecordSet
    Properties:
      Name: !Ref Name
      Type: A
      HostedZoneId: !Ref Zone
      AliasTarget: {DNSName: !Ref Target, HostedZoneId: Z0, EvaluateTargetHealth: false}
      Failover: !If [IsFailover, !Ref Role, !Ref 'AWS::NoValue']
      SetIdentifier: !If [IsFailover, !Ref 'AWS::Region', !Ref 'AWS::NoValue']
"""
GROUP = """
Parameters: {Name: {Type: String}, Zone: {Type: String}}
Resources:
  Records:
    Type: AWS::Route53::RecordSetGroup
    Properties:
      HostedZoneId: !Ref Zone
      RecordSets: [{Name: !Sub 'www.${Name}', Type: A, TTL: '60', ResourceRecords: [192.0.2.1]}]
"""
CERTIFICATE = """
Parameters: {Name: {Type: String}, Zone: {Type: String}}
Resources:
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties:
      DomainName: !Ref Name
      DomainValidationOptions: [{DomainName: !Ref Name, HostedZoneId: !Ref Zone}]
"""
ZONE = """
Parameters: {Name: {Type: String}}
Resources: {Zone: {Type: 'AWS::Route53::HostedZone', Properties: {Name: !Ref Name}}}
Outputs: {Id: {Value: !Ref Zone}}
"""
API = """
Resources: {Api: {Type: 'AWS::ApiGateway::RestApi', Properties: {Name: api}}}
Outputs: {Target: {Value: !GetAtt Api.RootResourceId}}
"""
GRAPH = """
settings:
  zone: {default: new, values: [new, existing]}
  hosted_zone_id: ""
stacks:
  zone: {template: zone.yaml, scope: global, when: {zone: new}, parameters: {Name: {setting: domain}}}
  api: {template: api.yaml, scope: regional}
  certificate:
    template: certificate.yaml
    scope: global
    when: {zone: existing}
    parameters: {Name: {setting: domain}, Zone: {setting: hosted_zone_id}}
  record:
    template: record.yaml
    scope: regional
    parameters:
      Name: {setting: domain}
      Zone: [{output: zone.Id, when: {zone: new}}, {setting: hosted_zone_id, when: {zone: existing}}]
      Target: {output: api.Target}
      Role: {setting: role}
  group:
    template: group.yaml
    scope: global
    when: {zone: existing}
    parameters: {Name: {setting: domain}, Zone: {setting: hosted_zone_id}}
"""
TEMPLATES = {
    "zone.yaml": ZONE,
    "api.yaml": API,
    "certificate.yaml": CERTIFICATE,
    "record.yaml": RECORD,
    "group.yaml": GROUP,
}
EAST, WEST = "us-east-1", "us-west-2"


def graph_of(zone_id: str = "", text: str = GRAPH, bodies: Mapping[str, str] = TEMPLATES) -> Graph:
    """A stage with a new zone, or in the zone of that id."""
    settings = f'zone = "existing"\nhosted_zone_id = "{zone_id}"\n' if zone_id else ""
    config = parse_config(
        f'project = "hello"\ndomain = "example.com"\nregions = ["{EAST}", "{WEST}"]\n[stages.dev]\n'
        f"[stages.dev.settings]\n{settings}",
        "deploytool.toml",
    )
    templates = {name: parse_template(body, name) for name, body in bodies.items()}
    file = parse_graph_file(text, "stacks.yaml")
    return build_graph(config, config.stage("dev"), file, templates, {})


@dataclass
class Zones:
    """The hosted zones of an account, and how often they were asked."""

    zones: tuple[ZoneInfo, ...] = ()
    record_sets: tuple[RecordSet, ...] = ()
    is_down: bool = False
    calls: list[str] = field(default_factory=list)

    def get(self, zone_id: str) -> ZoneInfo:
        self.calls.append(zone_id)
        if self.is_down:
            raise ApiUnavailable("no answer", EAST)
        for zone in self.zones:
            if zone.id == zone_id:
                return zone
        raise NoSuchZone(f"no {zone_id}")

    def find(self, name: str) -> Sequence[ZoneInfo]:
        self.calls.append(name)
        wanted = canonical(name)
        return [zone for zone in self.zones if zone.name == wanted and not zone.private]

    def records(self, zone_id: str) -> Sequence[RecordSet]:
        raise AssertionError("a large zone has many pages")

    def named(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        self.calls.append(f"{zone_id} {name}")
        return [record for record in self.record_sets if record.name == canonical(name)]


PUBLIC = ZoneInfo("Z1", "example.com.", ("ns-1.awsdns-1.com.",))
PRIVATE = ZoneInfo("Z2", "example.com.", (), private=True)
OTHER = ZoneInfo("Z3", "example.org.", ("ns-1.awsdns-1.com.",))


def problems(
    graph: Graph, zones: Zones, deployed: Mapping[NodeId, Stack] | None = None
) -> list[str]:
    """The problems of a deployment of everything."""
    try:
        check_zones(graph, lambda _: True, deployed or {}, lambda: zones, "deploytool.toml")
    except InputError as error:
        return [str(problem) for problem in error.problems]
    return []


def deployed_as(graph: Graph, status: StackStatus = StackStatus.CREATE_COMPLETE) -> Any:
    """All stacks of a graph, made with the parameters of its settings."""
    return {
        node.id: Stack(
            node.stack_name,
            node.stack_name,
            status,
            outputs={},
            parameters={
                name: value if isinstance(value, str) else "an-output"
                for name, value in node.parameters.items()
            },
        )
        for node in graph.nodes.values()
    }


class TestZones:
    """The zone that a stage is deployed into."""

    def test_good(self) -> None:
        """A public zone above the domain, without records of its names, is taken."""
        assert problems(graph_of("Z1"), Zones((PUBLIC, PRIVATE, OTHER))) == []

    def test_private(self) -> None:
        """The id of a private zone is refused, with the id of the public one of its name."""
        [problem] = problems(graph_of("Z2"), Zones((PUBLIC, PRIVATE)))
        assert problem.startswith("deploytool.toml: stages.dev.settings.hosted_zone_id: ")
        assert "Z2 of example.com is private" in problem
        assert "the public one is Z1" in problem

    def test_unknown(self) -> None:
        """The id of no zone is refused once, whatever takes it."""
        [problem] = problems(graph_of("Z9"), Zones((PUBLIC,)))
        assert "there is no hosted zone Z9 in the account" in problem

    def test_another_domain(self) -> None:
        """A zone that does not hold the domain is refused, for each name."""
        found = problems(graph_of("Z3"), Zones((OTHER,)))
        assert len(found) == 2
        assert all("Z3 is that of example.org, which does not hold" in line for line in found)


def simple(value: str = "192.0.2.1", name: str = DOMAIN, type_: str = "A") -> RecordSet:
    return RecordSet(f"{name}.", type_, 60, (value,))


class TestRecords:
    """Records that are in the zone already."""

    @pytest.mark.parametrize(
        ("there", "text"),
        [
            (simple(), "A 192.0.2.1"),
            (simple("old.example.net", type_="CNAME"), "CNAME old.example.net"),
            (
                RecordSet(
                    f"{DOMAIN}.",
                    "A",
                    alias=AliasTarget("d-1.example.net.", "Z0", False),
                    set_identifier="one",
                    weight=1,
                ),
                "A alias to d-1.example.net (weighted, one)",
            ),
            (
                RecordSet(f"{DOMAIN}.", "A", 60, ("192.0.2.1",), None, EAST, "PRIMARY", "hc"),
                f"A 192.0.2.1 (failover, {EAST})",
            ),
        ],
    )
    def test_conflict(self, there: RecordSet, text: str) -> None:
        """A record beside which Route 53 refuses the failover pair is named with its zone."""
        [problem] = problems(graph_of("Z1"), Zones((PUBLIC,), (there,)))
        assert problem.startswith("deploytool.toml: stages.dev: ")
        assert f"{DOMAIN} has records in hosted zone Z1" in problem
        assert text in problem

    def test_group(self) -> None:
        """The members of a record set group are compared too."""
        there = simple(name=f"www.{DOMAIN}")
        assert len(problems(graph_of("Z1"), Zones((PUBLIC,), (there,)))) == 1

    def test_no_conflict(self) -> None:
        """Records of another type, and the other half of the pair, can stay."""
        other_half = RecordSet(f"{DOMAIN}.", "A", 60, ("192.0.2.1",), None, "x", "SECONDARY")
        there = (simple('"v=spf1 -all"', type_="TXT"),)
        assert problems(graph_of("Z1"), Zones((PUBLIC,), there)) == []
        east = {
            node: stack
            for node, stack in deployed_as(graph_of("Z1")).items()
            if node != NodeId("record", EAST)
        }
        assert problems(graph_of("Z1"), Zones((PUBLIC,), (other_half,)), east) == []


CONDITIONAL = """
Parameters: {Name: {Type: String}, Zone: {Type: String}, Wanted: {Type: String, Default: 'yes'}}
Conditions: {IsWanted: !Equals [!Ref Wanted, 'yes']}
Resources:
  Other: {Type: 'AWS::Route53::HostedZone', Condition: IsWanted, Properties: {Name: example.com}}
  Record:
    Type: AWS::Route53::RecordSet
    Condition: IsWanted
    Properties: {Name: !Ref Name, Type: A, HostedZoneId: !Ref Zone, ResourceRecords: [192.0.2.1]}
"""


@pytest.mark.parametrize(
    ("wanted", "count"),
    [("{output: api.Target, region: primary}", 0), ("{value: 'yes'}", 2), ("{value: 'no'}", 0)],
)
def test_what_is_not_certain_is_not_refused(wanted: str, count: int) -> None:
    """An output may make the condition false, whatever default it replaces."""
    text = (
        GRAPH
        + f"""
  conditional:
    template: conditional.yaml
    scope: global
    parameters: {{Name: x.example.com, Zone: Z1, Wanted: {wanted}}}
"""
    )
    templates = {**TEMPLATES, "conditional.yaml": CONDITIONAL}
    there = simple(name="x.example.com")
    assert len(problems(graph_of("Z1", text, templates), Zones((PUBLIC,), (there,)))) == count


class TestChangedRecords:
    """Records that the stage has already, and that an update changes."""

    def test_regions_that_change_places(self) -> None:
        """A record cannot become the primary while the other one is it (boto/boto3#1347)."""
        graph = graph_of("Z1")
        halves = tuple(
            RecordSet(f"{DOMAIN}.", "A", 60, ("192.0.2.1",), None, region, role)
            for region, role in ((EAST, "SECONDARY"), (WEST, "PRIMARY"))
        )
        deployed = deployed_as(graph)
        for region, role in ((EAST, "SECONDARY"), (WEST, "PRIMARY")):
            stack = deployed[NodeId("record", region)]
            parameters = {**stack.parameters, "Role": role}
            deployed[NodeId("record", region)] = replace(stack, parameters=parameters)
        first, second = problems(graph, Zones((PUBLIC,), halves), deployed)
        assert f"the record {EAST} of {DOMAIN} would become PRIMARY" in first
        assert f"the record {WEST} of {DOMAIN} would become SECONDARY" in second

    def test_a_record_that_changes_alone(self) -> None:
        """A simple record that is changed in place is no conflict with itself."""
        graph = graph_of("Z1")
        deployed = deployed_as(graph)
        for region in (EAST, WEST):
            stack = deployed[NodeId("record", region)]
            parameters = {**stack.parameters, "Role": "SECONDARY" if region == EAST else "PRIMARY"}
            deployed[NodeId("record", region)] = replace(stack, parameters=parameters)
        assert problems(graph, Zones((PUBLIC,)), deployed) == []


class TestWhenItAsks:
    """A deployment that creates no record makes no call."""

    def test_all_deployed(self) -> None:
        """Stacks that have their records already are not checked, although the records exist."""
        zones = Zones((PUBLIC,), (simple(),))
        assert problems(graph_of("Z1"), zones, deployed_as(graph_of("Z1"))) == []
        assert zones.calls == []

    def test_a_rolled_back_creation(self) -> None:
        """A stack whose creation was rolled back has nothing, so its records are checked."""
        deployed = deployed_as(graph_of("Z1"), StackStatus.ROLLBACK_COMPLETE)
        assert len(problems(graph_of("Z1"), Zones((PUBLIC,), (simple(),)), deployed)) == 1

    def test_another_zone(self) -> None:
        """A stage that moves to another zone is checked."""
        deployed = deployed_as(graph_of("Z1"))
        assert any(
            "private" in line for line in problems(graph_of("Z2"), Zones((PRIVATE,)), deployed)
        )

    def test_a_part(self) -> None:
        """What is not chosen is not checked."""
        zones = Zones((PRIVATE,))
        graph = graph_of("Z2")
        check_zones(graph, lambda node: node.stack == "api", {}, lambda: zones, "deploytool.toml")
        assert zones.calls == []

    def test_a_dead_api(self) -> None:
        """While Route 53's API does not answer, a deployment goes on without the check."""
        zones = Zones(is_down=True)
        check = ZoneCheck(graph_of("Z1"), lambda _: True, lambda: zones, "deploytool.toml")
        check.stacks_found({})
        assert zones.calls == ["Z1"]


class TestNewZones:
    """A stage with a zone of its own."""

    def test_no_other_zone(self) -> None:
        """Zones of other names, and private ones of the name, do not matter."""
        private = ZoneInfo("Z4", f"{DOMAIN}.", (), private=True)
        assert problems(graph_of(), Zones((PUBLIC, private))) == []

    def test_a_zone_of_the_registrar(self) -> None:
        """A public zone of the name is named with its comment and the setting that uses it."""
        comment = "HostedZone created by Route53 Registrar"
        there = ZoneInfo("Z5", f"{DOMAIN}.", (), comment)
        [problem] = problems(graph_of(), Zones((there,)))
        assert problem.startswith("deploytool.toml: stages.dev.settings.zone: ")
        assert f"already has the public hosted zone Z5 ({comment})" in problem
        assert 'zone = "existing" and hosted_zone_id = "Z5" in [stages.dev.settings]' in problem

    def test_a_retained_zone(self) -> None:
        """The zone that this stage left is named so, with the command that deletes it."""
        there = ZoneInfo("Z5", f"{DOMAIN}.", (), "Created by stack hello-dev-zone and kept")
        [problem] = problems(graph_of(), Zones((there,)))
        assert "retained when that stack was deleted" in problem
        assert "destroy --stage dev --delete-zone" in problem

    @pytest.mark.parametrize(
        ("status", "is_refused"),
        [
            (StackStatus.ROLLBACK_COMPLETE, True),
            (StackStatus.ROLLBACK_FAILED, True),
            (StackStatus.CREATE_FAILED, True),
            (StackStatus.ROLLBACK_IN_PROGRESS, True),
            (StackStatus.DELETE_IN_PROGRESS, True),
            (StackStatus.CREATE_IN_PROGRESS, False),
            (StackStatus.CREATE_COMPLETE, False),
            (StackStatus.UPDATE_ROLLBACK_COMPLETE, False),
        ],
    )
    def test_a_zone_that_a_rolled_back_creation_left(
        self, status: StackStatus, is_refused: bool
    ) -> None:
        """A stack that will be created again would make a second zone; one that exists makes none.

        What an operation under way leaves is looked at when it has ended.
        """
        graph = graph_of()
        there = ZoneInfo("Z5", f"{DOMAIN}.", (), "Created by stack hello-dev-zone and kept")
        zones = Zones((there,))
        check = ZoneCheck(graph, lambda _: True, lambda: zones, "deploytool.toml")
        node = graph.nodes[NodeId("zone", EAST)]
        deployed = {node.id: deployed_as(graph, status)[node.id]}

        def begin() -> None:
            check.stacks_found(deployed)
            check.before_change(node, {"Name": DOMAIN})

        if not is_refused:
            begin()
            return
        with pytest.raises(InputError, match="a second one would have other name servers"):
            begin()

    def test_every_zone_is_named(self) -> None:
        """Several zones of the name are named one by one."""
        zones = [replace(PUBLIC, id=id_, name=f"{DOMAIN}.") for id_ in ("Z6", "Z7")]
        found = problems(graph_of(), Zones(tuple(zones)))
        assert ["Z6" in found[0], "Z7" in found[1]] == [True, True]
