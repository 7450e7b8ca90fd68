"""The change guardrails that are on for every zone, and record set protections. Pure.

Sources: Developer Guide, "Change Guardrails for hosted zones" (NS_FORMAT_CHECK rejects an NS value
that looks like a Route 53 name server and is none; NS_DELEGATION_AUTHORITY_CHECK rejects, in a
public zone, a delegation to Route 53 name servers that are not authoritative for the subdomain),
since 2026-11-20; "Protecting records from changes", since 2026-11-12. Both reject the whole batch
with InvalidChangeBatch. The texts are our wording.
"""

import re
from collections.abc import Collection, Iterable, Iterator

from deploytool.core.route53.zone import HostedZone, RecordSet, canonical, labels

_NAME_SERVER = re.compile(r"ns-\d{1,4}\.awsdns-\d{1,2}\.(com|net|org|co\.uk)\.")
_LOOKS_LIKE_ONE = "awsdns"


def guardrail_problems(
    zone: HostedZone, record: RecordSet, zones: Iterable[HostedZone]
) -> Iterator[str]:
    """Yield what the guardrails find wrong with a record set that is created or changed.

    `zones` are the public zones that are known. On AWS those of other accounts count too.
    """
    if record.type != "NS":
        return

    servers = [canonical(value) for value in record.values]
    wrong = [
        server
        for server in servers
        if _LOOKS_LIKE_ONE in server and not _NAME_SERVER.fullmatch(server)
    ]
    for server in wrong:
        yield (
            f"NS_FORMAT_CHECK: NS record {record.name} has the value {server}, which looks like a"
            " Route 53 name server and is none"
        )

    is_delegation = labels(record.name) != labels(zone.name)
    if wrong or not is_delegation:
        return
    authoritative = {
        canonical(server)
        for child in zones
        if labels(child.name) == labels(record.name)
        for server in child.name_servers
    }
    for server in servers:
        if _NAME_SERVER.fullmatch(server) and server not in authoritative:
            yield (
                f"NS_DELEGATION_AUTHORITY_CHECK: NS record {record.name} delegates to {server},"
                f" which is not authoritative for {record.name}"
            )


def protection_problem(record: RecordSet, protections: Collection[tuple[str, str]]) -> str | None:
    """Return why a record set cannot be created, changed or deleted, or None.

    `protections` are the names and types that are protected.
    """
    if (canonical(record.name), record.type) not in protections:
        return None
    return (
        f"RRSet with DNS name {record.name}, type {record.type} has a record set protection:"
        " delete the protection before you change it"
    )
