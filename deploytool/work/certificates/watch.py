"""Keeps certificates from hanging in silence: looks at the delegation before asking for one, then
at what it lacks.
"""

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
    failover_targets,
    found_in_words,
    newest,
    records_needed,
)
from deploytool.core.certificates.ports import CertificatePorts, ZoneInfo
from deploytool.core.errors import DeploytoolError, ProbeFailed
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.route53.delegation import (
    Delegated,
    caa_problem,
    in_words,
    judge,
    stands_in_the_way,
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
from deploytool.work.certificates.parent import look_at_parent, look_for_caa
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.operations import RetryAfter

# seconds; a certificate that is issued sooner costs no call
FIRST_LOOK, LOOK_EVERY, SAY_EVERY = 3.0, 10.0, 30.0
_TICK = 0.1  # seconds in which the watch notices that a stack has ended
# Seconds between two looks at the parent; a quarter of what has passed
_SHORTEST, _LONGEST, _GROWTH = 1.0, 10.0, 0.25


class CertificateGuard(DeployHooks):
    """Checks the delegation and the CAA records before a stack requests its certificates.

    A hosted zone that this run created could not be delegated earlier, so the run waits for its
    delegation, at most `timeout` seconds. Any other zone that is not delegated fails at once. One
    per run.
    """

    def __init__(
        self, make_ports: Callable[[], CertificatePorts], emit: Emit, timeout: float
    ) -> None:
        self._make_ports, self._emit, self._timeout = make_ports, emit, timeout
        self._created: set[str] = set()
        self._zones: dict[str, ZoneInfo] = {}
        self._since: dict[NodeId, float] = {}
        self._said: dict[NodeId, tuple[str, float]] = {}

    @cached_property
    def _ports(self) -> CertificatePorts:
        """Made when they are first needed: a deployment with nothing to do asks no DNS."""
        return self._make_ports()

    def observe(self, event: Event) -> None:
        """Remember the outputs of the stacks that this run creates."""
        if isinstance(event, StackDone) and event.action == Action.CREATE:
            self._created.update(event.outputs.values())

    def before_change(self, node: Node, parameters: Mapping[str, str]) -> RetryAfter | None:
        """None: ask for them. Raises DeploytoolError when they would never be validated."""
        postponed = None
        for request in certificate_requests(node.document, parameters):
            zones = {
                zone_id: self._zone(zone_id) for zone_id in sorted(set(request.zones.values()))
            }
            looks = {zone_id: look_for_caa(self._ports, zone) for zone_id, zone in zones.items()}
            elsewhere = look_for_caa(self._ports, None)
            for name in request.names:
                if fault := caa_problem(name, looks.get(request.zones.get(name, ""), elsewhere)):
                    mend = 'add a CAA record for that name: 0 issue "amazon.com"'
                    raise DeploytoolError(
                        f"no certificate for {name} would be issued: {fault}", hint=mend
                    )
            for zone in zones.values():
                postponed = self._delegation(node.id, zone) or postponed
        return postponed

    def _zone(self, zone_id: str) -> ZoneInfo:
        if zone_id not in self._zones:
            self._zones[zone_id] = self._ports.zones.get(zone_id)
        return self._zones[zone_id]

    def _delegation(self, node: NodeId, zone: ZoneInfo) -> RetryAfter | None:
        domain = zone.name.rstrip(".")
        verdict = judge(look_at_parent(self._ports, zone.name), zone.name_servers)
        words = in_words(verdict, domain, zone.name_servers)
        now = self._ports.clock.now()
        if not stands_in_the_way(verdict):
            if not isinstance(verdict, Delegated):
                self._emit(CertificateDoubtful(now, node, words))
            return None
        servers = tuple(sorted(name.rstrip(".") for name in zone.name_servers))
        mend = f"at the registrar of {domain} or in its parent's zone, set its NS records to {', '.join(servers)}; then deploy again"
        if zone.id not in self._created:
            raise DeploytoolError(
                f"a certificate for {domain} will never validate: {words}", hint=mend
            )
        waited = now - self._since.setdefault(node, now)
        if waited >= self._timeout:
            raise DeploytoolError(
                f"{domain} was not delegated within {self._timeout:g} s: {words}", hint=mend
            )
        before, at = self._said.get(node, ("", now))
        if words != before or now - at >= SAY_EVERY:
            self._said[node] = (words, now)
            self._emit(DelegationMissing(now, node, domain, servers, words, waited))
        return RetryAfter(
            min(max(_GROWTH * waited, _SHORTEST), _LONGEST, max(self._timeout - waited, 0.0))
        )


@dataclass(frozen=True)
class _Seen:
    """What was last said of a record, and when."""

    found: str
    at: float


class CertificateWatch(DeployHooks):
    """Looks at ACM while a stack with a certificate is being made, and says what it
    waits for.

    It looks in a task beside the run, which ends with the stack or with `close`; first after
    FIRST_LOOK, then every LOOK_EVERY seconds: a region's certificate costs ListCertificates until
    it is there, then one DescribeCertificate a look.
    """

    def __init__(
        self, graph: Graph, make_ports: Callable[[], CertificatePorts], emit: Emit
    ) -> None:
        self._graph, self._make_ports, self._emit = graph, make_ports, emit
        self._outputs: dict[NodeId, Mapping[str, str]] = {}
        self._active: dict[NodeId, float] = {}
        self._zones: dict[str, ZoneInfo] = {}
        self._arns: dict[tuple[NodeId, tuple[str, ...]], str] = {}
        self._seen: dict[tuple[NodeId, str], _Seen] = {}
        self._needed: set[tuple[NodeId, tuple[str, ...]]] = set()

    @cached_property
    def _ports(self) -> CertificatePorts:
        """Made when they are first needed: a deployment with nothing to do asks no DNS."""
        return self._make_ports()

    def observe(self, event: Event) -> None:
        """Start and stop to poll with the stack."""
        match event:
            case StackStarted(at, node, action) if action in (
                Action.CREATE,
                Action.UPDATE,
            ) and self._holds_one(node):
                self._active[node] = at
                self._ports.executor.start(lambda: self._watch(node))
            case StackDone(_, node, _, _, outputs):
                self._outputs[node] = outputs
                self._active.pop(node, None)
            case StackFailed(_, node) | StackCancelled(_, node):
                self._active.pop(node, None)

    def close(self) -> None:
        """End every look: the run has ended, in whatever way."""
        self._active.clear()

    def _holds_one(self, node: NodeId) -> bool:
        return (
            node in self._graph.nodes
            and CERTIFICATE_TYPE in self._graph.nodes[node].template.resources.values()
        )

    def _watch(self, node: NodeId) -> None:
        due = self._active.get(node, 0.0) + FIRST_LOOK
        while node in self._active:
            now = self._ports.clock.now()
            if now < due:
                self._ports.clock.sleep(min(_TICK, due - now))
                continue
            try:
                self.look(node)
            # said, and not looked again: the run itself goes on without these words
            except DeploytoolError as error:
                self._emit(
                    CertificateDoubtful(
                        now, node, f"what the certificate waits for cannot be shown: {error}"
                    )
                )
                return
            due = self._ports.clock.now() + LOOK_EVERY

    def look(self, node: NodeId) -> None:
        """Look once at each certificate of a stack that is being made, and say what is new. Raises
        DeploytoolError.
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
                self._say(node, "", failed.reason, failed)
            elif certificate.status is CertificateStatus.PENDING_VALIDATION:
                self._pending(node, request, certificate)

    def _find(self, node: NodeId, request: CertificateRequest) -> Certificate | None:
        """The certificate of the stack: the newest with these names that was pending when it was
        first seen.
        """
        key = (node, request.names)
        if key not in self._arns:
            found = newest(self._ports.certificates.list(node.region), request)
            if found is None or found.status is not CertificateStatus.PENDING_VALIDATION:
                return None
            self._arns[key] = found.arn
        return self._ports.certificates.get(node.region, self._arns[key])

    def _pending(self, node: NodeId, request: CertificateRequest, certificate: Certificate) -> None:
        needed = records_needed(certificate, request)
        if needed and (node, request.names) not in self._needed:
            self._needed.add((node, request.names))
            self._emit(RecordsNeeded(self._ports.clock.now(), node, needed))
        for record in certificate.records:
            if record.proven:
                continue
            found = self._found(request, record)
            now = self._ports.clock.now()
            waited = now - self._active.get(node, now)
            event = CertificatePending(
                now, node, record.domain, record.name, record.value, found, waited
            )
            self._say(node, record.domain, found, event)

    def _found(self, request: CertificateRequest, record: ValidationRecord) -> str:
        """What there is of a record: in its zone, at the resolver, at the parent."""
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
            verdict = judge(look_at_parent(self._ports, zone.name), zone.name_servers)
            parent = (
                ""
                if isinstance(verdict, Delegated)
                else in_words(verdict, zone.name.rstrip("."), zone.name_servers)
            )
        return found_in_words(record, in_zone, resolved, parent)

    def _zone(self, zone_id: str) -> ZoneInfo:
        if zone_id not in self._zones:
            self._zones[zone_id] = self._ports.zones.get(zone_id)
        return self._zones[zone_id]

    def _values(self, zone: ZoneInfo, name: str) -> list[str]:
        """What the zone's own name server has under a name. Raises DeploytoolError when it cannot
        be asked.
        """
        reply = self._ports.dns.ask(
            self._ports.locate(zone.name_servers[0]), name, "CNAME", recurse=False
        )
        return [record.value for record in reply.answer if record.type == "CNAME"]

    def _say(self, node: NodeId, domain: str, found: str, event: Event) -> None:
        """Emit what is new, and what is not only so often."""
        now = self._ports.clock.now()
        last = self._seen.get((node, domain))
        if last and last.found == found and (now - last.at < SAY_EVERY or not domain):
            return
        self._seen[node, domain] = _Seen(found, now)
        self._emit(event)


def targets_elsewhere(
    graph: Graph, outputs: Mapping[NodeId, Mapping[str, str]]
) -> tuple[DnsRecord, ...]:
    """Where the service's names must point when its DNS is hosted elsewhere; nothing when a hosted
    zone holds them.
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
