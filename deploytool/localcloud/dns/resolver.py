"""The caching recursive resolver that clients of the local cloud ask, and resolving without a cache
for its health checkers.

It knows the hosted zones (it asks the name server in-process) and AWS's own names, and nothing
else: there is no internet behind it. Which zones it is led to `delegation` decides. No socket here:
`handle` goes from bytes to bytes, `dnsserver` adds sockets.
"""

from collections.abc import Callable
from dataclasses import dataclass

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.message import Message
from dns.rdtypes.ANY.CNAME import CNAME

from deploytool.core.route53.zone import ALIAS_TTL, canonical
from deploytool.localcloud.dns import wire as dnswire
from deploytool.localcloud.ports import ControlPlane

_LONGEST_CHAIN = 8  # CNAMEs from zone to zone that are followed
_LARGEST_CACHE = 10_000  # answers kept

Authority = Callable[[Message], Message]
Step = Callable[[dns.name.Name, dns.rdatatype.RdataType], "Finding"]


class ResolutionFailed(Exception):
    """A name has no IPv4 address; the message says why."""


@dataclass(frozen=True)
class Finding:
    """What is known about a name and type: an RCODE, the answer's records, the SOA of a negative
    answer, words for an error.
    """

    rcode: dns.rcode.Rcode
    answer: tuple[dns.rrset.RRset, ...] = ()
    authority: tuple[dns.rrset.RRset, ...] = ()
    reason: str = ""

    @property
    def ttl(self) -> int:
        """For how many seconds this may be kept: the least TTL of its records, 0 without any."""
        return min((rrset.ttl for rrset in (*self.answer, *self.authority)), default=0)

    def aged(self, seconds: int) -> "Finding":
        """The same with TTLs so many seconds lower."""
        return Finding(
            self.rcode, _aged(self.answer, seconds), _aged(self.authority, seconds), self.reason
        )


def addresses(authority: Authority, control_plane: ControlPlane, name: str) -> tuple[str, ...]:
    """The IPv4 addresses of a name, resolved now and without a cache. Raises ResolutionFailed when
    there are none.
    """
    try:
        asked = dns.name.from_text(name)
    except dns.exception.DNSException as error:
        raise ResolutionFailed(f"{name}: {error}") from error
    found = resolve(
        asked, dns.rdatatype.A, lambda owner, rdtype: ask(authority, control_plane, owner, rdtype)
    )
    values = tuple(
        str(rdata) for rrset in found.answer if rrset.rdtype == dns.rdatatype.A for rdata in rrset
    )
    if not values:
        raise ResolutionFailed(
            f"{name}: {found.reason or f'{dns.rcode.to_text(found.rcode)}, no A record'}"
        )
    return values


def records(
    authority: Authority, control_plane: ControlPlane, name: str, type_: str
) -> tuple[str, ...]:
    """The values of a name and type in Route 53's text, resolved now and without a cache; empty
    when there are none.

    Raises ResolutionFailed when nobody could be asked, which is not the same.
    """
    rdtype = dns.rdatatype.from_text(type_)
    found = resolve(
        dns.name.from_text(name),
        rdtype,
        lambda owner, asked: ask(authority, control_plane, owner, asked),
    )
    if found.rcode == dns.rcode.SERVFAIL:
        raise ResolutionFailed(f"{name}: {found.reason}")
    return tuple(
        rdata.to_text() for rrset in found.answer if rrset.rdtype == rdtype for rdata in rrset
    )


