"""Pairs of failover records in zones of any make: what is found, what moves them, what is refused."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.errors import DeploytoolError, DrillRefused, InputError
from deploytool.core.route53.health import HealthCheck, HealthCheckConfig
from deploytool.core.route53.names import host_problem, region_in
from deploytool.core.route53.pairs import FailoverPair, find_pair, health_check_to_invert
from deploytool.core.route53.routing import PRIMARY, SECONDARY, is_record_healthy, select
from deploytool.core.route53.verdicts import CheckStates, dependents_of, followers_of, parents_of
from deploytool.core.route53.zone import AliasTarget, HostedZone, RecordSet, canonical

DOMAIN = "api.example.com"
ALB_ZONE = "Z35SXDOTRQ7X7K"
EAST_API = "d-1.execute-api.us-east-1.amazonaws.com"
WEST_API = "d-2.execute-api.us-west-2.amazonaws.com"
EAST_ALB = "dualstack.web-1.us-east-1.elb.amazonaws.com"
WEST_ALB = "dualstack.web-2.eu-west-1.elb.amazonaws.com"


def zone_of(records: Sequence[RecordSet], name: str = "example.com", id_: str = "Z1") -> HostedZone:
    return HostedZone(id_, canonical(name), (), tuple(records))


def record(target: str, role: str = "", **more: object) -> RecordSet:
    """Return an A alias to a service of AWS, with more settings."""
    alias = AliasTarget(canonical(target), "Z0", bool(more.pop("evaluate", False)))
    fields = {
        "name": canonical(DOMAIN),
        "type": "A",
        "alias": alias,
        "failover": role,
        "set_identifier": role.lower(),
        **more,
    }
    return RecordSet(**fields)  # type: ignore[arg-type]


def inside(target: str, role: str = "", **more: object) -> RecordSet:
    """Return an A alias to another name of the zone Z1."""
    evaluate = bool(more.pop("evaluate", True))
    return record(target, role, alias=AliasTarget(canonical(target), "Z1", evaluate), **more)


def weighted(name: str, target: str, identifier: str, check: str) -> RecordSet:
    return record(
        target, name=canonical(name), set_identifier=identifier, weight=1, health_check_id=check
    )


def pair_of(*records: RecordSet) -> FailoverPair:
    return find_pair(zone_of(records), DOMAIN)


def lever(*records: RecordSet) -> str:
    return health_check_to_invert(pair_of(*records))


SECOND = record(WEST_API, SECONDARY)
PLAIN = (record(EAST_API, PRIMARY, health_check_id="c1"), SECOND)


def test_aliases_to_api_gateway() -> None:
    """The regions stand in the names of the targets, and the primary's health check is the one."""
    pair = pair_of(*PLAIN)
    assert (pair.primary.name, pair.primary.region) == (EAST_API, "us-east-1")
    assert (pair.secondary.name, pair.secondary.region) == (WEST_API, "us-west-2")
    assert health_check_to_invert(pair) == "c1"
    assert pair.secondary.health_checks() == ()


def test_aliases_to_load_balancers() -> None:
    """A load balancer of either kind names its region, and EvaluateTargetHealth takes nothing away."""
    primary = record(EAST_ALB, PRIMARY, health_check_id="c1", evaluate=True)
    pair = pair_of(primary, record(WEST_ALB, SECONDARY, evaluate=True))
    assert (pair.primary.region, pair.secondary.region) == ("us-east-1", "eu-west-1")
    assert health_check_to_invert(pair) == "c1"


def test_cname_records() -> None:
    """A CNAME may lead out of the zone, or to a name of the zone that leads on to a region."""
    records = (
        RecordSet(canonical(DOMAIN), "CNAME", 60, ("use1.example.com",), None, "p", PRIMARY, "c1"),
        RecordSet(canonical(DOMAIN), "CNAME", 60, (f"{WEST_API}.",), None, "s", SECONDARY),
        record(EAST_API, name="use1.example.com."),
    )
    pair = pair_of(*records)
    assert (pair.primary.name, pair.primary.region) == ("use1.example.com", "us-east-1")
    assert (pair.secondary.name, pair.secondary.region) == (WEST_API, "us-west-2")
    assert pair.primary.addresses == ()


