"""Resolving a name step by step, over the hosted zones and AWS's own names, without a cache.

Nothing else is known: there is no internet behind the local cloud. Which zones are reachable
`delegation` decides.
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
from dns.name import Name
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.CNAME import CNAME

from deploytool.core.route53.zone import ALIAS_TTL, canonical
from deploytool.localcloud.ports import ControlPlane

_LONGEST_CHAIN = 8  # CNAMEs from zone to zone that are followed

# Answers a query with authority, as `NameServer.respond` does.
Authority = Callable[[Message], Message]


class ResolutionFailed(Exception):
    """A name could not be resolved; the message has the reason."""


@dataclass(frozen=True)
class Resolution:
    """What is known about a name and type.

    `authority` has the SOA of a negative answer, `reason` the text of an error.
    """

    rcode: dns.rcode.Rcode
    answer: tuple[dns.rrset.RRset, ...] = ()
    authority: tuple[dns.rrset.RRset, ...] = ()
    reason: str = ""

    @property
    def ttl(self) -> int:
        """For how many seconds this may be cached: the lowest TTL of its records, 0 without any."""
        return min((rrset.ttl for rrset in (*self.answer, *self.authority)), default=0)

    def aged(self, seconds: int) -> "Resolution":
        """Return the same with every TTL lower by `seconds`."""
        return Resolution(
            self.rcode, _aged(self.answer, seconds), _aged(self.authority, seconds), self.reason
        )


# One step of resolving: what one zone, or AWS, says about a name and type.
Step = Callable[[Name, RdataType], Resolution]


class UncachedResolver:
    """Resolves names as they are now.

    `authority` answers for the hosted zones; the control plane knows AWS's own names.
    """

    def __init__(self, authority: Authority, control_plane: ControlPlane) -> None:
        self._authority = authority
        self._control_plane = control_plane

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the IPv4 addresses of a name. Raises ResolutionFailed when there are none."""
        try:
            owner = dns.name.from_text(name)
        except dns.exception.DNSException as error:
            raise ResolutionFailed(f"{name}: {error}") from error
        resolution = resolve(owner, dns.rdatatype.A, self.step)
        addresses = _values(resolution, dns.rdatatype.A)
        if not addresses:
            rcode = dns.rcode.to_text(resolution.rcode)
            reason = resolution.reason or f"{rcode}, no A record"
            raise ResolutionFailed(f"{name}: {reason}")
        return addresses

    def values(self, name: str, type_: str) -> tuple[str, ...]:
        """Return the values of a name and type in Route 53's text, empty when there are none.

        Raises ResolutionFailed when no server could be asked, which is not the same.
        """
        rdtype = dns.rdatatype.from_text(type_)
        resolution = resolve(dns.name.from_text(name), rdtype, self.step)
        if resolution.rcode == dns.rcode.SERVFAIL:
            raise ResolutionFailed(f"{name}: {resolution.reason}")
        return _values(resolution, rdtype)

    def step(self, name: Name, rdtype: RdataType) -> Resolution:
        """Return what the name's zone says, or AWS for its own names.

        SERVFAIL when neither knows the name.
        """
        # With EDNS0, so that the response can have the reason of an error.
        response = self._authority(dns.message.make_query(name, rdtype, use_edns=0))
        if response.flags & dns.flags.AA:
            return Resolution(response.rcode(), tuple(response.answer), tuple(response.authority))
        # No authority and not refused: a referral to other servers, or an error.
        if response.rcode() != dns.rcode.REFUSED:
            reason = _error_text(response)
            if not reason:
                reason = "the name is delegated to name servers that are not here"
            return Resolution(dns.rcode.SERVFAIL, reason=reason)

        # Refused: no hosted zone has the name.
        address = self._control_plane.aws_names().get(canonical(name.to_text()))
        if address is None:
            reason = "no hosted zone holds the name, and the local cloud has no internet"
            return Resolution(dns.rcode.SERVFAIL, reason=reason)
        if rdtype != dns.rdatatype.A:
            return Resolution(dns.rcode.NOERROR)
        rrset = dns.rrset.from_text(name, ALIAS_TTL, "IN", "A", address)
        return Resolution(dns.rcode.NOERROR, (rrset,))


def resolve(name: Name, rdtype: RdataType, step: Step) -> Resolution:
    """Resolve a name, following CNAMEs from zone to zone."""
    answer: tuple[dns.rrset.RRset, ...] = ()
    for _ in range(_LONGEST_CHAIN):
        resolution = step(name, rdtype)
        if resolution.rcode == dns.rcode.SERVFAIL:
            return resolution
        answer += resolution.answer
        target = None if rdtype == dns.rdatatype.CNAME else _unresolved_target(resolution)
        if target is None:
            return Resolution(resolution.rcode, answer, resolution.authority)
        name = target
    return Resolution(
        dns.rcode.SERVFAIL, reason=f"more than {_LONGEST_CHAIN} CNAMEs, one after another"
    )


def _unresolved_target(resolution: Resolution) -> Name | None:
    """Return the name at which an answer ends with a CNAME, None when it is complete."""
    # With a SOA the answer is negative, whatever CNAMEs led there.
    if resolution.authority or not resolution.answer:
        return None
    last = resolution.answer[-1][0]
    return last.target if isinstance(last, CNAME) else None


def _values(resolution: Resolution, rdtype: RdataType) -> tuple[str, ...]:
    values: list[str] = []
    for rrset in resolution.answer:
        if rrset.rdtype == rdtype:
            values.extend(rdata.to_text() for rdata in rrset)
    return tuple(values)


def _error_text(response: Message) -> str:
    """Return the text of the response's extended DNS errors, empty without any."""
    errors = [option for option in response.options if isinstance(option, dns.edns.EDEOption)]
    return "; ".join(error.text for error in errors if error.text)


def _aged(rrsets: tuple[dns.rrset.RRset, ...], seconds: int) -> tuple[dns.rrset.RRset, ...]:
    return tuple(
        dns.rrset.from_rdata_list(rrset.name, rrset.ttl - seconds, list(rrset)) for rrset in rrsets
    )
