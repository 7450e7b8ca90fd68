"""Leaves out the resolvers of this machine that do not answer.

A machine's resolv.conf may list a resolver that it cannot reach, like one with an IPv6 address on a
machine without IPv6. The system then asks the next one, and so does this tool.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from deploytool.core.certificates.ports import DnsRecords
from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import Executor, Nameserver
from deploytool.core.service.findings import Failure
from deploytool.work.tasks import for_each

# Every resolver knows the name servers of the root.
_NAME, _TYPE = ".", "NS"


@dataclass(frozen=True)
class Resolvers:
    """The resolvers to use, in their order, and why each of the others is left out, by its name."""

    used: tuple[Nameserver, ...]
    left_out: Mapping[str, Failure] = field(default_factory=dict)


def that_answer(dns: DnsRecords, executor: Executor, resolvers: Sequence[Nameserver]) -> Resolvers:
    """Ask every resolver once, all at the same time, and leave out those that do not answer.

    An answer of any kind counts. A single resolver is not asked. When none answers, all are kept:
    what needs one then says why it has no answer.
    """
    distinct = tuple(dict.fromkeys(resolvers))
    if len(distinct) < 2:
        return Resolvers(distinct)

    failures = for_each(executor, partial(failure_of, dns), distinct)
    answering = tuple(resolver for resolver in distinct if not failures[resolver])
    if not answering:
        return Resolvers(distinct)
    left_out = {resolver.name: failures[resolver] for resolver in distinct if failures[resolver]}
    return Resolvers(answering, left_out)


def failure_of(dns: DnsRecords, resolver: Nameserver) -> Failure:
    """Return why a resolver does not answer, "" when it does."""
    try:
        dns.ask(resolver, _NAME, _TYPE, recurse=True)
    except ProbeFailed as error:
        return str(error)
    return ""