def test_addresses() -> None:
    """Elastic addresses tell no region. They are called themselves."""
    records = [
        RecordSet(canonical(DOMAIN), "A", 60, values, None, role, role, check)
        for role, values, check in (
            (PRIMARY, ("192.0.2.1", "192.0.2.2"), "c1"),
            (SECONDARY, ("198.51.100.1",), ""),
        )
    ]
    pair = pair_of(*records)
    assert pair.primary.addresses == ("192.0.2.1", "192.0.2.2")
    assert (pair.primary.name, pair.primary.region) == ("192.0.2.1", "")


def test_the_apex() -> None:
    """The zone's own name has NS and SOA records beside the pair."""
    apex = [replace(each, name="example.com.") for each in PLAIN]
    ns = RecordSet("example.com.", "NS", 60, ("ns-1.example.net.",))
    soa = RecordSet("example.com.", "SOA", 60, ("a b 1 1 1 1 1",))
    pair = find_pair(zone_of([ns, soa, *apex]), "Example.COM.")
    assert pair.domain == "example.com"
    assert health_check_to_invert(pair) == "c1"


def test_nested_aliases() -> None:
    """The only health check below an alias that evaluates it is the one to invert."""
    records = (
        inside("east.example.com", PRIMARY),
        SECOND,
        inside("use1.example.com", name="east.example.com."),
        record(EAST_API, name="use1.example.com.", health_check_id="deep"),
    )
    pair = pair_of(*records)
    assert (pair.primary.name, pair.primary.region) == ("east.example.com", "us-east-1")
    assert health_check_to_invert(pair) == "deep"
    assert len(pair.primary.records()) == 3


def test_a_circle_of_aliases_is_refused() -> None:
    records = (
        inside("a.example.com", PRIMARY),
        SECOND,
        inside("b.example.com", name="a.example.com."),
        inside("a.example.com", name="b.example.com."),
    )
    with pytest.raises(DrillRefused, match="circle"):
        pair_of(*records)


def test_an_alias_to_nothing_is_refused() -> None:
    with pytest.raises(DrillRefused, match=r"gone.example.com, which has no A record"):
        pair_of(inside("gone.example.com", PRIMARY), SECOND)


def test_weighted_records_inside_failover() -> None:
    """Weighted records with one health check move together; with several they do not."""
    primary = inside("east.example.com", PRIMARY)
    same = [weighted("east.example.com", EAST_API, each, "c1") for each in "ab"]
    assert lever(primary, SECOND, *same) == "c1"
    pair = pair_of(primary, SECOND, *same)
    assert (pair.primary.region, pair.primary.name) == ("us-east-1", "east.example.com")

    other = weighted("east.example.com", EAST_API, "b", "c2")
    with pytest.raises(DrillRefused) as caught:
        lever(primary, SECOND, same[0], other)
    assert "no single health check makes all of them unhealthy" in str(caught.value)
    assert "east.example.com A (b) with c2" in str(caught.value)

    unchecked = weighted("east.example.com", EAST_API, "b", "")
    with pytest.raises(DrillRefused, match=r"\(b\) with no health check"):
        lever(primary, SECOND, same[0], unchecked)
    # A check of its own decides whatever is below
    assert lever(replace(primary, health_check_id="top"), SECOND, same[0], unchecked) == "top"


def test_latency_records_of_several_regions_have_no_region() -> None:
    """Clients of one side may be served by several regions, so it is named by its role."""
    records = (
        inside("near.example.com", PRIMARY, health_check_id="c1"),
        SECOND,
        record(EAST_API, name="near.example.com.", region="us-east-1", set_identifier="e"),
        record(WEST_ALB, name="near.example.com.", region="eu-west-1", set_identifier="w"),
    )
    assert pair_of(*records).primary.region == ""


