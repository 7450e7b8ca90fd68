"""The search for a domain's name servers, by DNS alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from deploytool.core.certificates.ports import DnsReply
from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import DnsAnswer, Nameserver
from deploytool.core.route53.zone import DnsRecord
from deploytool.core.service.findings import ZoneServers
from deploytool.simulated.executor import InlineExecutor
from deploytool.work.name_servers import NameServerSearch

ALIVE, DEAD = Nameserver("alive", "192.0.2.1"), Nameserver("dead", "192.0.2.2")
DOMAIN = "api.dev.example.com"


@dataclass
class FakeDns:
    """DNS with these zones (their servers by name) and these addresses. One resolver is dead."""

    zones: Mapping[str, tuple[str, ...]]
    addresses: Mapping[str, str]

    def query(self, server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:
        self._require_alive(server)
        if name not in self.addresses:
            return DnsAnswer("NXDOMAIN", (), None)
        return DnsAnswer("NOERROR", (self.addresses[name],), 60)

    def ask(self, server: Nameserver, name: str, type_: str, *, recurse: bool) -> DnsReply:
        assert (type_, recurse) == ("NS", True)
        self._require_alive(server)
        if name not in self.zones:
            return DnsReply("NXDOMAIN")
        return DnsReply(
            "NOERROR", tuple(DnsRecord(f"{name}.", "NS", f"{ns}.") for ns in self.zones[name])
        )

    def _require_alive(self, server: Nameserver) -> None:
        if server == DEAD:
            raise ProbeFailed("timeout", "dead did not answer")


def search(dns: FakeDns, *resolvers: Nameserver) -> ZoneServers:
    """Search through these resolvers. Name servers listen on port 5300."""
    return NameServerSearch(dns, InlineExecutor(), resolvers, lambda _: 5300).find(DOMAIN)


NESTED = FakeDns(
    {"example.com": ("ns.parent.net",), "dev.example.com": ("ns-2.aws.net", "ns-1.aws.net")},
    {"ns-1.aws.net": "198.51.100.1", "ns-2.aws.net": "198.51.100.2"},
)


@pytest.mark.parametrize("resolvers", [(ALIVE,), (DEAD, ALIVE), (ALIVE, DEAD)])
def test_the_zone_with_the_longest_name_counts(resolvers: tuple[Nameserver, ...]) -> None:
    """A dead resolver changes nothing while another one answers."""
    assert search(NESTED, *resolvers) == ZoneServers(
        "dev.example.com",
        (
            Nameserver("ns-1.aws.net", "198.51.100.1", 5300),
            Nameserver("ns-2.aws.net", "198.51.100.2", 5300),
        ),
    )


def test_a_server_without_an_address_is_named() -> None:
    """The others are asked all the same."""
    found = search(FakeDns(NESTED.zones, {"ns-1.aws.net": "198.51.100.1"}), ALIVE)
    assert [server.name for server in found.servers] == ["ns-1.aws.net"]
    assert found.failures == {"ns-2.aws.net": "no resolver knows its address"}


def test_without_a_zone_each_resolver_tells_why() -> None:
    """The domain is not registered, or no resolver answers."""
    found = search(FakeDns({}, {}), ALIVE, DEAD)
    assert found == ZoneServers(failures={"alive": "NXDOMAIN", "dead": "dead did not answer"})
