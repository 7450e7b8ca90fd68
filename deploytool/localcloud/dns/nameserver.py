"""The authoritative name server of the hosted zones: a DNS query and the state of the cloud in, a
response out.

It answers by the rules of `core.route53` alone. No socket here: `handle` goes from bytes to bytes,
`dnsserver` adds sockets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
from dns.message import Message
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.SOA import SOA

from deploytool.core.route53.routing import points_into, select
from deploytool.core.route53.zone import (
    ALIAS_TTL,
    Cname,
    Found,
    HostedZone,
    NoData,
    NotSupported,
    NxDomain,
    RecordSet,
    Referral,
    canonical,
    find_zone,
    lookup,
    record_sets,
    soa,
)
from deploytool.localcloud.dns import wire as dnswire
from deploytool.localcloud.ports import ControlPlane, HealthView

# CNAMEs or aliases that are followed within a zone; longer ones are taken for a circle
_LONGEST_CHAIN = 8


@dataclass(frozen=True)
class AnswerChanged:
    """The answer for a failover name is no longer what it was: IPv4 addresses before and now, cloud
    seconds.
    """

    name: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    at: float


class NameServer:
    """Answers for every hosted zone of the control plane, as Route 53's name servers do.

    `on_change` hears of each change of the A records that a failover name answers with, `now`
    (cloud seconds) dates it. Changes are seen when a query comes; call `refresh` when a health
    check turns to see them at once.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        health: HealthView,
        *,
        on_change: Callable[[AnswerChanged], None] | None = None,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._control_plane = control_plane
        self._health = health
        self._on_change = on_change
        self._now = now
        self._last: dict[str, tuple[str, ...]] = {}

    def handle(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """Bytes to bytes: see `dnswire.handle`."""
        return dnswire.handle(self.respond, wire, tcp=tcp)

    def respond(self, query: Message) -> Message:
        """The response to a query: AA for our zones, REFUSED for others.

        SERVFAIL, with the reason as extended DNS error, where a zone asks for what is not built.
        """
        response = dnswire.empty_response(query)
        if (refused := dnswire.refusal(query)) is not None:
            return dnswire.fail(response, *refused)
        question = query.question[0]
        zone = find_zone(self._control_plane.hosted_zones(), question.name.to_text())
        if zone is None:
            return dnswire.fail(
                response,
                dns.rcode.REFUSED,
                "no hosted zone holds this name",
                dns.edns.EDECode.NOT_AUTHORITATIVE,
            )
        response.flags |= dns.flags.AA
        try:
            self._fill(response, zone, question.name, question.rdtype)
        except NotSupported as fault:
            return dnswire.fail(
                response, dns.rcode.SERVFAIL, str(fault), dns.edns.EDECode.NOT_SUPPORTED
            )
        if question.rdtype == dns.rdatatype.A:
            self._notice(zone, canonical(question.name.to_text()), response)
        return response

    def refresh(self) -> None:
        """Look at every failover name, so that `on_change` hears of what has changed since."""
        for zone in self._control_plane.hosted_zones():
            for name in {
                record.name for record in zone.records if record.failover and record.type == "A"
            }:
                self.respond(dns.message.make_query(name, dns.rdatatype.A))

    def _fill(
        self,
        response: Message,
        zone: HostedZone,
        asked: dns.name.Name,
        rdtype: dns.rdatatype.RdataType,
    ) -> None:
        """Follow the name to its end within the zone, filling in answer and authority."""
        owner = asked
        for _ in range(_LONGEST_CHAIN):
            found = lookup(zone, owner.to_text(), dns.rdatatype.to_text(rdtype))
            match found:
                case Found(records) | Cname(records):
                    rrset = self._rrset(zone, owner, records)
                    if rrset is None:
                        return response.authority.append(_negative(zone))
                    response.answer.append(rrset)
                    target = rrset[0].target if isinstance(rrset[0], CNAME) else None
                    if isinstance(found, Found) or target is None or not self._is_in(zone, target):
                        return None
                    owner = target
                case Referral(ns):
                    return _refer(response, zone, ns)
                case NoData() | NxDomain():
                    response.set_rcode(
                        dns.rcode.NXDOMAIN if isinstance(found, NxDomain) else dns.rcode.NOERROR
                    )
                    return response.authority.append(_negative(zone))
                case _:
                    assert_never(found)
        raise NotSupported(f"{asked}: more than {_LONGEST_CHAIN} CNAMEs, one after another")

    def _is_in(self, zone: HostedZone, name: dns.name.Name) -> bool:
        holder = find_zone(self._control_plane.hosted_zones(), name.to_text())
        return holder is not None and holder.id == zone.id

    def _rrset(
        self, zone: HostedZone, owner: dns.name.Name, records: Sequence[RecordSet]
    ) -> dns.rrset.RRset | None:
        """The records of the record set that routing selects, under the name asked for; None when
        an alias leads to nothing.
        """
        ttl, values = self._values(zone, records, _LONGEST_CHAIN)
        return _rrset(owner, records[0].type, ttl, values) if values else None

    def _values(
        self, zone: HostedZone, records: Sequence[RecordSet], depth: int
    ) -> tuple[int, tuple[str, ...]]:
        """TTL and values of the record set that routing selects, aliases followed."""
        record = select(records, self._health.is_healthy, zone)
        if record.alias is None:
            if record.ttl is None:
                raise NotSupported(
                    f"{record.name} {record.type}: a record set that is no alias needs a TTL"
                )
            return record.ttl, record.values
        if not depth:
            raise NotSupported(f"{record.name} {record.type}: its aliases point in a circle")
        if points_into(record, zone):
            targets = record_sets(zone, record.alias.dns_name, record.type)
            return self._values(zone, targets, depth - 1) if targets else (ALIAS_TTL, ())
        # AWS's own names have IPv4 addresses only: for any other type the alias leads to nothing,
        # which is NODATA.
        address = (
            self._control_plane.aws_names().get(canonical(record.alias.dns_name))
            if record.type == "A"
            else None
        )
        return ALIAS_TTL, (address,) if address else ()

    def _notice(self, zone: HostedZone, name: str, response: Message) -> None:
        """Tell `on_change` when a failover name's addresses have changed since they were last
        seen.
        """
        if self._on_change is None or not any(
            record.failover for record in record_sets(zone, name, "A")
        ):
            return
        new = tuple(
            str(rdata)
            for rrset in response.answer
            if rrset.rdtype == dns.rdatatype.A
            for rdata in rrset
        )
        old = self._last.get(name)
        self._last[name] = new
        if old is not None and old != new:
            self._on_change(AnswerChanged(name, old, new, self._now()))


def _rrset(owner: dns.name.Name, type_: str, ttl: int, values: Sequence[str]) -> dns.rrset.RRset:
    """Route 53's text of a record set as records. Names within are absolute, with or without a
    final dot, as Route 53 has it.
    """
    try:
        rdatas = [
            dns.rdata.from_text("IN", type_, value, origin=dns.name.root, relativize=False)
            for value in values
        ]
    except dns.exception.DNSException as error:
        raise NotSupported(
            f"{owner} {type_}: not a valid value among {', '.join(values)}: {error}"
        ) from error
    return dns.rrset.from_rdata_list(owner, ttl, rdatas)


def _negative(zone: HostedZone) -> dns.rrset.RRset:
    """The zone's SOA as a negative answer carries it: with the TTL that the answer may be cached
    for (RFC 2308 section 3).
    """
    record = soa(zone)
    rrset = _rrset(dns.name.from_text(zone.name), "SOA", record.ttl or 0, record.values)
    start = rrset[0]
    rrset.ttl = min(rrset.ttl, start.minimum) if isinstance(start, SOA) else 0
    return rrset


def _refer(response: Message, zone: HostedZone, ns: RecordSet) -> None:
    """A referral to the child zone: its NS records and their addresses if known. AA stays only for
    CNAMEs that led there.
    """
    if not response.answer:
        response.flags &= ~dns.flags.AA
    response.authority.append(_rrset(dns.name.from_text(ns.name), "NS", ns.ttl or 0, ns.values))
    for target in ns.values:
        for glue in record_sets(zone, target, "A"):
            response.additional.append(
                _rrset(dns.name.from_text(target), "A", glue.ttl or 0, glue.values)
            )
