"""Certificates on a simulated CloudFormation, ACM and DNS: refused, waited for, watched, and
cleaned up after.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from deploytool.core.certificates.certificate import (
    Certificate,
    CertificateStatus,
    ValidationRecord,
)
from deploytool.core.certificates.ports import CertificatePorts, DnsReply, ZoneInfo
from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import Nameserver
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.template import parse_template
from deploytool.core.route53.zone import DnsRecord, RecordSet
from deploytool.core.stacks.events import (
    CertificateDoubtful,
    CertificateFailed,
    CertificatePending,
    DelegationMissing,
    Event,
    RecordsNeeded,
    RecordsRemoved,
    StackDone,
    StackStarted,
    ZoneDeleted,
)
from deploytool.work.certificates.cleanup import ZoneCleaner
from deploytool.work.certificates.external_dns import external_targets
from deploytool.work.certificates.guard import CertificateGuard
from deploytool.work.certificates.watch import CertificateWatch
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.destroy import destroy
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployOptions, DeployPorts, find_deployed

DOMAIN = "dev.example.com"
ZONE = """
Parameters: {Name: {Type: String}}
Resources: {Zone: {Type: 'AWS::Route53::HostedZone', Properties: {Name: !Ref Name}}}
Outputs: {Id: {Value: !Ref Zone}}
"""
CERTIFICATE = """
Parameters: {Name: {Type: String}, Zone: {Type: String, Default: ''}}
Conditions: {HasZone: !Not [!Equals [!Ref Zone, '']]}
Resources:
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties:
      DomainName: !Ref Name
      DomainValidationOptions: !If [HasZone, [{DomainName: !Ref Name, HostedZoneId: !Ref Zone}], !Ref 'AWS::NoValue']
Outputs: {Arn: {Value: !Ref Certificate}}
"""
GRAPH = """
stacks:
  zone: {template: zone.yaml, scope: global, parameters: {Name: {setting: domain}}}
  certificate:
    template: certificate.yaml
    scope: global
    parameters: {Name: {setting: domain}, Zone: {output: zone.Id}}
