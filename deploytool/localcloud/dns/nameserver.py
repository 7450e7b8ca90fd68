"""The authoritative name server of the hosted zones: a query and the cloud's state to a response.

It answers by the rules of `core.route53` alone. No socket here: `handle` goes from bytes to bytes,
and `server` adds sockets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.message import Message
from dns.rdtypes.ANY.CNAME import CNAME

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
)
from deploytool.localcloud.dns import wire as dnswire
from deploytool.localcloud.dns.rrsets import negative_soa, to_rrset
from deploytool.localcloud.ports import ControlPlane, HealthView

# CNAMEs or aliases that are followed within a zone. A longer chain counts as a circle.
_LONGEST_CHAIN = 8


@dataclass(frozen=True)
class AnswerChanged:
    """The answer for a failover name changed.

    `old` and `new` are IPv4 addresses, `at` is in cloud seconds.
    """

    name: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    at: float


class NameServer:
    """Answers for every hosted zone of the control plane, as Route 53's name servers do.

    `on_change` is called when the A records of a failover name change, and `now` (cloud seconds)
    dates the change. A change is noticed when a query arrives; call `refresh` to notice it at once.
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
        self._latest: dict[str, tuple[str, ...]] = {}

    def handle(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """Answer bytes with bytes: see `wire.handle`."""
        return dnswire.handle(self.respond, wire, tcp=tcp)

    def respond(self, query: Message) -> Message:
        """Return the response to a query: AA for our zones, REFUSED for others.

        Where a zone needs what is not built the response is SERVFAIL, with the reason as an
        extended DNS error.
        """
        response = dnswire.empty_response(query)
        refused = dnswire.refusal(query)
        if refused is not None:
            return dnswire.fail(response, *refused)

        question = query.question[0]
        zone = self._find_zone(question.name)
        if zone is None:
            return dnswire.fail(
                response,
                dns.rcode.REFUSED,
                "no hosted zone holds this name",
                dns.edns.EDECode.NOT_AUTHORITATIVE,
            )

        # AA is taken back for a referral and for an error.
        response.flags |= dns.flags.AA
        try:
            self._fill(response, zone, question.name, question.rdtype)
        except NotSupported as error:
            return dnswire.fail(
                response, dns.rcode.SERVFAIL, str(error), dns.edns.EDECode.NOT_SUPPORTED
            )
        if question.rdtype == dns.rdatatype.A:
            self._notice_change(zone, canonical(question.name.to_text()), response)
        return response

    def refresh(self) -> None:
        """Answer for every failover name, so that `on_change` is called for each change since."""
        for zone in self._control_plane.hosted_zones():
            names = {record.name for record in zone.records if _is_failover_address(record)}
            for name in names:
                self.respond(dns.message.make_query(name, dns.rdatatype.A))

    def _find_zone(self, name: dns.name.Name) -> HostedZone | None:
        return find_zone(self._control_plane.hosted_zones(), name.to_text())

    def _fill(
        self,
        response: Message,
        zone: HostedZone,
        name: dns.name.Name,
        rdtype: dns.rdatatype.RdataType,
    ) -> None:
        """Follow the name through the zone's CNAMEs and fill in the sections of the response."""
        owner = name
        for _ in range(_LONGEST_CHAIN):
            result = lookup(zone, owner.to_text(), dns.rdatatype.to_text(rdtype))
            match result:
                case Found(records):
                    self._add_answer(response, zone, owner, records)
                    return
                case Cname(records):
                    rrset = self._add_answer(response, zone, owner, records)
                    # A target outside the zone is left to the resolver, which asks for it next.
                    target = _cname_target(rrset)
                    if target is None or not self._is_in(zone, target):
                        return
                    owner = target
                case Referral(ns):
                    _refer(response, zone, ns)
                    return
                # A name without the type and a name that does not exist both carry the SOA; only
                # the latter has an RCODE of its own. After CNAMEs it is that of the last name.
                case NoData():
                    response.authority.append(negative_soa(zone))
                    return
                case NxDomain():
                    response.set_rcode(dns.rcode.NXDOMAIN)
                    response.authority.append(negative_soa(zone))
                    return
                case _:
                    assert_never(result)
        raise NotSupported(f"{name}: more than {_LONGEST_CHAIN} CNAMEs, one after another")

    def _add_answer(
        self,
        response: Message,
        zone: HostedZone,
        owner: dns.name.Name,
        records: Sequence[RecordSet],
    ) -> dns.rrset.RRset | None:
        """Add and return the records of the record set that routing selects.

        When an alias leads to no record, the response becomes NODATA and None is returned.
        """
        ttl, values = self._select_values(zone, records, _LONGEST_CHAIN)
        if not values:
            response.authority.append(negative_soa(zone))
            return None
        rrset = to_rrset(owner, records[0].type, ttl, values)
        response.answer.append(rrset)
        return rrset

    def _select_values(
        self, zone: HostedZone, records: Sequence[RecordSet], depth: int
    ) -> tuple[int, tuple[str, ...]]:
        """Return TTL and values of the record set that routing selects, with aliases followed."""
        record = select(records, self._health.is_healthy, zone)
        if record.alias is None:
            if record.ttl is None:
                raise NotSupported(
                    f"{record.name} {record.type}: a record set that is no alias needs a TTL"
                )
            return record.ttl, record.values
        if depth == 0:
            raise NotSupported(f"{record.name} {record.type}: its aliases point in a circle")

        # An alias to the same zone is followed with routing at each step, up to `depth` times.
        if points_into(record, zone):
            targets = record_sets(zone, record.alias.dns_name, record.type)
            if not targets:
                return ALIAS_TTL, ()
            return self._select_values(zone, targets, depth - 1)

        # AWS's own names have only IPv4 addresses: an alias of any other type leads to nothing,
        # which is NODATA.
        if record.type != "A":
            return ALIAS_TTL, ()
        address = self._control_plane.aws_names().get(canonical(record.alias.dns_name))
        return ALIAS_TTL, (address,) if address else ()

    def _is_in(self, zone: HostedZone, name: dns.name.Name) -> bool:
        """Whether this zone, and not one within it, contains the name."""
        containing = self._find_zone(name)
        return containing is not None and containing.id == zone.id

    def _notice_change(self, zone: HostedZone, name: str, response: Message) -> None:
        """Call `on_change` when a failover name's addresses have changed since its last answer."""
        if self._on_change is None:
            return
        if not any(_is_failover_address(record) for record in record_sets(zone, name, "A")):
            return

        new = _addresses(response)
        old = self._latest.get(name)
        self._latest[name] = new
        # The first answer for a name is no change.
        if old is not None and old != new:
            self._on_change(AnswerChanged(name, old, new, self._now()))


def _is_failover_address(record: RecordSet) -> bool:
    return record.type == "A" and bool(record.failover)


def _cname_target(rrset: dns.rrset.RRset | None) -> dns.name.Name | None:
    if rrset is None:
        return None
    rdata = rrset[0]
    return rdata.target if isinstance(rdata, CNAME) else None


def _addresses(response: Message) -> tuple[str, ...]:
    """Return the IPv4 addresses in the answer section."""
    addresses: list[str] = []
    for rrset in response.answer:
        if rrset.rdtype == dns.rdatatype.A:
            addresses.extend(str(rdata) for rdata in rrset)
    return tuple(addresses)


def _refer(response: Message, zone: HostedZone, ns: RecordSet) -> None:
    """Add a referral to the child zone: its NS records, and their addresses if known.

    AA stays only for CNAMEs that led to the child zone.
    """
    if not response.answer:
        response.flags &= ~dns.flags.AA
    child = dns.name.from_text(ns.name)
    response.authority.append(to_rrset(child, "NS", ns.ttl or 0, ns.values))
    # Without the addresses (glue) of servers below the cut nobody could ask them.
    for server in ns.values:
        owner = dns.name.from_text(server)
        for glue in record_sets(zone, server, "A"):
            response.additional.append(to_rrset(owner, "A", glue.ttl or 0, glue.values))
