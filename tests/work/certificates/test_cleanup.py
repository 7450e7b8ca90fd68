"""The records and hosted zones that certificates leave behind."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from deploytool.core.certificates.certificate import Certificate, CertificateStatus
from deploytool.core.certificates.ports import CertificatePorts
from deploytool.core.errors import DeploytoolError
from deploytool.core.route53.zone import RecordSet
from deploytool.core.stacks.events import (
    Event,
    RecordsKept,
    RecordsRemoved,
    StackDone,
    StackStarted,
    ZoneDeleted,
)
from deploytool.work.certificates.cleanup import ZoneCleaner
from deploytool.work.stacks.destroy import destroy
from deploytool.work.stacks.run import DeployPorts, find_deployed
from tests.work.certificates.world import CERT, DOMAIN, RECORD, VALUE, ZONE_ID, World, graph_of


def zone_started(events: Sequence[Event]) -> int:
    """Return the index of the event that starts the deletion of the zone's stack."""
    return next(
        index
        for index, event in enumerate(events)
        if isinstance(event, StackStarted) and event.node.stack == "zone"
    )


class TestDestroy:
    """The records and zones that a destroyed stage leaves."""

    LEFT = RecordSet(RECORD.name, "CNAME", 300, (VALUE,))

    @pytest.fixture
    def clean(
        self, run: Any, stacks: Any, buckets: Any, executor: Any, ports: CertificatePorts
    ) -> Callable[..., Any]:
        def clean(*, zone: bool = False) -> tuple[tuple[str, ...], list[Event]]:
            graph = graph_of()
            events: list[Event] = []
            deploy_ports = DeployPorts(stacks, buckets, stacks.clock, executor, stacks)
            cleaner = ZoneCleaner(graph, find_deployed(deploy_ports, graph), ports, events.append)
            assert destroy(graph, deploy_ports, events.append, before=cleaner.before).ok
            cleaner.finish()
            if not zone:
                return (), events
            return cleaner.delete_zones(), events

        run()
        return clean

    def test_unused_validation_records_go_before_the_zone(
        self, clean: Any, stacks: Any, world: World
    ) -> None:
        """Validation records are deleted after the certificate's stack and before the zone's."""
        world.record_sets = [self.LEFT]
        _, events = clean()
        kinds = [type(event) for event in events]
        removed = kinds.index(RecordsRemoved)
        zone = zone_started(events)
        certificate = next(
            index
            for index, event in enumerate(events)
            if isinstance(event, StackDone) and event.node == CERT
        )
        assert certificate < removed < zone
        assert (world.record_sets, world.deleted) == ([], [])

    def test_a_zone_without_our_comment(self, clean: Any, world: World) -> None:
        """A zone of another template is cleaned before its stack is deleted, but never deleted."""
        world.record_sets = [self.LEFT]
        world.comment = ""
        kept, events = clean(zone=True)
        kinds = [type(event) for event in events]
        zone = zone_started(events)
        assert kinds.index(RecordsRemoved) < zone
        assert (kept, world.deleted) == ((), [])

    def test_shared_record_stays(self, clean: Any, world: World) -> None:
        """A record that another certificate of the same name uses stays."""
        world.record_sets = [self.LEFT]
        world.certificates = [Certificate("x", CertificateStatus.ISSUED, (f"*.{DOMAIN}",))]
        clean()
        assert world.record_sets == [self.LEFT]

    @pytest.mark.parametrize("region", ["eu-central-1", "us-west-2"])
    def test_a_record_that_another_region_needs_stays(
        self, clean: Any, world: World, region: str
    ) -> None:
        """A certificate of the same name in a third region is renewed with the record."""
        world.record_sets = [self.LEFT]
        world.region = region
        world.certificates = [Certificate("x", CertificateStatus.ISSUED, (DOMAIN,))]
        clean()
        assert world.record_sets == [self.LEFT]

    def test_a_region_that_does_not_answer_keeps_the_record(self, clean: Any, world: World) -> None:
        """An organization may deny a region. Nobody knows its certificates, so nothing is deleted."""
        world.record_sets = [self.LEFT]
        world.refusing = ("eu-central-1",)
        _, events = clean()
        assert world.record_sets == [self.LEFT]
        (kept,) = [event for event in events if isinstance(event, RecordsKept)]
        assert kept.names == (RECORD.name,)
        assert "the certificates of eu-central-1: AccessDenied" in kept.reason

    def test_a_zone_of_others_is_not_cleaned(
        self, run: Any, stacks: Any, buckets: Any, executor: Any, ports: Any, world: World
    ) -> None:
        """The records of a zone that no stack of the stage created stay, and are named."""
        graph = graph_of(zone_id="ZOTHERS")
        run(graph)
        world.record_sets = [self.LEFT]
        events: list[Event] = []
        deploy_ports = DeployPorts(stacks, buckets, stacks.clock, executor, stacks)
        cleaner = ZoneCleaner(graph, find_deployed(deploy_ports, graph), ports, events.append)
        assert destroy(graph, deploy_ports, events.append, before=cleaner.before).ok
        cleaner.finish()
        assert world.record_sets == [self.LEFT]
        (kept,) = [event for event in events if isinstance(event, RecordsKept)]
        assert (kept.zone, kept.names) == ("ZOTHERS", (RECORD.name,))
        assert "no stack of this stage created the zone" in kept.reason

    def test_delete_zone(self, clean: Any, world: World) -> None:
        """Only the zone of the stage's stack is deleted, also when no stack is left."""
        world.record_sets = [self.LEFT]
        kept, events = clean(zone=True)
        assert (kept, world.deleted) == ((), [ZONE_ID])
        assert any(isinstance(event, ZoneDeleted) for event in events)
        world.deleted.clear()
        assert (clean(zone=True)[0], world.deleted) == ((), [ZONE_ID])

    @pytest.mark.parametrize("first", ["ENABLED", "ENABLING", "ENABLE_FAILED"])
    def test_accelerated_recovery_ends_before_the_zone(
        self, clean: Any, world: World, first: str
    ) -> None:
        """Route 53 deletes a zone only when it is off. It is asked once, and waited for."""
        settled = "ENABLED" if first == "ENABLING" else first
        locked = "DISABLING_HOSTED_ZONE_LOCKED"
        world.recovery = [first, settled, settled, "DISABLING", locked, "DISABLED"]
        kept, _ = clean(zone=True)
        assert (kept, world.disabled, world.deleted) == ((), [ZONE_ID], [ZONE_ID])
        assert world.recovery == ["DISABLED"]

    def test_accelerated_recovery_that_does_not_end_keeps_the_zone(
        self, clean: Any, world: World
    ) -> None:
        """After half an hour the error names the status."""
        world.recovery = ["DISABLE_FAILED"]
        with pytest.raises(DeploytoolError, match="DISABLE_FAILED; the zone was not deleted"):
            clean(zone=True)
        assert world.deleted == []

    def test_foreign_records_keep_the_zone(self, clean: Any, world: World) -> None:
        """A zone with other records is kept, and the reason names them."""
        world.record_sets = [self.LEFT, RecordSet(f"mail.{DOMAIN}.", "MX", 300, ("10 mx.",))]
        (reason,), _ = clean(zone=True)
        assert f"mail.{DOMAIN}. MX" in reason
        assert (world.deleted, len(world.record_sets)) == ([], 1)
