"""Hosted zones: the zone that a name is in, and the lookup of a name and type in a zone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploytool.core.route53.zone import (
    Cname,
    Found,
    HostedZone,
    Lookup,
    NoData,
    NotSupported,
    NxDomain,
    RecordSet,
    Referral,
    canonical,
    find_zone,
    labels,
    lookup,
    soa,
)

SOA = RecordSet(
    "example.com.",
    "SOA",
    900,
    ("ns-1.awsdns-01.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",),
)
NS = RecordSet("example.com.", "NS", 172800, ("ns-1.awsdns-01.com.",))
WWW = RecordSet("www.example.com.", "A", 60, ("192.0.2.1",))
ALIAS = RecordSet("blog.example.com.", "CNAME", 60, ("www.example.com",))
DEEP = RecordSet("a.b.deep.example.com.", "A", 60, ("192.0.2.2",))
CHILD = RecordSet("child.example.com.", "NS", 60, ("ns.elsewhere.net.",))
GRANDCHILD = RecordSet("grand.child.example.com.", "NS", 60, ("ns.elsewhere.net.",))
STAR = RecordSet("\\052.wild.example.com.", "A", 60, ("192.0.2.3",))
UNDER_STAR = RecordSet("x.here.wild.example.com.", "A", 60, ("192.0.2.4",))
ZONE = HostedZone(
    "Z1",
    "example.com.",
    ("ns-1.awsdns-01.com.",),
    (SOA, NS, WWW, ALIAS, DEEP, CHILD, GRANDCHILD, STAR, UNDER_STAR),
)


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        pytest.param("www.example.com.", "A", Found((WWW,)), id="a record"),
        pytest.param("WWW.Example.COM", "A", Found((WWW,)), id="upper case, no final dot"),
        pytest.param("example.com.", "NS", Found((NS,)), id="the apex's own NS"),
        pytest.param("www.example.com.", "AAAA", NoData(), id="nothing of the type"),
        pytest.param("blog.example.com.", "A", Cname((ALIAS,)), id="a CNAME for another type"),
        pytest.param("blog.example.com.", "CNAME", Found((ALIAS,)), id="a query for CNAME"),
        pytest.param("b.deep.example.com.", "A", NoData(), id="an empty non-terminal"),
        pytest.param("deep.example.com.", "A", NoData(), id="an empty non-terminal above it"),
        pytest.param("nothing.example.com.", "A", NxDomain(), id="no such name"),
        pytest.param("below.www.example.com.", "A", NxDomain(), id="no such name below a record"),
        pytest.param("child.example.com.", "A", Referral(CHILD), id="at a delegation"),
        pytest.param("child.example.com.", "NS", Referral(CHILD), id="the delegation's NS"),
        pytest.param("x.y.child.example.com.", "A", Referral(CHILD), id="below a delegation"),
        pytest.param(
            "grand.child.example.com.",
            "A",
            Referral(CHILD),
            id="the delegation nearest to the apex",
        ),
        pytest.param("child.example.com.", "DS", NoData(), id="DS belongs to the parent"),
        pytest.param("x.wild.example.com.", "A", Found((STAR,)), id="a wildcard"),
        pytest.param("x.y.wild.example.com.", "A", Found((STAR,)), id="a wildcard over two labels"),
        pytest.param(
            "x.wild.example.com.", "TXT", NoData(), id="a wildcard has nothing of the type"
        ),
        pytest.param("*.wild.example.com.", "A", Found((STAR,)), id="the wildcard itself"),
        pytest.param("wild.example.com.", "A", NoData(), id="a wildcard does not cover its parent"),
        pytest.param(
            "here.wild.example.com.",
            "A",
            NoData(),
            id="a wildcard does not cover a name that exists",
        ),
        pytest.param(
            "y.here.wild.example.com.",
            "A",
            NxDomain(),
            id="a wildcard does not cover names below a name that exists",
        ),
        pytest.param(
            "y\\.child.example.com.",
            "A",
            NxDomain(),
            id="a dot after a backslash separates no labels",
        ),
    ],
)
def test_lookup(name: str, type_: str, expected: Lookup) -> None:
    """A lookup gives record sets, a CNAME, a referral, no data or no such name, as the RFCs say."""
    assert lookup(ZONE, name, type_) == expected


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["a", "b", "*", "x", "www", "deep", "wild", "child", "here", "\\."]),
        max_size=5,
    )
)
def test_every_lookup_has_an_outcome(below: list[str]) -> None:
    """The lookup of any name within the zone has one of the five outcomes."""
    assert isinstance(lookup(ZONE, ".".join([*below, "example.com."]), "A"), Lookup)


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("www.example.com.", "Z1"),
        ("example.com", "Z1"),
        ("x.dev.example.com.", "Z2"),
        ("dev.EXAMPLE.com.", "Z2"),
        ("notexample.com.", None),
        ("com.", None),
        (".", None),
        ("v.twice.org.", "new"),
    ],
)
def test_find_zone(name: str, id_: str | None) -> None:
    """A name is in the zone with the longest name above it, the last of two with the same name."""
    names = {
        "old": "twice.org.",
        "Z1": "example.com.",
        "Z2": "dev.example.com.",
        "new": "twice.org.",
    }
    zone = find_zone(
        [HostedZone(zone_id, zone_name, (), ()) for zone_id, zone_name in names.items()], name
    )
    assert (zone.id if zone else None) == id_


def test_names() -> None:
    """Names are compared in lower case with a final dot; labels keep escaped dots.

    Route 53's escape of an asterisk is compared as an asterisk.
    """
    assert canonical("\\052.Example.com") == "*.example.com."
    assert labels(".") == ()
    assert labels("a\\.b.example.com.") == ("a\\.b", "example", "com")


def test_root_zone() -> None:
    """Every name is in a zone for the root."""
    root = HostedZone("Z0", ".", (), (SOA,))
    assert find_zone([root], "anything.at.all.") is root
    assert lookup(root, "anything.at.all.", "A") == NxDomain()


def test_soa() -> None:
    """A zone without a SOA record set is refused by name, because negative answers need it."""
    assert soa(ZONE) == SOA
    with pytest.raises(NotSupported, match=r"Z9 \(empty\.org\.\) has no SOA"):
        soa(HostedZone("Z9", "empty.org.", (), ()))
