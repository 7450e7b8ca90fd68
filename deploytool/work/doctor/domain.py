"""The checks of a stage's domain. What they compare stands in `work/certificates`."""

from collections.abc import Iterator
from functools import partial

from deploytool.core.certificates.certificate import certificate_requests
from deploytool.core.certificates.ports import CertificatePorts
from deploytool.core.doctor.domain import (
    DOMAIN_PAGE,
    judge_caa,
    judge_delegation,
    judge_parent,
    judge_soa,
    judge_zone,
)
from deploytool.core.doctor.finding import Finding, Topic
from deploytool.core.errors import InputError
from deploytool.core.route53.delegation import caa_problem
from deploytool.work.certificates.parent import caa_lookup, query_parent
from deploytool.work.certificates.parent import judge_delegation as ask_parent
from deploytool.work.certificates.zone_check import check_zones
from deploytool.work.doctor.run import Once
from deploytool.work.doctor.stages import StageState, known_parameters

Ports = Once[CertificatePorts]


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


def check_delegation(state: StageState, ports: Ports) -> Iterator[Finding]:
    """Compare the NS records that the parent has with those of the zone."""
    zone = state.zone.get()
    if zone.existing is not None:
        verdict, description = ask_parent(ports.get(), zone.existing)
        domain = zone.existing.name.rstrip(".")
        servers = zone.existing.name_servers
        yield judge_delegation(state.name, domain, verdict, description, servers)
    elif zone.planned:
        parent = query_parent(ports.get(), zone.planned)
        yield judge_parent(state.name, zone.planned.rstrip("."), parent)


def check_caa(state: StageState, ports: Ports) -> Iterator[Finding]:
    """Read the CAA records that decide about each name of the stage's certificates."""
    names: dict[str, None] = {}
    for node in state.graph.get().nodes.values():
        for request in certificate_requests(node.document, known_parameters(node)):
            names.update(dict.fromkeys(request.names))

    doubts: list[str] = []
    lookup = caa_lookup(ports.get(), state.zone.get().existing, doubts.append)
    problems = [caa_problem(name, lookup) for name in names]
    forbidden = [problem for problem in problems if problem is not None]
    yield judge_caa(state.name, list(names), forbidden, doubts)


def check_soa(state: StageState, ports: Ports) -> Iterator[Finding]:
    """Ask this machine's resolver for the SOA record of the domain."""
    known = ports.get()
    ask = partial(known.dns.ask, known.resolver, state.domain, "SOA", recurse=True)
    yield judge_soa(state.name, state.domain, ask(), state.zone.get())
