"""Checks CAA records and the delegation before a stack requests its certificates."""

from collections.abc import Callable, Mapping
from functools import cache, cached_property

from deploytool.core.certificates.certificate import CertificateRequest, certificate_requests
from deploytool.core.certificates.ports import CertificatePorts, ZoneInfo
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import Node, NodeId
from deploytool.core.route53.delegation import (
    Delegated,
    caa_problem,
    precaution,
    prevents_validation,
)
from deploytool.core.stacks.events import (
    CertificateDoubtful,
    DelegationMissing,
    Emit,
    Event,
    StackDone,
)
from deploytool.core.stacks.plan import Action
from deploytool.work.certificates.parent import caa_lookup, judge_delegation
from deploytool.work.certificates.reports import Reports
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.operations import RetryAfter

# The parent is queried again after this share of the time that has passed, within the bounds. A
# person who sets the records at once is noticed at once, and a long wait costs few queries.
_SHARE_OF_WAIT = 0.25
_SHORTEST_RETRY = 1.0  # seconds
_LONGEST_RETRY = 10.0  # seconds


class CertificateGuard(DeployHooks):
    """Refuses or delays a stack whose certificates would never be validated.

    A hosted zone that this run created could not be delegated earlier, so the run waits for its
    delegation, at most `timeout` seconds. Any other zone that is not delegated fails at once. One
    guard per run.
    """

    def __init__(
        self, make_ports: Callable[[], CertificatePorts], emit: Emit, timeout: float
    ) -> None:
        self._make_ports = make_ports
        self._emit = emit
        self._timeout = timeout
        # Every output of every stack that this run created. The ids of new hosted zones are among
        # them, and no other output equals the id of a zone.
        self._created_outputs: set[str] = set()
        self._wait_started: dict[NodeId, float] = {}
        self._reports = Reports()

    @cached_property
    def _ports(self) -> CertificatePorts:
        """The ports, created on first use: a deployment with nothing to do sends no DNS query."""
        return self._make_ports()

    @cached_property
    def _read_zone(self) -> Callable[[str], ZoneInfo]:
        """A function that reads a hosted zone by its id, each zone once."""
        return cache(self._ports.zones.get)

    def observe(self, event: Event) -> None:
        """Remember the outputs of the stacks that this run creates."""
        if isinstance(event, StackDone) and event.action == Action.CREATE:
            self._created_outputs.update(event.outputs.values())

    def before_change(self, node: Node, parameters: Mapping[str, str]) -> RetryAfter | None:
        """Return None when the stack can request its certificates, or when to check again.

        Raises DeploytoolError when they would never be validated.
        """
        retry = None
        for request in certificate_requests(node.document, parameters):
            zone_ids = sorted(set(request.zones.values()))
            zones = {zone_id: self._read_zone(zone_id) for zone_id in zone_ids}
            self._check_caa(node.id, request, zones)

            # Every zone is checked, so that a zone to wait for does not hide one that fails.
            for zone in zones.values():
                retry = self._check_delegation(node.id, zone) or retry
        return retry

    def _check_caa(
        self, node: NodeId, request: CertificateRequest, zones: Mapping[str, ZoneInfo]
    ) -> None:
        """Raise DeploytoolError when the CAA records of a name forbid Amazon to issue."""

        def doubt(text: str) -> None:
            now = self._ports.clock.now()
            # The stack is checked again while it waits for its delegation.
            if self._reports.is_due((node, text), text, now):
                self._emit(CertificateDoubtful(now, node, text))

        # One lookup a zone: names in the same zone share their ancestors and so the cached answers.
        lookups = {zone_id: caa_lookup(self._ports, zone, doubt) for zone_id, zone in zones.items()}
        lookup_without_zone = caa_lookup(self._ports, None, doubt)

        for name in request.names:
            lookup = lookups.get(request.zones.get(name, ""), lookup_without_zone)
            problem = caa_problem(name, lookup)
            if problem:
                raise DeploytoolError(
                    f"no certificate for {name} would be issued: {problem}",
                    hint='add a CAA record for that name: 0 issue "amazon.com"',
                )

    def _check_delegation(self, node: NodeId, zone: ZoneInfo) -> RetryAfter | None:
        """Return None when a zone's delegation does not prevent validation, or when to check again.

        Raises DeploytoolError when the zone is not new, or when it waited for too long.
        """
        verdict, description = judge_delegation(self._ports, zone)
        now = self._ports.clock.now()
        if isinstance(verdict, Delegated):
            return None
        # ACM may still find the record, so that the stack is not stopped.
        if not prevents_validation(verdict):
            self._emit(CertificateDoubtful(now, node, description))
            return None

        domain = zone.name.rstrip(".")
        servers = tuple(sorted(name.rstrip(".") for name in zone.name_servers))
        hint = (
            f"at the registrar of {domain} or in its parent's zone,"
            f" set its NS records to {', '.join(servers)}; then deploy again"
        )
        before = precaution(verdict, domain)
        if before:
            hint += f". Before that: {before}"
        if zone.id not in self._created_outputs:
            raise DeploytoolError(
                f"a certificate for {domain} will never validate: {description}", hint=hint
            )

        # The wait of a stack starts with its first check.
        waited = now - self._wait_started.setdefault(node, now)
        if waited >= self._timeout:
            raise DeploytoolError(
                f"{domain} was not delegated within {self._timeout:g} s: {description}", hint=hint
            )

        if self._reports.is_due(node, description, now):
            self._emit(DelegationMissing(now, node, domain, servers, description, waited, before))
        return self._next_check(waited)

    def _next_check(self, waited: float) -> RetryAfter:
        """Return when to query the parent again after a wait of some seconds."""
        interval = min(max(_SHARE_OF_WAIT * waited, _SHORTEST_RETRY), _LONGEST_RETRY)
        # The last query comes at the timeout.
        return RetryAfter(min(interval, self._timeout - waited))
