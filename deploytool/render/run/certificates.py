"""What the events of certificates say, as text with rich's markup."""

from rich.markup import escape

from deploytool.core.certificates.certificate import zone_file_line
from deploytool.core.stacks.events import (
    CertificateDoubtful,
    CertificateEvents,
    CertificateFailed,
    CertificatePending,
    DelegationMissing,
    RecordsNeeded,
    RecordsRemoved,
    ZoneDeleted,
)


def certificate_words(event: CertificateEvents) -> str:
    """What an event says; several lines for records to copy."""
    match event:
        case DelegationMissing(_, _, domain, servers, found, waited):
            todo = f"At the registrar of {domain}, or in its parent's zone, set its NS records to {', '.join(servers)}."
            words = f"waits {waited:.0f} s for the delegation: {found}. {todo} This run goes on by itself."
        case CertificateDoubtful(words=words):
            pass
        case CertificatePending(_, _, domain, name, value, found, waited):
            words = (
                f"pending {waited:.0f} s: ACM looks for {name} CNAME {value} ({domain}): {found}"
            )
        case CertificateFailed(_, _, domain, reason):
            return f"[red]ACM gave up on the certificate of {domain}: {escape(reason)}[/]"
        case RecordsNeeded(_, _, records):
            words = "\n".join(
                [
                    "create these records where the domain's DNS is hosted:",
                    *map(zone_file_line, records),
                ]
            )
        case RecordsRemoved(_, zone, names):
            return (
                f"{', '.join(names)}: deleted from {zone}, left there by certificates that are gone"
            )
        case ZoneDeleted(_, zone):
            return f"hosted zone {zone} deleted"
    return f"[yellow]{escape(words)}[/]"


def certificate_line(event: CertificateEvents, started: float, width: int) -> str:
    """An event as a line of a log; `started` is the run's start, `width` that of the stacks'
    names.
    """
    where = "" if isinstance(event, RecordsRemoved | ZoneDeleted) else str(event.node)
    return f"{event.at - started:7.1f} s  {where:{width}} {certificate_words(event)}".replace(
        "\n", f"\n{'':{width + 12}}"
    )
