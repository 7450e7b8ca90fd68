"""The verdict on a delegation, and CAA records by the rules of RFC 8659."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.route53.delegation import (
    AMAZON,
    Delegated,
    NotDelegated,
    Parent,
    ParentAnswer,
    ParentUnreachable,
    PartlyDelegated,
    PointsElsewhere,
    Verdict,
    caa_problem,
    describe,
    judge,
    prevents_validation,
    white_label_names,
)

OURS = ("ns-1.awsdns-1.com.", "NS-2.awsdns-2.net")
RIGHT = ("ns-1.awsdns-1.com.", "ns-2.awsdns-2.net.")
FOREIGN = ("ns1.other.net.",)


def parent(*answers: tuple[str, ...], errors: tuple[str, ...] = ()) -> Parent:
    return Parent(
        "com.",
        tuple(ParentAnswer(f"{index}.gtld.", names) for index, names in enumerate(answers)),
        errors,
    )


@pytest.mark.parametrize(
    ("parent_zone", "verdict", "description"),
    [
        pytest.param(parent(RIGHT, RIGHT), Delegated(), "to the hosted zone", id="right"),
        pytest.param(
            parent(RIGHT[:1]),
            Delegated(),
            "to the hosted zone",
            id="some of the zone's and no other",
        ),
        pytest.param(
            parent(()),
            NotDelegated("com.", "0.gtld."),
            "com. at 0.gtld) does not delegate example.com",
            id="none",
        ),
        pytest.param(
            parent(FOREIGN),
            PointsElsewhere("com.", "0.gtld.", FOREIGN),
            "to ns1.other.net, not to NS-2.awsdns",
            id="elsewhere",
        ),
        pytest.param(
            parent((*RIGHT, *FOREIGN)),
            PartlyDelegated("com.", "0.gtld.", FOREIGN),
            "also to ns1.other.net",
            id="partly",
        ),
        pytest.param(
            parent(RIGHT, ()),
            PartlyDelegated("com.", "1.gtld.", ()),
            "not on all",
            id="its servers differ",
        ),
        pytest.param(
            parent(errors=("no reply",)),
            ParentUnreachable("com.", "no reply"),
            "no reply",
            id="unreachable",
        ),
    ],
)
def test_judge(parent_zone: Parent, verdict: Verdict, description: str) -> None:
    """Each state of the parent has its verdict, which names the zone, the server and its answer."""
    assert judge(parent_zone, OURS) == verdict
    assert description in describe(verdict, "example.com", OURS)
    assert prevents_validation(verdict) == isinstance(verdict, NotDelegated | PointsElsewhere)


@given(st.lists(st.lists(st.sampled_from([*RIGHT, *FOREIGN]), unique=True).map(tuple), max_size=3))
def test_judge_is_sound(answers: list[tuple[str, ...]]) -> None:
    """A certificate is refused only when no server of the parent names any server of the zone."""
    verdict = judge(parent(*answers), OURS)
    zone_is_named = any(set(names) & set(RIGHT) for names in answers)
    assert prevents_validation(verdict) == (bool(answers) and not zone_is_named)


@pytest.mark.parametrize(
    ("name", "records", "owner"),
    [
        pytest.param("api.example.com", {}, None, id="no CAA allows all"),
        pytest.param(
            "api.example.com",
            {"example.com": ['0 issue "letsencrypt.org"']},
            "example.com.",
            id="an ancestor forbids",
        ),
        pytest.param(
            "api.example.com",
            {"api.example.com": ['0 issue "amazon.com"'], "example.com": ['0 issue ";"']},
            None,
            id="the nearest counts",
        ),
        pytest.param("api.example.com", {"com": ['0 issue ";"']}, "com.", id="up to the root"),
        pytest.param(
            "example.com",
            {"example.com": ['0 iodef "mailto:a@example.com"']},
            None,
            id="no issue property",
        ),
        pytest.param(
            "example.com",
            {"example.com": ['0 issuewild ";"']},
            None,
            id="issuewild is for wildcards",
        ),
        pytest.param(
            "*.example.com",
            {"example.com": ['0 issuewild ";"', '0 issue "amazon.com"']},
            "example.com.",
            id="wildcard",
        ),
        pytest.param(
            "*.example.com",
            {"example.com": ['0 issue "amazon.com"']},
            None,
            id="a wildcard falls back to issue",
        ),
        pytest.param(
            "example.com",
            {"example.com": ['0 ISSUE "AwsTrust.com; a=b"']},
            None,
            id="case and parameters",
        ),
        pytest.param(
            "example.com",
            {"example.com": ['128 tbs "x"', '0 issue "amazon.com"']},
            "example.com.",
            id="critical",
        ),
        pytest.param(
            "example.com",
            {"example.com": ['0 tbs "x"']},
            None,
            id="an unknown tag that is not critical",
        ),
        pytest.param(
            "example.com",
            {"example.com": ['0 issue "ca.example.net"', '0 issue "amazonaws.com"']},
            None,
            id="several",
        ),
    ],
)
def test_caa(name: str, records: Mapping[str, Sequence[str]], owner: str | None) -> None:
    """CAA records forbid Amazon by the rules of RFC 8659, and the problem names their owner."""
    problem = caa_problem(name, lambda queried: records.get(queried.rstrip("."), ()))
    assert (problem.owner if problem else None) == owner


def test_text_that_is_no_caa_record_is_ignored() -> None:
    """Text of another form does not count as a record set, so that the next ancestor decides."""
    records = {"api.example.com.": ["garbage"], "example.com.": ['0 issue ";"']}
    problem = caa_problem("api.example.com", lambda queried: records.get(queried, ()))
    assert str(problem) == (
        "the CAA records of example.com allow no authority to issue for api.example.com, not Amazon"
    )


@given(
    st.sampled_from(sorted(AMAZON)),
    st.lists(st.from_regex(r"[a-z]{1,9}\.org", fullmatch=True), max_size=3),
)
def test_any_of_amazons_names_allows(amazon: str, others: list[str]) -> None:
    """One record with a name of Amazon allows it; records with only other names forbid it."""
    values = [f'0 issue "{authority}"' for authority in [*others, amazon]]
    assert caa_problem("example.com", lambda _: values) is None

    problem = caa_problem("example.com", lambda _: values[:-1])
    assert (problem is None) == (not others)
    assert problem is None or all(authority in str(problem) for authority in others)


ADDRESSES = {
    "ns-1.awsdns-1.com.": {"192.0.2.1"},
    "ns-2.awsdns-2.net.": {"192.0.2.2"},
    "ns1.example.com.": {"192.0.2.1"},
    "ns2.example.com.": {"192.0.2.2"},
    "ns1.other.net.": {"198.51.100.1"},
    "both.example.com.": {"192.0.2.1", "198.51.100.1"},
    "ns-9.awsdns-9.com.": {"192.0.2.1"},
}


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (("ns1.example.com.", "NS2.example.com"), ("ns1.example.com.", "ns2.example.com.")),
        (("ns1.example.com.", "ns1.other.net."), ("ns1.example.com.",)),
        (("both.example.com.",), ()),
        (("unknown.example.com.",), ()),
        # A server of Route 53 is one server, whatever address the local cloud gives it
        (("ns-9.awsdns-9.com.",), ()),
        (RIGHT, ()),
    ],
)
def test_white_label_name_servers_are_the_zone_s(
    names: tuple[str, ...], known: tuple[str, ...]
) -> None:
    """A name with no other addresses than those of the zone's servers is one of them."""

    def addresses_of(name: str) -> frozenset[str]:
        return frozenset(ADDRESSES.get(name, ()))

    assert white_label_names(parent(names), OURS, addresses_of) == known
