"""The seam of the certificate work: what it asks of ACM, of hosted zones and of DNS servers, in
narrow protocols.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from deploytool.core.certificates.certificate import Certificate
from deploytool.core.ports import Clock, Executor, Nameserver
from deploytool.core.route53.zone import DnsRecord, RecordSet


@dataclass(frozen=True)
class DnsReply:
    """A server's reply: `rcode` by name, the records of its answer and of its authority section.
    Names are lower case.
    """

    rcode: str
    answer: tuple[DnsRecord, ...] = ()
    authority: tuple[DnsRecord, ...] = ()


class DnsRecords(Protocol):
    """Asks one server for records of any type."""

    def ask(self, server: Nameserver, name: str, type_: str, *, recurse: bool) -> DnsReply:
        """Raises ProbeFailed (timeout, refused, dns) when there is no reply."""
        ...


class Certificates(Protocol):
    """ACM in any region. Every method raises CloudRefused when AWS says no."""

    def list(self, region: str) -> Sequence[Certificate]:
        """Every certificate of the region, oldest first, without its records."""
        ...

    def get(self, region: str, arn: str) -> Certificate | None:
        """One certificate with its records, None when it is gone."""
        ...


@dataclass(frozen=True)
class ZoneInfo:
    """A hosted zone: its id without a prefix, its name with a final dot, its name servers, its
    comment.
    """

    id: str
    name: str
    name_servers: tuple[str, ...]
    comment: str = ""


class ZoneReader(Protocol):
    """Reads hosted zones."""

    def get(self, zone_id: str) -> ZoneInfo:
        """One zone by its id."""
        ...

    def find(self, name: str) -> Sequence[ZoneInfo]:
        """Every public zone of exactly this name; without their name servers."""
        ...

    def records(self, zone_id: str) -> Sequence[RecordSet]:
        """Every record set of a zone."""
        ...


class ZoneRemover(Protocol):
    """Takes away from hosted zones."""

    def remove(self, zone_id: str, records: Sequence[RecordSet]) -> None:
        """Delete these record sets, all or none."""
        ...

    def delete(self, zone_id: str) -> None:
        """Delete a zone that holds nothing but its own SOA and NS record sets."""
        ...


@dataclass(frozen=True)
class CertificatePorts:
    """What the certificate work needs of a target. `locate` finds a name server by its name and
    raises DeploytoolError.
    """

    certificates: Certificates
    zones: ZoneReader
    remover: ZoneRemover
    dns: DnsRecords
    resolver: Nameserver
    locate: Callable[[str], Nameserver]
    clock: Clock
    executor: Executor
