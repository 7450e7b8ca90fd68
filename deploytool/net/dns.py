"""DNS queries with dnspython: one question to one server."""

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

# Seconds of wall time; Route 53 answers in milliseconds, and a lost datagram is one failed probe
TIMEOUT = 2.0


class DnsClient:
    """The Dns port, and the DnsRecords port."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout

    def query(self, server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:
        """Ask for the IPv4 addresses of a name, by UDP (by TCP when the answer is truncated) or by
        TCP.

        A CNAME in the answer is followed as far as the answer itself goes. Raises ProbeFailed:
        timeout, refused or dns.
        """
        return _answer(
            self._exchange(server, dns.message.make_query(name, dns.rdatatype.A), tcp=tcp)
        )

    def ask(self, server: Nameserver, name: str, type_: str, *, recurse: bool) -> DnsReply:
        """The DnsRecords port: ask for records of a type, with RD when the server shall `recurse`,
        by UDP and if need be TCP.

        Raises ProbeFailed: timeout, refused or dns.
        """
        question = dns.message.make_query(
            name, type_, flags=dns.flags.RD if recurse else dns.flags.Flag(0)
        )
        reply = self._exchange(server, question, tcp=False)
        return DnsReply(
            dns.rcode.to_text(reply.rcode()), _records(reply.answer), _records(reply.authority)
        )

    def _exchange(
        self, server: Nameserver, question: dns.message.Message, *, tcp: bool
    ) -> dns.message.Message:
        try:
            if tcp:
                answer = dns.query.tcp(
                    question, server.address, timeout=self._timeout, port=server.port
                )
            else:
                answer, _ = dns.query.udp_with_fallback(
                    question, server.address, timeout=self._timeout, port=server.port
                )
        except dns.exception.Timeout as error:
            raise ProbeFailed(
                "timeout", f"{server.name} ({server.address}) did not answer in {self._timeout:g} s"
            ) from error
        except ConnectionRefusedError as error:
            raise ProbeFailed(
                "refused", f"{server.name} ({server.address}) refuses connections"
            ) from error
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise ProbeFailed("dns", f"{server.name} ({server.address}): {error}") from error
        return answer


def _answer(message: dns.message.Message) -> DnsAnswer:
    addresses: list[str] = []
    ttls: list[int] = []
    for rrset in message.answer:
        ttls.append(rrset.ttl)
        if rrset.rdtype == dns.rdatatype.A:
            addresses += [str(each) for each in rrset]
    return DnsAnswer(dns.rcode.to_text(message.rcode()), tuple(addresses), min(ttls, default=None))


def _records(section: Sequence[dns.rrset.RRset]) -> tuple[DnsRecord, ...]:
    return tuple(
        DnsRecord(str(rrset.name).lower(), dns.rdatatype.to_text(rrset.rdtype), rdata.to_text())
        for rrset in section
        for rdata in rrset
    )


def system_resolvers() -> Sequence[Nameserver]:
    """The resolvers that this machine is set up with. Raises DeploytoolError when it has none."""
    try:
        found = dns.resolver.Resolver().nameservers
    except dns.resolver.NoResolverConfiguration as error:
        raise DeploytoolError(f"this machine has no DNS resolver: {error}") from error
    return [Nameserver(str(each), str(each)) for each in found]
