"""The text of the events about certificates and the hosted zone, with rich's markup."""

from typing import assert_never

from deploytool.core.certificates.certificate import zone_file_line
from deploytool.core.stacks.events import (
    CertificateDoubtful,
    CertificateEvents,
    CertificateFailed,
    CertificatePending,
    DelegationMissing,
    RecordsKept,
    RecordsNeeded,
    RecordsRemoved,
    ZoneDeleted,
)
from deploytool.render.text import escape


def certificate_text(event: CertificateEvents) -> str:
    """Describe an event. The text has several lines where it has records to copy."""
    match event:
        case DelegationMissing(_, _, domain, servers, problem, waited, precaution):
            text = (
                f"waits {waited:.0f} s for the delegation: {problem}."
                f" At the registrar of {domain}, or in its parent's zone, set its NS records to"
                f" {', '.join(servers)}. This run then continues by itself."
            )
            if precaution:
                text += f" Before that: {precaution}."
        case CertificateDoubtful(_, _, text):
            pass
        case CertificatePending(_, _, domain, name, value, problem, waited):
            text = (
                f"pending {waited:.0f} s: ACM looks for {name} CNAME {value} ({domain}): {problem}"
            )
        case CertificateFailed(_, _, domain, reason):
            return f"[red]ACM gave up on the certificate of {domain}: {escape(reason)}[/]"
        case RecordsNeeded(_, _, records):
            lines = ["create these records where the domain's DNS is hosted:"]
            lines += [zone_file_line(record) for record in records]
            text = "\n".join(lines)
        case RecordsRemoved(_, zone, names):
            return f"deleted from {zone}, left there by earlier certificates: {', '.join(names)}"
        case RecordsKept(_, zone, names, reason):
            text = f"{', '.join(names)} stays in {zone}: {reason}"
        case ZoneDeleted(_, zone):
            return f"hosted zone {zone} deleted"
        case _:
            assert_never(event)
    return f"[yellow]{escape(text)}[/]"
