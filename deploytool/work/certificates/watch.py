"""Polls ACM while a stack waits for its certificate, and reports what the certificate waits for."""

from collections.abc import Callable, Mapping
from functools import cached_property

from deploytool.core.certificates.certificate import (
    CERTIFICATE_TYPE,
    Certificate,
    CertificateRequest,
    CertificateStatus,
    certificate_requests,
    newest,
    records_needed,
)
from deploytool.core.certificates.ports import CertificatePorts
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.events import (
    CertificateDoubtful,
    CertificateFailed,
    CertificatePending,
    Emit,
    Event,
    RecordsNeeded,
    StackCancelled,
    StackDone,
    StackFailed,
    StackStarted,
)
from deploytool.core.stacks.plan import Action, resolve
from deploytool.work.certificates.record_state import RecordStates
from deploytool.work.certificates.reports import Reports
from deploytool.work.stacks.hooks import DeployHooks

FIRST_POLL = 3.0  # seconds; a certificate that is issued sooner costs no call
POLL_INTERVAL = 10.0  # seconds
_TICK = 0.1  # seconds in which the watch notices that a stack has ended


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
        # The stacks to poll for, each with the second of the clock in which it started.
        self._active: dict[NodeId, float] = {}
        # The certificate of each stack and its names, once it is known.
        self._arns: dict[tuple[NodeId, tuple[str, ...]], str] = {}
        self._reports = Reports()
        # The certificates whose failure was reported, and those whose records were.
        self._failed_arns: set[str] = set()
        self._needed_arns: set[str] = set()

    @cached_property
    def _ports(self) -> CertificatePorts:
        """The ports, created on first use: a deployment with nothing to do sends no DNS query."""
        return self._make_ports()

    @cached_property
    def _record_states(self) -> RecordStates:
        return RecordStates(self._ports)

    def observe(self, event: Event) -> None:
        """Start and stop polling with the stack."""
        match event:
            case StackStarted(at, node, Action.CREATE | Action.UPDATE):
                if self._has_certificate(node):
                    self._active[node] = at
                    self._ports.executor.start(lambda: self._watch(node))
            case StackDone(_, node, _, _, outputs):
                # A certificate's parameters refer to the outputs of other stacks.
                self._outputs[node] = outputs
                self._active.pop(node, None)
            case StackFailed(_, node) | StackCancelled(_, node):
                self._active.pop(node, None)

    def close(self) -> None:
        """Stop polling: the run has ended."""
        self._active.clear()

    def _has_certificate(self, node: NodeId) -> bool:
        if node not in self._graph.nodes:
            return False
        return CERTIFICATE_TYPE in self._graph.nodes[node].template.resources.values()

    def _watch(self, node: NodeId) -> None:
        """Poll for a stack until it has ended."""
        next_poll = self._active.get(node, 0.0) + FIRST_POLL
        while node in self._active:
            now = self._ports.clock.now()
            if now < next_poll:
                self._ports.clock.sleep(min(_TICK, next_poll - now))
                continue
            try:
                self.poll(node)
            except DeploytoolError as error:
                # Reported once, without another poll: the deployment does not depend on the watch.
                text = f"what the certificate waits for cannot be shown: {error}"
                self._emit(CertificateDoubtful(now, node, text))
                return
            next_poll = self._ports.clock.now() + POLL_INTERVAL

    def poll(self, node: NodeId) -> None:
        """Poll each certificate of a stack that is being created, and report what is new.

        Raises DeploytoolError when AWS does not answer.
        """
        graph_node = self._graph.nodes[node]
        parameters = resolve(graph_node, self._outputs)
        for request in certificate_requests(graph_node.document, parameters):
            certificate = self._find(node, request)
            # The stack may have ended during the call.
            if certificate is None or node not in self._active:
                continue
            if certificate.status.is_failed:
                self._report_failed(node, request, certificate)
            elif certificate.status is CertificateStatus.PENDING_VALIDATION:
                self._report_pending(node, request, certificate)

    def _find(self, node: NodeId, request: CertificateRequest) -> Certificate | None:
        """Return the stack's certificate: the newest with these names that was pending at first.

        A certificate with another status is of an earlier deployment.
        """
        key = (node, request.names)
        if key not in self._arns:
            latest = newest(self._ports.certificates.list(node.region), request)
            if latest is None or latest.status is not CertificateStatus.PENDING_VALIDATION:
                return None
            self._arns[key] = latest.arn
        return self._ports.certificates.get(node.region, self._arns[key])

    def _report_failed(
        self, node: NodeId, request: CertificateRequest, certificate: Certificate
    ) -> None:
        if certificate.arn in self._failed_arns:
            return
        self._failed_arns.add(certificate.arn)

        now = self._ports.clock.now()
        reason = certificate.reason or certificate.status
        self._emit(CertificateFailed(now, node, request.names[0], reason))

    def _report_pending(
        self, node: NodeId, request: CertificateRequest, certificate: Certificate
    ) -> None:
        """Report the records to create, once, and the state of each record that ACM waits for."""
        needed = records_needed(certificate, request)
        if needed and certificate.arn not in self._needed_arns:
            self._needed_arns.add(certificate.arn)
            self._emit(RecordsNeeded(self._ports.clock.now(), node, needed))

        for record in certificate.records:
            if record.proven:
                continue
            state = self._record_states.describe(request, record)
            now = self._ports.clock.now()
            # The stack may have ended since the poll started: then it waited for no time.
            waited = now - self._active.get(node, now)
            if self._reports.is_due((node, record.domain), state, now):
                self._emit(
                    CertificatePending(
                        now, node, record.domain, record.name, record.value, state, waited
                    )
                )
