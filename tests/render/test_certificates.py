"""The events of certificates as lines."""

import pytest
from rich.console import Console

from deploytool.core.project.graph import NodeId
from deploytool.core.route53.zone import DnsRecord
from deploytool.core.stacks.events import (
    CertificateDoubtful,
    CertificateFailed,
    CertificatePending,
    DelegationMissing,
    Event,
    RecordsNeeded,
    RecordsRemoved,
    ZoneDeleted,
)
from deploytool.render.run.lines import line_of

NODE = NodeId("certificate", "us-east-1")
RECORDS = (DnsRecord("_a.b.", "CNAME", "_c.d."), DnsRecord("_e.b.", "CNAME", "_f.d."))
EVENTS = [
    (
        DelegationMissing(12.0, NODE, "a.b", ("ns1.x", "ns2.x"), "the parent [b.] says no", 2.4),
        "certificate@us-east-1 waits 2 s for the delegation: the parent [b.] says no. At the registrar of a.b,",
    ),
    (
        DelegationMissing(12.0, NODE, "a.b", ("ns1.x",), "it points elsewhere", 0.0, "copy it"),
        "This run then continues by itself. Before that: copy it.",
    ),
    (CertificateDoubtful(12.0, NODE, "doubt"), "certificate@us-east-1 doubt"),
    (
        CertificatePending(12.0, NODE, "a.b", "_a.b.", "_c.d.", "it is not there", 13.2),
        "certificate@us-east-1 pending 13 s: ACM looks for _a.b. CNAME _c.d. (a.b): it is not there",
    ),
    (
        CertificateFailed(12.0, NODE, "a.b", "CAA_ERROR"),
        "certificate@us-east-1 ACM gave up on the certificate of a.b: CAA_ERROR",
    ),
    (
        RecordsNeeded(12.0, NODE, RECORDS),
        "_a.b. 300 IN CNAME _c.d.\n" + " " * 33 + "_e.b. 300 IN CNAME _f.d.",
    ),
    (
        RecordsRemoved(12.0, "Z1", ("_a.b.",)),
        "deleted from Z1, left there by earlier certificates: _a.b.",
    ),
    (ZoneDeleted(12.0, "a.b. (Z1)"), "hosted zone a.b. (Z1) deleted"),
]


def text_of(renderable: object) -> str:
    console = Console(width=400, no_color=True)
    with console.capture() as capture:
        console.print(renderable, soft_wrap=isinstance(renderable, str))
    return capture.get()


@pytest.mark.parametrize(
    ("event", "text"), EVENTS, ids=[type(event).__name__ for event, _ in EVENTS]
)
def test_lines(event: Event, text: str) -> None:
    """Each event is a line that begins with the time since the start.

    Brackets in it are shown, and every record is on a line of its own, to copy.
    """
    line = text_of(line_of(event, 10.0, 21))
    assert line.startswith("    2.0 s  ")
    assert text in line