"""
CERT = NodeId("certificate", "us-east-1")
OURS, OTHER = "ns-1.awsdns-1.com.", "ns1.other.net."
ZONE_ID = "hello-dev-zone.Id(dev.example.com)"  # what the simulated CloudFormation gives as output
ARN, VALUE = "arn:c", "_b.acm-validations.aws."
RECORD = ValidationRecord(DOMAIN, f"_a.{DOMAIN}.", VALUE, proven=False)


def graph_of(*, zone: bool = True) -> Graph:
    config = parse_config(
        'project = "hello"\ndomain = "example.com"\nregions = ["us-east-1", "us-west-2"]\n[stages.dev]\n',
        "deploytool.toml",
    )
    text = GRAPH if zone else GRAPH.replace(", Zone: {output: zone.Id}", "")
    templates = {
        name: parse_template(body, name)
        for name, body in (("zone.yaml", ZONE), ("certificate.yaml", CERTIFICATE))
    }
    return build_graph(
        config, config.stage("dev"), parse_graph_file(text, "stacks.yaml"), templates, {}
    )


@dataclass
class World:
    """ACM, Route 53 and every DNS server at once: `delegated` is what the parent says, `caa` its
    CAA records.
    """

    clock: Any
    delegated: Callable[[float], tuple[str, ...]] = lambda _: (OURS,)
    caa: dict[str, str] = field(default_factory=dict)
    parent_down: bool = False
    held: list[Certificate] = field(default_factory=list)
    sets: list[RecordSet] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    lists: int = 0
    comment: str = "Created by CloudFormation stack hello-dev-zone and kept"

    # ACM
    def list(self, region: str) -> Sequence[Certificate]:
        self.lists += 1
        return self.held if region == "us-east-1" else []

    def get_certificate(self, region: str, arn: str) -> Certificate | None:
        return next((each for each in self.held if each.arn == arn), None)

    # Route 53
    def get(self, zone_id: str) -> ZoneInfo:
        return ZoneInfo(zone_id, f"{DOMAIN}.", (OURS,))

    def find(self, name: str) -> Sequence[ZoneInfo]:
        comments = {ZONE_ID: self.comment, "Z2": "stack hello-dev-zone2"}
        return [
            ZoneInfo(each, name, (), words)
            for each, words in comments.items()
            if each not in self.deleted
        ]

    def records(self, zone_id: str) -> Sequence[RecordSet]:
        return [RecordSet(f"{DOMAIN}.", "SOA"), RecordSet(f"{DOMAIN}.", "NS"), *self.sets]

    def remove(self, zone_id: str, records: Sequence[RecordSet]) -> None:
        self.sets = [each for each in self.sets if each not in records]

    def delete(self, zone_id: str) -> None:
        self.deleted.append(zone_id)

    # DNS
    def ask(self, server: Nameserver, name: str, type_: str, *, recurse: bool) -> DnsReply:  # noqa: PLR0911  # a server a line
        def ns(owner: str, *values: str) -> tuple[DnsRecord, ...]:
            return tuple(DnsRecord(owner, "NS", value) for value in values)

        match server.name, name.rstrip("."), type_:
            case "resolver", "com", "NS":
                return DnsReply("NOERROR", ns("com.", "a.gtld."))
            case "a.gtld", _, "NS":
                # A zone nearer than the resolver knew
                return DnsReply("NOERROR", authority=ns("example.com.", "ns.example."))
            case "ns.example", _, "NS":
                if self.parent_down:
                    raise ProbeFailed("timeout", "ns.example did not answer")
                return DnsReply(
                    "NOERROR", authority=ns(f"{DOMAIN}.", *self.delegated(self.clock.now()))
                )
            case _, owner, "CAA" if owner in self.caa:
                return DnsReply("NOERROR", (DnsRecord(f"{owner}.", "CAA", self.caa[owner]),))
            case "ns-1.awsdns-1.com", _, "CNAME":
                return DnsReply(
                    "NOERROR", tuple(DnsRecord(r.name, "CNAME", r.values[0]) for r in self.sets)
                )
            case "resolver", _, "CNAME" if OURS in self.delegated(self.clock.now()):
                return DnsReply(
                    "NOERROR", tuple(DnsRecord(r.name, "CNAME", r.values[0]) for r in self.sets)
                )
        return DnsReply("NXDOMAIN")


class _Acm:
    def __init__(self, world: World) -> None:
        self.list, self.get = world.list, world.get_certificate


class Queue:
    """An executor that only keeps what it was asked to start: these tests poll themselves."""

    def __init__(self) -> None:
        self.tasks: list[Callable[[], None]] = []

    def start(self, task: Callable[[], None]) -> None:
        self.tasks.append(task)


@pytest.fixture
def world(stacks: Any) -> World:
    return World(stacks.clock)


@pytest.fixture
def ports(world: World) -> CertificatePorts:
    resolver = Nameserver("resolver", "192.0.2.1")
    locate = lambda name: Nameserver(name.rstrip("."), "192.0.2.2")  # noqa: E731
    return CertificatePorts(
        _Acm(world), world, world, world, resolver, locate, world.clock, Queue()
    )


@pytest.fixture
def run(
    stacks: Any, buckets: Any, executor: Any, ports: CertificatePorts
) -> Callable[..., tuple[Outcome, list[Event]]]:
    def run(graph: Graph | None = None, timeout: float = 100.0) -> tuple[Outcome, list[Event]]:
        events: list[Event] = []
        guard = CertificateGuard(lambda: ports, events.append, timeout)
        deploy_ports = DeployPorts(stacks, buckets, stacks.clock, executor)
        return deploy(
            graph or graph_of(), deploy_ports, events.append, options=DeployOptions(hooks=(guard,))
        ), events

    return run


def begun(stacks: Any) -> list[str]:
    return [name.removeprefix("hello-dev-") for _, _, name, _ in stacks.history]


class TestGuard:
    """What is looked at before a certificate is asked for."""

    def test_good_delegation(self, run: Any, stacks: Any) -> None:
        """A delegated zone's certificate is asked for without a word."""
        outcome, events = run()
        assert outcome.ok
        assert begun(stacks) == ["zone", "certificate"]
        assert not [
            each for each in events if isinstance(each, DelegationMissing | CertificateDoubtful)
        ]

    def test_new_zone_is_waited_for(self, run: Any, stacks: Any, world: World) -> None:
        """While a zone of this run is not delegated the run waits, says what the parent says when
        that changes, and goes on.
        """
        world.delegated = lambda now: () if now < 10 else (OTHER,) if now < 20 else (OURS,)
        outcome, events = run()
        assert outcome.ok
        said = [each for each in events if isinstance(each, DelegationMissing)]
        assert [OTHER.rstrip(".") in each.problem for each in said] == [False, True]
        assert said[0].name_servers == (OURS.rstrip("."),)
        assert "example.com. at ns.example" in said[0].problem
        asked = next(at for at, _, name, _ in stacks.history if name.endswith("certificate"))
        assert 20 <= asked <= 32

    def test_repeats_itself_seldom(self, run: Any, world: World) -> None:
        """A delegation that stays missing is reported every 30 s, not at every poll."""
        world.delegated = lambda now: () if now < 95 else (OURS,)
        _, events = run()
        assert 3 <= len([each for each in events if isinstance(each, DelegationMissing)]) <= 4

    def test_waiting_has_an_end(self, run: Any, stacks: Any, world: World) -> None:
        """After the timeout the certificate fails without having been asked for."""
        world.delegated = lambda _: ()
        outcome, _ = run(timeout=40.0)
        assert "not delegated within 40 s" in outcome.failed[CERT]
        assert begun(stacks) == ["zone"]
        assert 40 <= stacks.clock.now() < 55

    def test_old_zone_fails_at_once(self, run: Any, stacks: Any, world: World) -> None:
        """A zone that was there before this run and points elsewhere fails at once, with the names;
        nothing is asked of ACM.
        """
        world.delegated = lambda _: ()
        run(timeout=0.0)
        world.delegated = lambda _: (OTHER,)
        before = stacks.clock.now()
        outcome, _ = run()
        assert "will never validate" in outcome.failed[CERT]
        assert (
            "points dev.example.com to ns1.other.net, not to ns-1.awsdns-1.com"
            in outcome.failed[CERT]
        )
        assert (begun(stacks), stacks.clock.now() - before < 5) == (["zone"], True)

    @pytest.mark.parametrize("down", [True, False])
    def test_doubts_do_not_stop(self, run: Any, world: World, down: bool) -> None:
        """A parent that cannot be asked, or that is partly right, is reported, and the certificate is
        asked for.
        """
        world.parent_down, world.delegated = down, lambda _: (OURS, OTHER)
        outcome, events = run()
        (doubt,) = [each for each in events if isinstance(each, CertificateDoubtful)]
        assert outcome.ok
        assert ("did not answer" if down else "also to ns1.other.net") in doubt.text

    @pytest.mark.parametrize("owner", ["example.com", DOMAIN])
    def test_caa(self, run: Any, stacks: Any, world: World, owner: str) -> None:
        """CAA records that keep Amazon out fail at once, for a new zone too, wherever they
        stand.
        """
        world.delegated, world.caa = lambda _: (), {owner: '0 issue "letsencrypt.org"'}
        outcome, _ = run()
        assert f"CAA records of {owner} allow letsencrypt.org" in outcome.failed[CERT]
        assert begun(stacks) == ["zone"]