def test_aaaa_beside_a() -> None:
    """IPv6 clients must move by the same health check."""
    six = [replace(each, type="AAAA") for each in PLAIN]
    assert lever(*PLAIN, *six) == "c1"

    with pytest.raises(DrillRefused, match="A has c1, AAAA has c6"):
        lever(*PLAIN, replace(six[0], health_check_id="c6"), six[1])
    with pytest.raises(
        DrillRefused, match=r"primary AAAA record of api[.]example[.]com has no health"
    ):
        lever(*PLAIN, replace(six[0], health_check_id=""), six[1])
    with pytest.raises(
        InputError, match=r"the AAAA records of api[.]example[.]com have simple routing"
    ):
        lever(*PLAIN, record(EAST_API, type="AAAA"))
    with pytest.raises(DrillRefused, match="AAAA records only"):
        lever(*six)


def test_a_primary_that_nothing_makes_unhealthy_is_refused() -> None:
    """Without a health check there is nothing to invert, with a target's own health neither."""
    with pytest.raises(DrillRefused, match="no EvaluateTargetHealth"):
        lever(record(EAST_API, PRIMARY), SECOND)
    with pytest.raises(DrillRefused, match=f"follows the health of {EAST_ALB} itself"):
        lever(record(EAST_ALB, PRIMARY, evaluate=True), SECOND)
    nested = (inside("east.example.com", PRIMARY, evaluate=False), SECOND)
    with pytest.raises(DrillRefused, match="no EvaluateTargetHealth"):
        lever(*nested, record(EAST_API, name="east.example.com.", health_check_id="c1"))


