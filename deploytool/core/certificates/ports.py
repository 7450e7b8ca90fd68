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

    def get(self, region: str, arn: str) -> Certificate | None:
        """Return one certificate with its records, None when it does not exist."""
        ...


@dataclass(frozen=True)
class ZoneInfo:
    """A hosted zone: its id without a prefix, and its name with a final dot."""

    id: str
    name: str
    name_servers: tuple[str, ...]
    comment: str = ""


class ZoneReader(Protocol):
    """Reads hosted zones."""

    def get(self, zone_id: str) -> ZoneInfo:
        """Return one zone by its id."""
        ...

    def find(self, name: str) -> Sequence[ZoneInfo]:
        """Return every public zone of exactly this name, without the name servers."""
        ...

    def records(self, zone_id: str) -> Sequence[RecordSet]:
        """Return every record set of a zone."""
        ...


class ZoneRemover(Protocol):
    """Deletes hosted zones and their record sets."""

    def remove(self, zone_id: str, records: Sequence[RecordSet]) -> None:
        """Delete these record sets, all or none."""
        ...

    def delete(self, zone_id: str) -> None:
        """Delete a zone that has no record sets but its own SOA and NS."""
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
