"""The queries of a domain's parent."""

from dataclasses import replace

import pytest

from deploytool.core.certificates.ports import CertificatePorts, DnsReply
from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import Nameserver
from deploytool.core.route53.delegation import Parent, ParentAnswer
from deploytool.core.route53.zone import DnsRecord
from deploytool.work.certificates.parent import query_parent
from tests.work.certificates.world import DOMAIN, OURS


class ReferralLoop:
    """Servers of `com.` and `example.com.` that refer to each other."""

    def ask(self, server: Nameserver, name: str, type_: str, *, recurse: bool) -> DnsReply:
        """Answer like a resolver, or refer to the other zone."""
        if recurse:
            return DnsReply("NOERROR", (DnsRecord(name, "NS", f"ns.{name}"),))
        zone = "com." if server.name == "ns.example.com" else "example.com."
        return DnsReply("NOERROR", authority=(DnsRecord(zone, "NS", f"ns.{zone}"),))


def test_the_nearest_parent_answers(ports: CertificatePorts) -> None:
    """Referrals are followed from the zone that the resolver knows to the nearest parent."""
    answer = ParentAnswer("ns.example.", (OURS,))
    assert query_parent(ports, DOMAIN) == Parent("example.com.", (answer,))


class Refusing:
    """A resolver that does not reply, or servers that refuse every query."""

    def __init__(self, *, resolver_replies: bool) -> None:
        self.resolver_replies = resolver_replies

    def ask(self, server: Nameserver, name: str, type_: str, *, recurse: bool) -> DnsReply:
        """Answer like a resolver, or refuse."""
        if not recurse:
            return DnsReply("REFUSED")
        if not self.resolver_replies:
            raise ProbeFailed("timeout", "the resolver did not answer")
        return DnsReply("NOERROR", (DnsRecord(name, "NS", f"ns.{name}"),))


@pytest.mark.parametrize(
    ("resolver_replies", "error"),
    [(True, "ns.example.com. answers REFUSED"), (False, "the resolver did not answer")],
)
def test_a_parent_without_answers(
    ports: CertificatePorts, resolver_replies: bool, error: str
) -> None:
    """When nobody answers, the parent is known by its name only, with the reason."""
    refusing = Refusing(resolver_replies=resolver_replies)
    parent = query_parent(replace(ports, dns=refusing), DOMAIN)
    assert (parent.zone, parent.answers) == ("example.com.", ())
    assert error in parent.errors[0]


def test_a_referral_loop_ends(ports: CertificatePorts) -> None:
    """Servers that refer to each other give no answer, and the reason says so."""
    parent = query_parent(replace(ports, dns=ReferralLoop()), DOMAIN)
    assert parent.answers == ()
    assert parent.errors == ("more than 6 referrals",)