def test_a_secondary_with_the_same_check_is_refused() -> None:
    """With both unhealthy Route 53 answers with the primary: nothing would move."""
    with pytest.raises(DrillRefused, match="takes the same health check, c1"):
        lever(PLAIN[0], replace(SECOND, health_check_id="c1"))
    below = record(WEST_API, name="west.example.com.", health_check_id="c1")
    with pytest.raises(DrillRefused, match="takes the same health check"):
        lever(PLAIN[0], inside("west.example.com", SECONDARY), below)
    assert lever(PLAIN[0], replace(SECOND, health_check_id="c2")) == "c1"


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ((record(EAST_API),), "have simple routing, not failover"),
        ((record(EAST_API, weight=1, set_identifier="a"),), "have weighted routing"),
        ((record(EAST_API, region="us-east-1", set_identifier="a"),), "have latency routing"),
        ((PLAIN[0],), "has a PRIMARY failover record of type A and no SECONDARY"),
        ((SECOND,), "has a SECONDARY failover record of type A and no PRIMARY"),
        ((), "no failover pair of api.example.com"),
        ((RecordSet("api.example.com.", "NS", 60, ("ns.",)),), "delegates api.example.com to"),
    ],
)
def test_what_is_no_pair_is_refused(records: Sequence[RecordSet], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        pair_of(*records)


def test_two_sides_that_lead_to_the_same_place_are_refused() -> None:
    with pytest.raises(DrillRefused, match="both lead to d-1"):
        pair_of(PLAIN[0], record(EAST_API, SECONDARY))


# Who else depends on the health check


def check(
    id_: str, children: tuple[str, ...] = (), threshold: int = 0, **more: object
) -> HealthCheck:
    type_ = str(more.pop("type", "CALCULATED" if children else "HTTPS"))
    config = HealthCheckConfig(
        type_,
        health_threshold=threshold,
        child_health_checks=children,
        **more,  # type: ignore[arg-type]
    )
    return HealthCheck(id_, 1, config)


def checks_of(*checks: HealthCheck) -> dict[str, HealthCheck]:
    return {each.id: each for each in checks}


def test_a_check_shared_with_other_records() -> None:
    """Other names, other zones, and calculated health checks that count it are found."""
    pair = pair_of(*PLAIN)
    shop = record(EAST_API, PRIMARY, name="shop.example.com.", health_check_id="c1")
    by_parent = record(EAST_API, PRIMARY, name="www.example.org.", health_check_id="top")
    unrelated = record(EAST_API, PRIMARY, name="mail.example.org.", health_check_id="c9")
    zones = [
        zone_of([*PLAIN, shop]),
        zone_of([by_parent, unrelated], "example.org", "Z2"),
    ]
    checks = checks_of(check("c1"), check("mid", ("c1",), 1), check("top", ("mid", "c9"), 1))
    assert set(parents_of("c1", checks)) == {"mid", "top"}
    found = [str(each) for each in dependents_of(pair, "c1", zones, checks)]
    assert found == [
        "shop.example.com A (primary) in zone example.com, which takes it",
        "www.example.org A (primary) in zone example.org, by the calculated health check top",
    ]


def test_records_of_the_pair_are_not_others() -> None:
    """AAAA records, and those to which aliases of the primary lead, belong to the pair."""
    six = [replace(each, type="AAAA") for each in PLAIN]
    zone = zone_of([*PLAIN, *six])
    assert dependents_of(find_pair(zone, DOMAIN), "c1", [zone], checks_of(check("c1"))) == ()


def test_an_alias_to_what_is_nested_depends_on_it() -> None:
    """Another name that evaluates the record below the primary would move too."""
    below = record(EAST_API, name="east.example.com.", health_check_id="c1")
    other = inside("east.example.com", PRIMARY, name="other.example.com.")
    blind = inside("east.example.com", name="blind.example.com.", evaluate=False)
    zone = zone_of([inside("east.example.com", PRIMARY), SECOND, below, other, blind])
    found = dependents_of(find_pair(zone, DOMAIN), "c1", [zone], checks_of(check("c1")))
    assert [each.record.name for each in found] == ["other.example.com."]
    assert "by its alias to east.example.com" in str(found[0])


def test_names_that_point_to_the_domain_are_told() -> None:
    """They move with it, as they do in a real failover."""
    cname = RecordSet("www.example.com.", "CNAME", 60, (DOMAIN,))
    zone = zone_of([*PLAIN, cname, inside(DOMAIN, name="alias.example.com.")])
    names = followers_of(find_pair(zone, DOMAIN), [zone])
    assert names == ("www.example.com", "alias.example.com")


# Verdicts


def test_a_calculated_check_is_counted_as_far_as_its_children_are_known() -> None:
    """Route 53 tells no status of an alarm's health check; two of three may decide all the same."""
    alarm = check("alarm", type="CLOUDWATCH_METRIC")
    children = ("a", "b", "alarm")
    known = {"a": True, "b": True}

    def verdict(threshold: int, observed: dict[str, bool], **more: object) -> bool | None:
        top = check("top", children, threshold, **more)
        checks = checks_of(top, check("a"), check("b"), alarm)
        return CheckStates(checks, observed).verdict("top")

    assert verdict(2, known) is True
    assert verdict(3, known) is None
    assert verdict(3, {"a": True, "b": False}) is False
    assert verdict(2, known, inverted=True) is False
    assert verdict(3, {"a": False, "b": False}, disabled=True) is True
    assert CheckStates({}, {}).verdict("missing") is None


def test_an_inversion_can_be_asked_for_in_advance() -> None:
    """A parent shows what the inverted child does to it."""
    checks = checks_of(check("a"), check("top", ("a",), 1))
    states = CheckStates(checks, {"a": True})
    assert states.verdict("top") is True
    assert replace(states, inverting="a").verdict("top") is False
    assert replace(states, inverting="top").verdict("top") is False
    assert replace(states, inverting="top").counted("top") is True


# Names


@pytest.mark.parametrize(
    ("name", "region"),
    [
        (EAST_API, "us-east-1"),
        (EAST_ALB, "us-east-1"),
        ("my-bucket.s3-website-ap-southeast-2.amazonaws.com", "ap-southeast-2"),
        ("us-gov-west-1.api.example.com", "us-gov-west-1"),
        ("us-east-1.to.eu-west-1.example.com", ""),
        ("bus-east-1.example.com", ""),
        ("use1.example.com", ""),
        ("192.0.2.1", ""),
    ],
)
def test_a_region_stands_in_a_name(name: str, region: str) -> None:
    assert region_in(name) == region


@pytest.mark.parametrize(
    "name",
    ["https://api.example.com", "api", "a..b", "api.example.com/v1", "192.0.2.1", "é.fr", ""],
)
def test_what_is_no_name_of_a_host_is_told(name: str) -> None:
    assert host_problem(name)


@pytest.mark.parametrize("name", ["api.example.com", "a_b.example.com", "xn--9ca.fr", "a.b"])
def test_a_name_of_a_host(name: str) -> None:
    assert host_problem(name) is None


# Properties: the rules of Route 53 that the local name servers answer by are the measure

IDS = st.sampled_from(["", "c1", "c2", "c3"])
NAMES = ["e1.example.com", "e2.example.com"]


@st.composite
def nested_records(draw: st.DrawFn, role: str, names: list[str]) -> list[RecordSet]:
    """Return a failover record of the domain, and weighted records below it."""
    if draw(st.booleans()):
        return [record(f"d.execute-api.{role.lower()}.x", role, health_check_id=draw(IDS))]
    name = draw(st.sampled_from(names))
    records = [inside(name, role, health_check_id=draw(IDS), evaluate=draw(st.booleans()))]
    for number in range(draw(st.integers(1, 3))):
        records.append(weighted(name, f"{role.lower()}-{number}.x", str(number), draw(IDS)))
    return records


@st.composite
def zones(draw: st.DrawFn) -> HostedZone:
    primary = draw(nested_records(PRIMARY, NAMES[:1]))
    secondary = draw(nested_records(SECONDARY, NAMES[1:]))
    return zone_of([*primary, *secondary])


@given(zones())
def test_the_health_check_moves_the_pair_by_the_rules_of_route_53(zone: HostedZone) -> None:
    """With only the chosen health check unhealthy, the name servers answer with the secondary."""
    pair = find_pair(zone, DOMAIN)
    records = [each for each in zone.records if each.failover]
    try:
        chosen = health_check_to_invert(pair)
    except DeploytoolError:
        # No single health check moves it
        for id_ in ("c1", "c2", "c3"):
            answer = select(records, lambda each, id_=id_: each != id_, zone)  # type: ignore[misc]
            own = pair.primary.branches[0].record.health_check_id
            assert answer.failover == PRIMARY or own not in ("", id_)
        return
    assert select(records, lambda _: True, zone).failover == PRIMARY
    assert select(records, lambda id_: id_ != chosen, zone).failover == SECONDARY


@given(zones(), st.sets(st.sampled_from(["c1", "c2", "c3"])))
def test_a_side_is_healthy_as_its_record_is(zone: HostedZone, unhealthy: set[str]) -> None:
    """The verdict on a side is that of the routing rules, for any verdicts on health checks."""
    pair = find_pair(zone, DOMAIN)
    for side in (pair.primary, pair.secondary):
        expected = is_record_healthy(
            side.branches[0].record, lambda id_: id_ not in unhealthy, zone
        )
        assert side.healthy(lambda id_: id_ not in unhealthy) is expected


@given(
    zones(), st.sets(st.sampled_from(["c1", "c2", "c3"])), st.sets(st.sampled_from(["c1", "c2"]))
)
def test_what_is_not_known_never_contradicts_what_is(
    zone: HostedZone, unhealthy: set[str], hidden: set[str]
) -> None:
    """Hiding a verdict makes an answer unknown or leaves it."""
    pair = find_pair(zone, DOMAIN)

    def known(id_: str) -> bool:
        return id_ not in unhealthy

    partly = pair.primary.healthy(lambda id_: None if id_ in hidden else known(id_))
    assert partly in (None, pair.primary.healthy(known))


@given(st.permutations(range(2)))
def test_the_order_of_records_does_not_matter(order: list[int]) -> None:
    """Route 53 lists them in the order of their names and set identifiers."""
    assert pair_of(*(PLAIN[index] for index in order)) == pair_of(*PLAIN)
