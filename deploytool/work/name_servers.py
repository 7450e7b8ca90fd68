"""Finds the name servers of the zone that holds a domain, by DNS alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from deploytool.core.certificates.ports import DnsRecords, DnsReply
from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import Dns, DnsAnswer, Executor, Nameserver
from deploytool.core.route53.zone import ancestors, canonical
from deploytool.core.service.findings import Failure, ZoneServers
from deploytool.work.tasks import for_each

Question = tuple[Nameserver, str]  # a resolver, and the name that it is asked for


class SearchDns(Dns, DnsRecords, Protocol):
    """DNS queries for addresses and for records of any type."""


@dataclass(frozen=True)
class NameServerSearch:
    """Finds name servers through recursive resolvers.

    All resolvers are asked at the same time, so a dead one delays nothing but itself. `port_of`
    returns the port of a name server by its name.
    """

    dns: SearchDns
    executor: Executor
    resolvers: tuple[Nameserver, ...]
    port_of: Callable[[str], int]

    def find(self, domain: str) -> ZoneServers:
        """Return the name servers of the longest zone that holds a domain.

        A server whose name has no address is a failure of its own. Without any zone, each resolver
        has the failure that tells what it answered for the domain.
        """
        # Nobody hosts a zone of a top-level domain for an API
        names = [".".join(labels) for labels in ancestors(domain) if len(labels) >= 2]
        replies = self._ask_everywhere(names)

        for name in names:
            for resolver in self.resolvers:
                servers = _servers_in(replies[resolver, name], name)
                if servers:
                    return self._locate(name, servers)

        failures: dict[str, Failure] = {}
        for resolver in self.resolvers:
            reply = replies[resolver, names[0]]
            failures[resolver.name] = reply if isinstance(reply, str) else reply.rcode
        return ZoneServers("", (), failures)

    def _ask_everywhere(self, names: Sequence[str]) -> Mapping[Question, DnsReply | Failure]:
        questions = [(resolver, name) for resolver in self.resolvers for name in names]
        return for_each(self.executor, self._ask, questions)

    def _ask(self, question: Question) -> DnsReply | Failure:
        resolver, name = question
        try:
            return self.dns.ask(resolver, name, "NS", recurse=True)
        except ProbeFailed as error:
            return str(error)

    def _locate(self, zone: str, names: Sequence[str]) -> ZoneServers:
        questions = [(resolver, name) for resolver in self.resolvers for name in names]
        answers = for_each(self.executor, partial(_addresses, self.dns), questions)

        servers: list[Nameserver] = []
        failures: dict[str, Failure] = {}
        for name in names:
            addresses: list[str] = []
            for resolver in self.resolvers:
                addresses.extend(answers[resolver, name])
            if addresses:
                servers.append(Nameserver(name, addresses[0], self.port_of(name)))
            else:
                failures[name] = "no resolver knows its address"
        return ZoneServers(zone, tuple(servers), failures)


def _servers_in(reply: DnsReply | Failure, zone: str) -> list[str]:
    """Return the names of the servers that a reply gives for exactly this zone, sorted."""
    if isinstance(reply, Failure):
        return []
    names: set[str] = set()
    for record in reply.answer:
        if record.type == "NS" and record.name == canonical(zone):
            names.add(record.value.rstrip(".").lower())
    return sorted(names)


def _addresses(dns: Dns, question: Question) -> tuple[str, ...]:
    resolver, name = question
    try:
        answer: DnsAnswer = dns.query(resolver, name)
    except ProbeFailed:
        # The name has a failure of its own when no resolver knows it
        return ()
    return answer.addresses
