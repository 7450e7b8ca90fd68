"""The ports of the certificate work: ACM, hosted zones and DNS servers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from deploytool.core.certificates.certificate import Certificate
from deploytool.core.ports import Clock, Executor, Nameserver
from deploytool.core.route53.zone import DnsRecord, RecordSet


@dataclass(frozen=True)
class DnsReply:
    """A server's reply: its rcode by name, its answer and its authority section.

    Names are in lower case with a final dot.
    """

    rcode: str
    answer: tuple[DnsRecord, ...] = ()
    authority: tuple[DnsRecord, ...] = ()


class DnsRecords(Protocol):
    """Queries one server for records of any type."""

    def ask(self, server: Nameserver, name: str, type_: str, *, recurse: bool) -> DnsReply:
        """Query the server. Raises ProbeFailed (timeout, refused, dns) when it does not reply."""
        ...


class Certificates(Protocol):
    """ACM in any region. Every method raises CloudRefused when AWS refuses the call."""

    def list(self, region: str) -> Sequence[Certificate]:
        """Return every certificate of the region, oldest first, without its records."""
        ...

    def enabled_regions(self, region: str) -> Sequence[str]:
        """Return the regions that are enabled for the account. `region` is the one to ask."""
        ...

    def get(self, region: str, arn: str) -> Certificate | None:
        """Return one certificate with its records, None when it does not exist."""
        ...


# While accelerated recovery has one of these statuses, Route 53 refuses every change of the zone: it
# "is marked disabled for mutation" (API reference of HostedZoneFeatures; cdkd issue 1467).
CHANGING = (
    "ENABLING",
    "ENABLING_HOSTED_ZONE_LOCKED",
    "DISABLING",
    "DISABLING_HOSTED_ZONE_LOCKED",
)


@dataclass(frozen=True)
class ZoneInfo:
    """A hosted zone: its id without a prefix, and its name with a final dot.

    `recovery` is the status of accelerated recovery, "" for a zone that never had it. Only the VPCs
    of a `private` zone see its records; it has no name servers.
    """

    id: str
    name: str
    name_servers: tuple[str, ...]
    comment: str = ""
    recovery: str = ""
    private: bool = False

    @property
    def is_changing(self) -> bool:
        """Whether Route 53 refuses changes of the zone for a while."""
        return self.recovery in CHANGING

    @property
    def has_recovery(self) -> bool:
        """Whether accelerated recovery is not off yet."""
        return self.recovery not in ("", "DISABLED")


class ZoneReader(Protocol):
    """Reads hosted zones."""

    def get(self, zone_id: str) -> ZoneInfo:
        """Return one zone by its id. Raises NoSuchZone when the account has none of it."""
        ...

    def find(self, name: str) -> Sequence[ZoneInfo]:
        """Return every public zone of exactly this name, without the name servers."""
        ...

    def records(self, zone_id: str) -> Sequence[RecordSet]:
        """Return every record set of a zone."""
        ...

    def named(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        """Return the record sets of exactly this name, of every type."""
        ...


class ZoneRemover(Protocol):
    """Deletes hosted zones and their record sets."""

    def remove(self, zone_id: str, records: Sequence[RecordSet]) -> None:
        """Delete these record sets, all or none."""
        ...

    def disable_recovery(self, zone_id: str) -> None:
        """Begin to turn accelerated recovery off."""
        ...

    def delete(self, zone_id: str) -> None:
        """Delete a zone that has no accelerated recovery, and no record sets but its SOA and NS."""
        ...


@dataclass(frozen=True)
class CertificatePorts:
    """The ports of a target for the certificate work.

    `locate` finds a name server by its name. It raises DeploytoolError when there is none.
    """

    certificates: Certificates
    zones: ZoneReader
    remover: ZoneRemover
    dns: DnsRecords
    resolver: Nameserver
    locate: Callable[[str], Nameserver]
    clock: Clock
    executor: Executor