class TestWatch:
    """The reports while ACM waits."""

    @pytest.fixture
    def events(self) -> list[Event]:
        return []

    def watch(
        self, ports: CertificatePorts, events: list[Event], *, zone: bool = True
    ) -> CertificateWatch:
        watch = CertificateWatch(graph_of(zone=zone), lambda: ports, events.append)
        watch.observe(StackDone(0.0, NodeId("zone", "us-east-1"), "create", 1.0, {"Id": "Z1"}))
        watch.observe(StackStarted(0.0, CERT, "create"))
        events.clear()
        return watch

    def pend(self, world: World, status: str = "PENDING_VALIDATION", reason: str = "") -> None:
        world.held = [Certificate(ARN, CertificateStatus(status), (DOMAIN,), (RECORD,), reason)]

    def test_what_is_missing(
        self, world: World, ports: CertificatePorts, events: list[Event]
    ) -> None:
        """Each change of the state is reported with record and waiting time; the same only after 30
        s, a proven record never.
        """
        watch = self.watch(ports, events)
        watch.poll(CERT)
        assert events == [], "the certificate is not there yet"
        self.pend(world)
        world.delegated = lambda now: (OURS,) if now >= 40 else ()
        for at in (3.0, 13.0, 33.0, 35.0, 40.0):
            world.clock.time = at
            if at == 35.0:
                world.sets = [RecordSet(RECORD.name, "CNAME", 300, (VALUE,))]
            watch.poll(CERT)
        world.held = [replace(world.held[0], records=(replace(RECORD, proven=True),))]
        watch.poll(CERT)
        said = [each for each in events if isinstance(each, CertificatePending)]
        assert [(each.waited, each.record_name) for each in said] == [
            (at, RECORD.name) for at in (3.0, 33.0, 35.0, 40.0)
        ]
        missing, again, undelegated, resolves = (each.problem for each in said)
        assert missing == again == "it is not in the hosted zone yet"
        assert "does not delegate dev.example.com" in undelegated
        assert "ACM has not checked it yet" in resolves
        assert world.lists == 2, "once it is known, it is read by its ARN"

    def test_failure(self, world: World, ports: CertificatePorts, events: list[Event]) -> None:
        """That ACM gave up is said once; a failed certificate of an earlier run is not taken for
        this one.
        """
        watch = self.watch(ports, events)
        self.pend(world, "FAILED")
        watch.poll(CERT)
        assert events == []
        self.pend(world)
        watch.poll(CERT)
        self.pend(world, "FAILED", "CAA_ERROR")
        watch.poll(CERT)
        watch.poll(CERT)
        assert [each.reason for each in events if isinstance(each, CertificateFailed)] == [
            "CAA_ERROR"
        ]

    def test_records_to_create(
        self, world: World, ports: CertificatePorts, events: list[Event]
    ) -> None:
        """Without a hosted zone the records to create are said, once."""
        watch = self.watch(ports, events, zone=False)
        self.pend(world)
        watch.poll(CERT)
        watch.poll(CERT)
        assert [e.records for e in events if isinstance(e, RecordsNeeded)] == [
            (DnsRecord(RECORD.name, "CNAME", VALUE),)
        ]

    def test_active_only_while_needed(
        self, world: World, ports: CertificatePorts, events: list[Event]
    ) -> None:
        """The task looks after 3 s and every 10 s, and ends with the stack; a deletion starts
        none.
        """
        watch = self.watch(ports, events)
        self.pend(world)
        looks: list[float] = []
        get = ports.certificates.get

        def seen(region: str, arn: str) -> Certificate | None:
            looks.append(world.clock.now())
            if len(looks) == 3:
                watch.observe(StackDone(world.clock.now(), CERT, "create", 1.0, {}))
            return get(region, arn)

        ports.certificates.get = seen  # type: ignore[method-assign]
        (task,) = ports.executor.tasks  # type: ignore[attr-defined]
        task()
        assert looks == pytest.approx([3.0, 13.0, 23.0], abs=0.2)
        watch.observe(StackStarted(0.0, CERT, "delete"))
        assert len(ports.executor.tasks) == 1  # type: ignore[attr-defined]

    def test_trouble_is_reported(
        self, world: World, ports: CertificatePorts, events: list[Event]
    ) -> None:
        """When ACM may not be read the watch says so and ends; the run goes on."""

        def refuse(region: str) -> Sequence[Certificate]:
            raise ProbeFailed("other", "not authorised")

        watch = self.watch(ports, events)
        ports.certificates.list = refuse  # type: ignore[method-assign]
        ports.executor.tasks[0]()  # type: ignore[attr-defined]
        assert [each.text for each in events if isinstance(each, CertificateDoubtful)] != []
        watch.close()


