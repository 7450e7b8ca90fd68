"""Checks the delegation before a certificate is requested, and reports what it waits for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from deploytool.core.certificates.certificate import (
    CERTIFICATE_TYPE,
    Certificate,
    CertificateRequest,
    CertificateStatus,
    ValidationRecord,
    certificate_requests,
    describe_record,
    failover_targets,
    newest,
    records_needed,
)
from deploytool.core.certificates.ports import CertificatePorts, ZoneInfo
from deploytool.core.errors import DeploytoolError, ProbeFailed
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.route53.delegation import (
    Delegated,
    caa_problem,
    describe,
    judge,
    prevents_validation,
)
from deploytool.core.route53.zone import DnsRecord
from deploytool.core.stacks.events import (
    CertificateDoubtful,
    CertificateFailed,
    CertificatePending,
    DelegationMissing,
    Emit,
    Event,
    RecordsNeeded,
    StackCancelled,
    StackDone,
    StackFailed,
    StackStarted,
)
from deploytool.core.stacks.plan import Action, resolve
from deploytool.work.certificates.parent import caa_lookup, query_parent
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.operations import RetryAfter

FIRST_POLL = 3.0  # seconds; a certificate that is issued sooner costs no call
POLL_INTERVAL = 10.0  # seconds
REPORT_INTERVAL = 30.0  # seconds after which an unchanged state is reported again
_TICK = 0.1  # seconds in which the watch notices that a stack has ended

# The time between two queries of the parent is this share of the time that has passed, within bounds.
_GROWTH = 0.25
_SHORTEST = 1.0  # seconds
_LONGEST = 10.0  # seconds


class CertificateGuard(DeployHooks):
    """Checks the delegation and the CAA records before a stack requests its certificates.

    A hosted zone that this run created could not be delegated earlier, so the run waits for its
    delegation, at most `timeout` seconds. Any other zone that is not delegated fails at once. One
    per run.
    """

    def __init__(
        self, make_ports: Callable[[], CertificatePorts], emit: Emit, timeout: float
    ) -> None:
        self._make_ports = make_ports
        self._emit = emit
        self._timeout = timeout
        self._created: set[str] = set()
        self._zones: dict[str, ZoneInfo] = {}
        self._since: dict[NodeId, float] = {}
        self._reported: dict[NodeId, tuple[str, float]] = {}

    @cached_property
    def _ports(self) -> CertificatePorts:
        """The ports, created on first use: a deployment with nothing to do sends no DNS query."""
        return self._make_ports()

    def observe(self, event: Event) -> None:
        """Remember the outputs of the stacks that this run creates."""
        if isinstance(event, StackDone) and event.action == Action.CREATE:
            self._created.update(event.outputs.values())

    def before_change(self, node: Node, parameters: Mapping[str, str]) -> RetryAfter | None:
        """Return None when the stack can request its certificates, or when to check again.

        Raises DeploytoolError when they would never be validated.
        """
        retry = None
        for request in certificate_requests(node.document, parameters):
            zones = {
                zone_id: self._zone(zone_id) for zone_id in sorted(set(request.zones.values()))
            }
            self._check_caa(request, zones)
            for zone in zones.values():
                retry = self._delegation(node.id, zone) or retry
        return retry

    def _check_caa(self, request: CertificateRequest, zones: Mapping[str, ZoneInfo]) -> None:
        """Raise DeploytoolError when the CAA records of a name forbid Amazon to issue."""
        # One lookup a zone: names in the same zone share their ancestors and so the cached answers.
        lookups = {zone_id: caa_lookup(self._ports, zone) for zone_id, zone in zones.items()}
        without_zone = caa_lookup(self._ports, None)
        for name in request.names:
            lookup = lookups.get(request.zones.get(name, ""), without_zone)
            if problem := caa_problem(name, lookup):
                raise DeploytoolError(
                    f"no certificate for {name} would be issued: {problem}",
                    hint='add a CAA record for that name: 0 issue "amazon.com"',
                )

    def _zone(self, zone_id: str) -> ZoneInfo:
        if zone_id not in self._zones:
            self._zones[zone_id] = self._ports.zones.get(zone_id)
        return self._zones[zone_id]

    def _delegation(self, node: NodeId, zone: ZoneInfo) -> RetryAfter | None:
        domain = zone.name.rstrip(".")
        verdict = judge(query_parent(self._ports, zone.name), zone.name_servers)
        description = describe(verdict, domain, zone.name_servers)
        now = self._ports.clock.now()
        if not prevents_validation(verdict):
            if not isinstance(verdict, Delegated):
                self._emit(CertificateDoubtful(now, node, description))
            return None
        servers = tuple(sorted(name.rstrip(".") for name in zone.name_servers))
        fix = f"at the registrar of {domain} or in its parent's zone, set its NS records to {', '.join(servers)}; then deploy again"
        if zone.id not in self._created:
            raise DeploytoolError(
                f"a certificate for {domain} will never validate: {description}", hint=fix
            )
        waited = now - self._since.setdefault(node, now)
        if waited >= self._timeout:
            raise DeploytoolError(
                f"{domain} was not delegated within {self._timeout:g} s: {description}", hint=fix
            )
        last_description, last_at = self._reported.get(node, ("", now))
        if description != last_description or now - last_at >= REPORT_INTERVAL:
            self._reported[node] = (description, now)
            self._emit(DelegationMissing(now, node, domain, servers, description, waited))

        # The last query comes at the timeout.
        interval = min(max(_GROWTH * waited, _SHORTEST), _LONGEST)
        return RetryAfter(min(interval, max(self._timeout - waited, 0.0)))


@dataclass(frozen=True)
class _Report:
    """The state of a record that was last reported, and when."""

    state: str
    at: float


class CertificateWatch(DeployHooks):
    """Polls ACM while a stack with a certificate is created, and reports what it waits for.

    The polls run in a task of their own, which ends with the stack or with `close`. The first comes
    after FIRST_POLL seconds, the others every POLL_INTERVAL seconds. A certificate costs a
    ListCertificates each poll until it exists, then a DescribeCertificate.
    """

    def __init__(
        self, graph: Graph, make_ports: Callable[[], CertificatePorts], emit: Emit
    ) -> None:
        self._graph = graph
        self._make_ports = make_ports
        self._emit = emit
        self._outputs: dict[NodeId, Mapping[str, str]] = {}
        self._active: dict[NodeId, float] = {}
        self._zones: dict[str, ZoneInfo] = {}
        self._arns: dict[tuple[NodeId, tuple[str, ...]], str] = {}
        self._reports: dict[tuple[NodeId, str], _Report] = {}
        self._needed: set[tuple[NodeId, tuple[str, ...]]] = set()

    @cached_property
    def _ports(self) -> CertificatePorts:
        """The ports, created on first use: a deployment with nothing to do sends no DNS query."""
        return self._make_ports()

    def observe(self, event: Event) -> None:
        """Start and stop polling with the stack."""
        match event:
            case StackStarted(at, node, action) if action in (
                Action.CREATE,
                Action.UPDATE,
            ) and self._has_certificate(node):
                self._active[node] = at
                self._ports.executor.start(lambda: self._watch(node))
            case StackDone(_, node, _, _, outputs):
                self._outputs[node] = outputs
                self._active.pop(node, None)
            case StackFailed(_, node) | StackCancelled(_, node):
                self._active.pop(node, None)

    def close(self) -> None:
        """Stop polling: the run has ended."""
        self._active.clear()

    def _has_certificate(self, node: NodeId) -> bool:
        return (
            node in self._graph.nodes
            and CERTIFICATE_TYPE in self._graph.nodes[node].template.resources.values()
        )

    def _watch(self, node: NodeId) -> None:
        due = self._active.get(node, 0.0) + FIRST_POLL
        while node in self._active:
            now = self._ports.clock.now()
            if now < due:
                self._ports.clock.sleep(min(_TICK, due - now))
                continue
            try:
                self.poll(node)
            # Reported once, without another poll: the deployment does not depend on this report.
            except DeploytoolError as error:
                self._emit(
                    CertificateDoubtful(
                        now, node, f"what the certificate waits for cannot be shown: {error}"
                    )
                )
                return
            due = self._ports.clock.now() + POLL_INTERVAL

    def poll(self, node: NodeId) -> None:
        """Poll each certificate of a stack that is being created, and report what is new.

        Raises DeploytoolError when AWS does not answer.
        """
        template = self._graph.nodes[node]
        for request in certificate_requests(template.document, resolve(template, self._outputs)):
            certificate = self._find(node, request)
            if certificate is None or node not in self._active:
                continue
            if certificate.status.is_failed:
                failed = CertificateFailed(
                    self._ports.clock.now(),
                    node,
                    request.names[0],
                    certificate.reason or certificate.status,
                )
                self._report(node, "", failed.reason, failed)
            elif certificate.status is CertificateStatus.PENDING_VALIDATION:
                self._pending(node, request, certificate)

    def _find(self, node: NodeId, request: CertificateRequest) -> Certificate | None:
        """Return the stack's certificate: the newest with these names that was pending at first."""
        key = (node, request.names)
        if key not in self._arns:
            latest = newest(self._ports.certificates.list(node.region), request)
            if latest is None or latest.status is not CertificateStatus.PENDING_VALIDATION:
                return None
            self._arns[key] = latest.arn
        return self._ports.certificates.get(node.region, self._arns[key])

    def _pending(self, node: NodeId, request: CertificateRequest, certificate: Certificate) -> None:
        needed = records_needed(certificate, request)
        if needed and (node, request.names) not in self._needed:
            self._needed.add((node, request.names))
            self._emit(RecordsNeeded(self._ports.clock.now(), node, needed))
        for record in certificate.records:
            if record.proven:
                continue
            state = self._record_state(request, record)
            now = self._ports.clock.now()
            waited = now - self._active.get(node, now)
            event = CertificatePending(
                now, node, record.domain, record.name, record.value, state, waited
            )
            self._report(node, record.domain, state, event)

    def _record_state(self, request: CertificateRequest, record: ValidationRecord) -> str:
        """Describe a record as its zone, the resolver and the parent show it."""
        zone_id = request.zones.get(record.domain)
        zone = self._zone(zone_id) if zone_id else None
        try:
            in_zone = self._values(zone, record.name) if zone else None
        except DeploytoolError as error:
            return f"the hosted zone's name server gives no answer: {error}"
        try:
            reply = self._ports.dns.ask(self._ports.resolver, record.name, "CNAME", recurse=True)
            bad = reply.rcode not in ("NOERROR", "NXDOMAIN")
            resolved = (
                f"it does not resolve ({reply.rcode})"
                if bad
                else [r.value for r in reply.answer if r.type == "CNAME"]
            )
        except ProbeFailed as error:
            resolved = f"the resolver gives no answer: {error}"
        parent = ""
        if zone and in_zone and not (resolved and isinstance(resolved, list)):
            verdict = judge(query_parent(self._ports, zone.name), zone.name_servers)
            parent = (
                ""
                if isinstance(verdict, Delegated)
                else describe(verdict, zone.name.rstrip("."), zone.name_servers)
            )
        return describe_record(record, in_zone, resolved, parent)

    def _zone(self, zone_id: str) -> ZoneInfo:
        if zone_id not in self._zones:
            self._zones[zone_id] = self._ports.zones.get(zone_id)
        return self._zones[zone_id]

    def _values(self, zone: ZoneInfo, name: str) -> list[str]:
        """Return the CNAME values of a name at the zone's own name server.

        Raises DeploytoolError when the server does not answer.
        """
        reply = self._ports.dns.ask(
            self._ports.locate(zone.name_servers[0]), name, "CNAME", recurse=False
        )
        return [record.value for record in reply.answer if record.type == "CNAME"]

    def _report(self, node: NodeId, domain: str, state: str, event: Event) -> None:
        """Emit an event whose state is new, or that was last emitted long ago."""
        now = self._ports.clock.now()
        last = self._reports.get((node, domain))
        if last and last.state == state and (now - last.at < REPORT_INTERVAL or not domain):
            return
        self._reports[node, domain] = _Report(state, now)
        self._emit(event)


def targets_elsewhere(
    graph: Graph, outputs: Mapping[NodeId, Mapping[str, str]]
) -> tuple[DnsRecord, ...]:
    """Return where the service's names must point when its DNS is hosted elsewhere.

    Empty when a hosted zone contains the names.
    """
    known = [
        (node, resolve(node, outputs), outputs[node.id])
        for node in graph.nodes.values()
        if node.id in outputs
        and all(ref.output in outputs.get(ref.node, {}) for ref in node.references())
    ]
    requests = [
        request
        for node, parameters, _ in known
        for request in certificate_requests(node.document, parameters)
    ]
    if all(name in request.zones for request in requests for name in request.names):
        return ()
    return failover_targets([(parameters, given) for _, parameters, given in known])
