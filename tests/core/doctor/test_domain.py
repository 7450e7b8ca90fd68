"""What is said of the domain of a stage."""

import pytest

from deploytool.core.certificates.ports import DnsReply, ZoneInfo
from deploytool.core.doctor.domain import (
    StageZone,
    judge_caa,
    judge_delegation,
    judge_parent,
    judge_soa,
    judge_zone,
)
from deploytool.core.doctor.finding import Status
from deploytool.core.route53.delegation import (
    CaaForbids,
    Delegated,
    NotDelegated,
    Parent,
    ParentAnswer,
    ParentUnreachable,
    PartlyDelegated,
    PointsElsewhere,
    Verdict,
)
from deploytool.core.route53.zone import DnsRecord

DOMAIN = "dev.example.com"
OURS, OTHER = "ns-1.awsdns-1.com.", "ns1.other.net."
ZONE = ZoneInfo("Z1", f"{DOMAIN}.", (OURS,))
HERE, LATER, ELSEWHERE = StageZone(ZONE), StageZone(planned=f"{DOMAIN}."), StageZone()


@pytest.mark.parametrize(
    ("zone", "text"),
    [(HERE, "is Z1"), (LATER, "deploy creates it"), (ELSEWHERE, "hosted elsewhere")],
)
def test_a_zone(zone: StageZone, text: str) -> None:
    """It exists, will exist, or is none of ours."""
    finding = judge_zone("dev", DOMAIN, zone)
    assert finding.status is Status.OK
    assert text in finding.message


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Delegated(), Status.OK),
        (PartlyDelegated("com.", "a.", (OTHER,)), Status.WARNING),
        (NotDelegated("com.", "a."), Status.PROBLEM),
        (PointsElsewhere("com.", "a.", (OTHER,)), Status.PROBLEM),
        (ParentUnreachable("com.", "timed out"), Status.NOT_CHECKED),
    ],
)
def test_a_delegation(verdict: Verdict, status: Status) -> None:
    """The fix names the servers of the zone, and what to save before."""
    finding = judge_delegation("dev", DOMAIN, verdict, "what the parent says", (OURS,))
    assert finding.status is status
    if status in (Status.WARNING, Status.PROBLEM):
        assert "set the NS records of dev.example.com to ns-1.awsdns-1.com" in finding.hint
    assert ("Before that" in finding.hint) is isinstance(verdict, PartlyDelegated | PointsElsewhere)


@pytest.mark.parametrize(
    ("names", "status"), [((), Status.OK), ((OTHER,), Status.WARNING), (None, Status.NOT_CHECKED)]
)
def test_the_parent_of_a_zone_that_is_not_there_yet(
    names: tuple[str, ...] | None, status: Status
) -> None:
    """Servers that answer for the domain today will not be asked any more."""
    answers = () if names is None else (ParentAnswer("a.", names),)
    assert judge_parent("dev", DOMAIN, Parent("com.", answers)).status is status


def test_caa() -> None:
    """Records without Amazon are a problem, unreadable ones a warning."""
    forbidden = [CaaForbids(DOMAIN, "example.com.", ("letsencrypt.org",))]
    assert judge_caa("dev", (), (), ()).status is Status.OK
    assert judge_caa("dev", (DOMAIN,), (), ()).status is Status.OK
    assert judge_caa("dev", (DOMAIN,), (), ("SERVFAIL",)).status is Status.WARNING
    finding = judge_caa("dev", (DOMAIN,), forbidden, ("SERVFAIL",))
    assert finding.status is Status.PROBLEM
    assert finding.hint == 'add the CAA record 0 issue "amazon.com" to example.com'


def reply(rcode: str, *owners: str) -> DnsReply:
    return DnsReply(rcode, authority=tuple(DnsRecord(owner, "SOA", "...") for owner in owners))


@pytest.mark.parametrize(
    ("answer", "zone", "status"),
    [
        (reply("NOERROR", "dev.example.com."), HERE, Status.OK),
        (reply("NXDOMAIN", "example.com."), LATER, Status.OK),
        # The resolver keeps the old answer, or nobody has delegated the zone
        (reply("NXDOMAIN", "example.com."), HERE, Status.WARNING),
        (reply("NOERROR"), LATER, Status.WARNING),
        # Nobody has registered example.com
        (reply("NXDOMAIN", "com."), LATER, Status.PROBLEM),
        (reply("NXDOMAIN", "."), LATER, Status.PROBLEM),
        (reply("SERVFAIL"), HERE, Status.PROBLEM),
    ],
)
def test_what_the_resolver_sees(answer: DnsReply, zone: StageZone, status: Status) -> None:
    """The SOA record tells which zone answers for the domain."""
    finding = judge_soa("dev", DOMAIN, answer, zone)
    assert finding.status is status
    assert bool(finding.hint) is (status is not Status.OK)
