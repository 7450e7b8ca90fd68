"""The checks of this machine: its resolvers and its clock."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from deploytool.core.certificates.ports import DnsRecords
from deploytool.core.doctor.finding import Finding, Topic
from deploytool.core.doctor.machine import judge_clock, judge_resolvers
from deploytool.core.errors import DeploytoolError
from deploytool.core.ports import Executor, Nameserver
from deploytool.work.resolvers import failure_of
from deploytool.work.tasks import for_each


def check_resolvers(
    dns: DnsRecords, executor: Executor, resolvers: Callable[[], Sequence[Nameserver]]
) -> Iterator[Finding]:
    """Ask every resolver of this machine once, all at the same time."""
    try:
        distinct = tuple(dict.fromkeys(resolvers()))
    except DeploytoolError as error:
        topic = Topic("resolvers", "resolvers")
        yield topic.problem(str(error), "name one in /etc/resolv.conf")
        return
    failures = for_each(executor, partial(failure_of, dns), distinct)
    yield judge_resolvers({resolver.name: failures[resolver] for resolver in distinct})


def check_clock(difference: Callable[[], float]) -> Iterator[Finding]:
    """Compare the clock with that of AWS; `difference` is in seconds, positive when AWS is ahead."""
    yield judge_clock(difference())