def test_external_targets() -> None:
    """A graph whose certificate has a zone needs no targets elsewhere; one without does, and has
    none here.
    """
    node = NodeId("zone", "us-east-1")
    assert external_targets(graph_of(), {node: {"Id": "Z1"}, CERT: {}}) == ()
    assert external_targets(graph_of(zone=False), {CERT: {"TargetDomainName": "d.aws"}}) == ()


class TestDestroy:
    """What is taken away after the certificates."""

    LEFT = RecordSet(RECORD.name, "CNAME", 300, (VALUE,))

    @pytest.fixture
    def clean(
        self, run: Any, stacks: Any, buckets: Any, executor: Any, ports: CertificatePorts
    ) -> Callable[..., Any]:
        def clean(*, zone: bool = False) -> tuple[tuple[str, ...], list[Event]]:
            graph, events = graph_of(), list[Event]()
            deploy_ports = DeployPorts(stacks, buckets, stacks.clock, executor)
            cleaner = ZoneCleaner(graph, find_deployed(deploy_ports, graph), ports, events.append)
            assert destroy(graph, deploy_ports, events.append, before=cleaner.before).ok
            cleaner.finish()
            return (cleaner.delete_zones() if zone else ()), events

        run()
        return clean

    def test_unused_validation_records_go_before_the_zone(
        self, clean: Any, stacks: Any, world: World
    ) -> None:
        """The validation record goes after the certificate's stack and before the zone's, and is
        said; the zone stays.
        """
        world.sets = [self.LEFT]
        _, events = clean()
        kinds = [type(each) for each in events]
        removed = kinds.index(RecordsRemoved)
        zone = next(
            i
            for i, each in enumerate(events)
            if isinstance(each, StackStarted) and each.node.stack == "zone"
        )
        certificate = next(
            i for i, each in enumerate(events) if isinstance(each, StackDone) and each.node == CERT
        )
        assert certificate < removed < zone
        assert (world.sets, world.deleted) == ([], [])

    def test_a_zone_without_our_comment(self, clean: Any, world: World) -> None:
        """A zone that a template of somebody else makes is emptied of them before its stack goes
        too, but never deleted.
        """
        world.sets, world.comment = [self.LEFT], ""
        kept, events = clean(zone=True)
        kinds = [type(each) for each in events]
        zone = next(
            i
            for i, each in enumerate(events)
            if isinstance(each, StackStarted) and each.node.stack == "zone"
        )
        assert kinds.index(RecordsRemoved) < zone
        assert (kept, world.deleted) == ((), [])

    def test_shared_record_stays(self, clean: Any, world: World) -> None:
        """A record that another certificate of the same name uses stays."""
        world.sets, world.held = (
            [self.LEFT],
            [Certificate("x", CertificateStatus.ISSUED, (f"*.{DOMAIN}",))],
        )
        clean()
        assert world.sets == [self.LEFT]

    def test_delete_zone(self, clean: Any, world: World) -> None:
        """With delete_zones the zone of our stack goes, and no other of the same name; also when no
        stack is left.
        """
        world.sets = [self.LEFT]
        kept, events = clean(zone=True)
        assert (kept, world.deleted) == ((), [ZONE_ID])
        assert any(isinstance(each, ZoneDeleted) for each in events)
        world.deleted.clear()
        assert (clean(zone=True)[0], world.deleted) == ((), [ZONE_ID])

    def test_foreign_records_keep_the_zone(self, clean: Any, world: World) -> None:
        """A zone with records of others stays, and they are named."""
        world.sets = [self.LEFT, RecordSet(f"mail.{DOMAIN}.", "MX", 300, ("10 mx.",))]
        (words,), _ = clean(zone=True)
        assert f"mail.{DOMAIN}. MX" in words
        assert (world.deleted, len(world.sets)) == ([], 1)
