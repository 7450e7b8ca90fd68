"""How AWS is reached over DNS."""

import pytest

from deploytool.core.certificates.ports import DnsReply
from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import Nameserver
from deploytool.net import dns
from deploytool.targets.factory import open_target
from tests.targets.test_service import project_with


def test_the_first_resolver_that_answers_is_the_default_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A dead one before it would fail everything that asks the default resolver."""
    dead, alive = Nameserver("fe80::1", "fe80::1"), Nameserver("192.0.2.53", "192.0.2.53")

    def ask(
        self: dns.DnsClient,  # the method's signature
        server: Nameserver,
        name: str,  # the method's signature
        type_: str,  # the method's signature
        *,
        recurse: bool,  # the method's signature
    ) -> DnsReply:
        if server == dead:
            raise ProbeFailed("dns", "fe80::1: Network is unreachable")
        return DnsReply("NOERROR")

    monkeypatch.setattr(dns, "system_resolvers", lambda: [dead, alive])
    monkeypatch.setattr(dns.DnsClient, "ask", ask)
    with open_target(project_with("new"), local=False) as target:
        network = target.network
        assert network.resolvers[0] == alive
        assert dead not in network.resolvers
        assert network.left_out == {"fe80::1": "fe80::1: Network is unreachable"}
