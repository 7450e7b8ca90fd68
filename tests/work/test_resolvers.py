"""Which resolvers of a machine are used."""

from deploytool.core.certificates.ports import DnsReply
from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import Nameserver
from deploytool.simulated.executor import InlineExecutor
from deploytool.work.resolvers import Resolvers, that_answer

FIRST = Nameserver("fe80::1", "fe80::1")
SECOND = Nameserver("192.0.2.53", "192.0.2.53")
THIRD = Nameserver("192.0.2.54", "192.0.2.54")


class Dns:
    """Resolvers of which some cannot be reached. `asked` has the name of each that was asked."""

    def __init__(self, *dead: Nameserver, rcode: str = "NOERROR") -> None:
        self.dead = dead
        self.rcode = rcode
        self.asked: list[str] = []

    def ask(self, server: Nameserver, name: str, type_: str, *, recurse: bool) -> DnsReply:
        self.asked.append(server.name)
        if server in self.dead:
            raise ProbeFailed("dns", f"{server.name}: Network is unreachable")
        return DnsReply(self.rcode)


def test_a_resolver_that_cannot_be_reached_is_left_out() -> None:
    """An IPv6 resolver on a machine without IPv6 is normal. The others keep their order."""
    resolvers = that_answer(Dns(FIRST), InlineExecutor(), (FIRST, SECOND, THIRD))
    assert resolvers.used == (SECOND, THIRD)
    assert resolvers.left_out == {"fe80::1": "fe80::1: Network is unreachable"}


def test_an_error_of_the_resolver_is_an_answer() -> None:
    """SERVFAIL tells something about a name, and that the resolver is there."""
    dns = Dns(rcode="SERVFAIL")
    assert that_answer(dns, InlineExecutor(), (SECOND, THIRD)) == Resolvers((SECOND, THIRD))


def test_when_none_answers_all_are_kept() -> None:
    """What needs one then tells what each of them answered."""
    dns = Dns(SECOND, THIRD)
    assert that_answer(dns, InlineExecutor(), (SECOND, THIRD)) == Resolvers((SECOND, THIRD))


def test_a_single_resolver_is_not_asked() -> None:
    """Most machines have one, and the question would be one too many. Twice the same is one."""
    dns = Dns()
    assert that_answer(dns, InlineExecutor(), (SECOND, SECOND)) == Resolvers((SECOND,))
    assert dns.asked == []
