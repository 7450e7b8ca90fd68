"""DNS queries with dnspython: each is one question to one server."""

from collections.abc import Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.rrset

from deploytool.core.certificates.ports import DnsReply
from deploytool.core.errors import DeploytoolError, ProbeFailed
from deploytool.core.ports import DnsAnswer, Nameserver
from deploytool.core.route53.zone import DnsRecord

# In seconds of wall time. Route 53 answers in milliseconds, so a longer wait means a lost datagram.
TIMEOUT = 2.0


class DnsClient:
    """The Dns port, and the DnsRecords port."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout

    def query(self, server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:
        """Ask for the IPv4 addresses of a name, with `tcp` by TCP, else by UDP.

        After a truncated answer by UDP the question is repeated by TCP. A CNAME is followed only
        within the answer. Raises ProbeFailed: timeout, refused or dns.
        """
        question = dns.message.make_query(name, dns.rdatatype.A)
        return answer_of(self._exchange(server, question, tcp=tcp))

    def ask(self, server: Nameserver, name: str, type_: str, *, recurse: bool) -> DnsReply:
        """Ask for the records of a type, by UDP, and by TCP when that answer is truncated.

        `recurse` sets the flag RD, which asks the server to resolve the name. Raises ProbeFailed:
        timeout, refused or dns.
        """
        question = dns.message.make_query(name, type_, flags=dns.flags.Flag(0))
        if recurse:
            question.flags |= dns.flags.RD
        reply = self._exchange(server, question, tcp=False)
        rcode = dns.rcode.to_text(reply.rcode())
        return DnsReply(rcode, _records(reply.answer), _records(reply.authority))

    def _exchange(
        self, server: Nameserver, question: dns.message.Message, *, tcp: bool
    ) -> dns.message.Message:
        name = f"{server.name} ({server.address})"
        exchange = dns.query.tcp if tcp else _udp_with_fallback
        try:
            return exchange(question, server.address, timeout=self._timeout, port=server.port)
        except dns.exception.Timeout as error:
            message = f"{name} did not answer in {self._timeout:g} s"
            raise ProbeFailed("timeout", message) from error
        except ConnectionRefusedError as error:
            raise ProbeFailed("refused", f"{name} refuses connections") from error
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise ProbeFailed("dns", f"{name}: {error}") from error


def _udp_with_fallback(
    question: dns.message.Message, address: str, *, timeout: float, port: int
) -> dns.message.Message:
    """Ask by UDP, and by TCP when the answer is truncated."""
    answer, _used_tcp = dns.query.udp_with_fallback(question, address, timeout=timeout, port=port)
    return answer


def answer_of(message: dns.message.Message) -> DnsAnswer:
    """Return the addresses of a reply, and the shortest TTL of its answer section."""
    addresses: list[str] = []
    ttls: list[int] = []
    cname = ""
    for rrset in message.answer:
        ttls.append(rrset.ttl)
        if rrset.rdtype == dns.rdatatype.A:
            addresses += [str(rdata) for rdata in rrset]
        elif rrset.rdtype == dns.rdatatype.CNAME:
            # The records of a chain are in its order (RFC 1034 section 4.3.2)
            cname = str(rrset[0].to_text())
    rcode = dns.rcode.to_text(message.rcode())
    return DnsAnswer(
        rcode, tuple(addresses), min(ttls, default=None), cname="" if addresses else cname
    )


def _records(section: Sequence[dns.rrset.RRset]) -> tuple[DnsRecord, ...]:
    records: list[DnsRecord] = []
    for rrset in section:
        name = str(rrset.name).lower()
        type_ = dns.rdatatype.to_text(rrset.rdtype)
        records += [DnsRecord(name, type_, rdata.to_text()) for rdata in rrset]
    return tuple(records)


def system_resolvers() -> Sequence[Nameserver]:
    """Return the resolvers of this machine. Raises DeploytoolError when it has none."""
    try:
        addresses = dns.resolver.Resolver().nameservers
    except dns.resolver.NoResolverConfiguration as error:
        raise DeploytoolError(f"this machine has no DNS resolver: {error}") from error
    return [Nameserver(str(address), str(address)) for address in addresses]