def ask(
    authority: Authority,
    control_plane: ControlPlane,
    name: dns.name.Name,
    rdtype: dns.rdatatype.RdataType,
) -> Finding:
    """One step of resolving: what the name's zone says, or AWS for its own names; SERVFAIL where
    nobody can be asked.
    """
    response = authority(dns.message.make_query(name, rdtype, use_edns=0))
    if response.flags & dns.flags.AA:
        return Finding(response.rcode(), tuple(response.answer), tuple(response.authority))
    if response.rcode() != dns.rcode.REFUSED:
        errors = [
            option.text
            for option in response.options
            if isinstance(option, dns.edns.EDEOption) and option.text
        ]
        return Finding(
            dns.rcode.SERVFAIL,
            reason="; ".join(errors) or "the name is delegated to name servers that are not here",
        )
    address = control_plane.aws_names().get(canonical(name.to_text()))
    if address is None:
        return Finding(
            dns.rcode.SERVFAIL,
            reason="no hosted zone holds the name, and the local cloud has no internet",
        )
    if rdtype != dns.rdatatype.A:
        return Finding(dns.rcode.NOERROR)
    return Finding(dns.rcode.NOERROR, (dns.rrset.from_text(name, ALIAS_TTL, "IN", "A", address),))


def resolve(name: dns.name.Name, rdtype: dns.rdatatype.RdataType, step: Step) -> Finding:
    """Resolve step by step, following CNAMEs that lead out of a zone."""
    answer: tuple[dns.rrset.RRset, ...] = ()
    for _ in range(_LONGEST_CHAIN):
        found = step(name, rdtype)
        if found.rcode == dns.rcode.SERVFAIL:
            return found
        answer += found.answer
        last = answer[-1][0] if answer else None
        if (
            found.authority
            or rdtype == dns.rdatatype.CNAME
            or not isinstance(last, CNAME)
            or not found.answer
        ):
            return Finding(found.rcode, answer, found.authority)
        name = last.target
    return Finding(
        dns.rcode.SERVFAIL, reason=f"more than {_LONGEST_CHAIN} CNAMEs, one after another"
    )


class Resolver:
    """Answers recursive queries. `now` counts cloud seconds: at speed N a cached answer expires N
    times sooner on the wall.

    `authority` is the name server's `respond`. Positive and negative answers are kept for their
    TTL, failures are not kept.
    """

    def __init__(
        self, authority: Authority, control_plane: ControlPlane, now: Callable[[], float]
    ) -> None:
        self._authority = authority
        self._control_plane = control_plane
        self._now = now
        self._cache: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], tuple[float, Finding]] = {}

    def handle(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """Bytes to bytes: see `dnswire.handle`."""
        return dnswire.handle(self.respond, wire, tcp=tcp)

    def respond(self, query: Message) -> Message:
        """The response to a query, with the TTL that its records have left. Queries without RD are
        refused.
        """
        response = dnswire.empty_response(query, recursion_available=True)
        if (refused := dnswire.refusal(query)) is not None:
            return dnswire.fail(response, *refused)
        if not query.flags & dns.flags.RD:
            return dnswire.fail(response, dns.rcode.REFUSED, "a recursive resolver: set RD")
        found = resolve(query.question[0].name, query.question[0].rdtype, self._step)
        if found.rcode == dns.rcode.SERVFAIL:
            return dnswire.fail(response, found.rcode, found.reason)
        response.set_rcode(found.rcode)
        response.answer.extend(found.answer)
        response.authority.extend(found.authority)
        return response

    def _step(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Finding:
        """One step of resolving, from the cache while it is fresh. Ages count whole seconds, as
        TTLs do.
        """
        now = self._now()
        if (kept := self._cache.get((name, rdtype))) is not None:
            since, found = kept
            if now < since + found.ttl:
                return found.aged(int(now - since))
        found = ask(self._authority, self._control_plane, name, rdtype)
        if found.ttl and found.rcode != dns.rcode.SERVFAIL:
            self._keep(name, rdtype, now, found)
        return found

    def _keep(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, now: float, found: Finding
    ) -> None:
        self._cache.pop((name, rdtype), None)  # so that the order is that of storing
        if len(self._cache) >= _LARGEST_CACHE:
            del self._cache[next(iter(self._cache))]
        self._cache[name, rdtype] = (now, found)


def _aged(rrsets: tuple[dns.rrset.RRset, ...], seconds: int) -> tuple[dns.rrset.RRset, ...]:
    return tuple(
        dns.rrset.from_rdata_list(rrset.name, rrset.ttl - seconds, list(rrset)) for rrset in rrsets
    )
