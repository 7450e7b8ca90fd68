"""The checks of a stage's domain. What they compare stands in `work/certificates`."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from deploytool.core.certificates.certificate import certificate_requests
from deploytool.core.certificates.ports import CertificatePorts, DnsRecords, DnsReply
from deploytool.core.doctor.domain import (
    DOMAIN_PAGE,
    StageZone,
    judge_caa,
    judge_delegation,
    judge_parent,
    judge_soa,
    judge_zone,
)
from deploytool.core.doctor.finding import Finding, Topic
from deploytool.core.errors import DeploytoolError, InputError, ProbeFailed
from deploytool.core.ports import Nameserver
from deploytool.core.route53.delegation import caa_problem
from deploytool.work.certificates.parent import caa_lookup, query_parent
from deploytool.work.certificates.parent import judge_delegation as ask_parent
from deploytool.work.certificates.zone_check import check_zones
from deploytool.work.doctor.run import Once
from deploytool.work.doctor.stages import StageState, known_parameters


@dataclass(frozen=True)
class Names:
    """How DNS is asked.

    The names of a local cloud are not `is_public`: it answers for its own zones, and asks nobody
    about the names above them.
    """

    ports: Once[CertificatePorts]
    is_public: bool = True


def check_zone(state: StageState) -> Iterator[Finding]:
    """Look for the hosted zone, and for what Route 53 would refuse beside it."""
    topic = Topic(f"zone.{state.name}", f"zone of {state.name}")
    try:
        graph, deployed = state.graph.get(), state.deployed.get()
        check_zones(graph, lambda _: True, deployed, lambda: state.zones, state.source.file)
    except InputError as error:
        for problem in error.problems:
            # The message says what to do; the page explains the choices
            yield topic.problem(problem.message, error.hint or DOMAIN_PAGE)
        if not error.problems:
            yield topic.problem(str(error), error.hint or DOMAIN_PAGE)
        return
    yield judge_zone(state.name, state.domain, state.zone.get())


def check_delegation(state: StageState, names: Names) -> Iterator[Finding]:
    """Compare the NS records that the parent has with those of the zone."""
    zone = state.zone.get()
    if zone.existing is not None:
        verdict, description = ask_parent(names.ports.get(), zone.existing)
        domain = zone.existing.name.rstrip(".")
        servers = zone.existing.name_servers
        yield judge_delegation(state.name, domain, verdict, description, servers)
    elif zone.planned and names.is_public:
        parent = query_parent(names.ports.get(), zone.planned)
        yield judge_parent(state.name, zone.planned.rstrip("."), parent)


def check_caa(state: StageState, names: Names) -> Iterator[Finding]:
    """Read the CAA records that decide about each name of the stage's certificates."""
    zone = _zone_if_known(state).existing
    if zone is None and not names.is_public:
        return
    requested: dict[str, None] = {}
    for node in state.graph.get().nodes.values():
        for request in certificate_requests(node.document, known_parameters(node)):
            requested.update(dict.fromkeys(request.names))

    doubts: list[str] = []
    ports = names.ports.get()
    dns = _Recorded(ports.dns)
    lookup = caa_lookup(replace(ports, dns=dns), zone, doubts.append)
    problems = [caa_problem(name, lookup) for name in requested]
    forbidden = [problem for problem in problems if problem is not None]
    if not names.is_public:
        doubts.clear()
    elif dns.failures and not forbidden:
        # Records that nobody answered for forbid nothing in a deployment, where ACM asks itself
        raise dns.failures[0]
    yield judge_caa(state.name, list(requested), forbidden, doubts)


def check_soa(state: StageState, names: Names) -> Iterator[Finding]:
    """Ask this machine's resolver for the SOA record of the domain."""
    zone = _zone_if_known(state)
    if zone.existing is None and not names.is_public:
        return
    ports = names.ports.get()
    reply = ports.dns.ask(ports.resolver, state.domain, "SOA", recurse=True)
    yield judge_soa(state.name, state.domain, reply, zone)


class _Recorded:
    """The DnsRecords port, which keeps the queries that nobody answered.

    A server that has not answered one is not asked again: each question would wait as long.
    """

    def __init__(self, dns: DnsRecords) -> None:
        self._dns = dns
        self._silent: dict[Nameserver, ProbeFailed] = {}

    @property
    def failures(self) -> list[ProbeFailed]:
        return list(self._silent.values())

    def ask(self, server: Nameserver, name: str, type_: str, *, recurse: bool) -> DnsReply:
        if server in self._silent:
            raise self._silent[server]
        try:
            return self._dns.ask(server, name, type_, recurse=recurse)
        except ProbeFailed as error:
            self._silent[server] = error
            raise


def _zone_if_known(state: StageState) -> StageZone:
    """Return the zone of a stage. DNS tells something without it too."""
    try:
        return state.zone.get()
    except DeploytoolError:
        return StageZone()
