"""The reports about a certificate while ACM has not issued it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from deploytool.core.certificates.certificate import Certificate, CertificateStatus
from deploytool.core.certificates.ports import CertificatePorts
from deploytool.core.errors import ProbeFailed
from deploytool.core.project.graph import NodeId
from deploytool.core.route53.zone import DnsRecord, RecordSet
from deploytool.core.stacks.events import (
    CertificateDoubtful,
    CertificateFailed,
    CertificatePending,
    Event,
    RecordsNeeded,
    StackDone,
    StackStarted,
)
from deploytool.work.certificates.watch import CertificateWatch
from tests.work.certificates.world import ARN, CERT, DOMAIN, OURS, RECORD, VALUE, World, graph_of


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

    def set_status(
        self, world: World, status: str = "PENDING_VALIDATION", reason: str = ""
    ) -> None:
        world.certificates = [
            Certificate(ARN, CertificateStatus(status), (DOMAIN,), (RECORD,), reason)
        ]

    def test_states_of_a_record(
        self, world: World, ports: CertificatePorts, events: list[Event]
    ) -> None:
        """A changed state is reported at once, the same one after 30 s, a proven record never."""
        watch = self.watch(ports, events)
        watch.poll(CERT)
        assert events == [], "the certificate does not exist yet"
        self.set_status(world)
        world.delegated = lambda now: (OURS,) if now >= 40 else ()
        for at in (3.0, 13.0, 33.0, 35.0, 40.0):
            world.clock.time = at
            if at == 35.0:
                world.record_sets = [RecordSet(RECORD.name, "CNAME", 300, (VALUE,))]
            watch.poll(CERT)
        world.certificates = [
            replace(world.certificates[0], records=(replace(RECORD, proven=True),))
        ]
        watch.poll(CERT)
        reports = [event for event in events if isinstance(event, CertificatePending)]
        assert [report.waited for report in reports] == [3.0, 33.0, 35.0, 40.0]
        assert {report.record_name for report in reports} == {RECORD.name}
        missing, again, undelegated, resolves = (report.problem for report in reports)
        assert missing == again == "it is not in the hosted zone yet"
        assert "does not delegate dev.example.com" in undelegated
        assert "ACM has not checked it yet" in resolves
        assert world.lists == 2, "a known certificate is read by its ARN"

    def test_failure(self, world: World, ports: CertificatePorts, events: list[Event]) -> None:
        """A failure is reported once; a failed certificate of an earlier run is ignored."""
        watch = self.watch(ports, events)
        self.set_status(world, "FAILED")
        watch.poll(CERT)
        assert events == []
        self.set_status(world)
        watch.poll(CERT)
        self.set_status(world, "FAILED", "CAA_ERROR")
        watch.poll(CERT)
        watch.poll(CERT)
        failures = [event.reason for event in events if isinstance(event, CertificateFailed)]
        assert failures == ["CAA_ERROR"]

    def test_records_to_create(
        self, world: World, ports: CertificatePorts, events: list[Event]
    ) -> None:
        """Without a hosted zone the records to create are reported once."""
        watch = self.watch(ports, events, zone=False)
        self.set_status(world)
        watch.poll(CERT)
        watch.poll(CERT)
        needed = [event.records for event in events if isinstance(event, RecordsNeeded)]
        assert needed == [(DnsRecord(RECORD.name, "CNAME", VALUE),)]

    def test_active_only_while_needed(
        self, world: World, ports: CertificatePorts, events: list[Event]
    ) -> None:
        """The task polls after 3 s and every 10 s and ends with the stack; a deletion has none."""
        watch = self.watch(ports, events)
        self.set_status(world)
        polls: list[float] = []
        get = ports.certificates.get

        def recorded_get(region: str, arn: str) -> Certificate | None:
            polls.append(world.clock.now())
            if len(polls) == 3:
                watch.observe(StackDone(world.clock.now(), CERT, "create", 1.0, {}))
            return get(region, arn)

        ports.certificates.get = recorded_get  # type: ignore[method-assign]
        (task,) = ports.executor.tasks  # type: ignore[attr-defined]
        task()
        assert polls == pytest.approx([3.0, 13.0, 23.0], abs=0.2)
        watch.observe(StackStarted(0.0, CERT, "delete"))
        assert len(ports.executor.tasks) == 1  # type: ignore[attr-defined]

    def test_a_refused_call_is_reported_once(
        self, world: World, ports: CertificatePorts, events: list[Event]
    ) -> None:
        """When ACM refuses a call, the watch reports that and ends; the run continues."""

        def refuse(region: str) -> Sequence[Certificate]:
            raise ProbeFailed("other", "not authorised")

        watch = self.watch(ports, events)
        ports.certificates.list = refuse  # type: ignore[method-assign]
        ports.executor.tasks[0]()  # type: ignore[attr-defined]
        (report,) = [event for event in events if isinstance(event, CertificateDoubtful)]
        assert "cannot be shown: not authorised" in report.text
        watch.close()
