"""Record sets, whose values are text as in Route 53, as dnspython's RRsets."""

from collections.abc import Sequence

import dns.exception
import dns.name
import dns.rdata
import dns.rrset
from dns.rdtypes.ANY.SOA import SOA

from deploytool.core.route53.zone import HostedZone, NotSupported, soa


def to_rrset(owner: dns.name.Name, type_: str, ttl: int, values: Sequence[str]) -> dns.rrset.RRset:
    """Return an RRset of these values.

    Names in the values are absolute, with or without a final dot, as in Route 53. Raises
    NotSupported for a value that is not valid for the type.
    """
    rdatas = []
    try:
        for value in values:
            rdata = dns.rdata.from_text("IN", type_, value, origin=dns.name.root, relativize=False)
            rdatas.append(rdata)
    except dns.exception.DNSException as error:
        raise NotSupported(
            f"{owner} {type_}: not a valid value among {', '.join(values)}: {error}"
        ) from error
    return dns.rrset.from_rdata_list(owner, ttl, rdatas)


def negative_soa(zone: HostedZone) -> dns.rrset.RRset:
    """Return the zone's SOA as a negative answer has it.

    Its TTL is the time for which the answer may be cached (RFC 2308 section 3).
    """
    record = soa(zone)
    rrset = to_rrset(dns.name.from_text(zone.name), "SOA", record.ttl or 0, record.values)
    rdata = rrset[0]
    rrset.ttl = min(rrset.ttl, rdata.minimum) if isinstance(rdata, SOA) else 0
    return rrset
