"""Which changes of record sets Route 53 takes, and which it refuses."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.route53.changes import Account, Action, Change, ChangeRefused, changed
from deploytool.core.route53.zone import AliasTarget, HostedZone, RecordSet

NS = tuple(f"ns-{number}.awsdns-0{number}.com." for number in (1, 2))
APEX = "example.com."
SOA = RecordSet(APEX, "SOA", 900, ("ns-1.awsdns-01.com. hostmaster.example.com. 1 1 1 1 1",))
ZONE = HostedZone(
    "Z1",
    APEX,
    NS,
    (
        SOA,
        RecordSet(APEX, "NS", 172800, NS),
        RecordSet("a.example.com.", "A", 60, ("192.0.2.1",)),
        RecordSet("c.example.com.", "CNAME", 60, ("elsewhere.example.net.",)),
        RecordSet("p.example.com.", "A", 60, ("192.0.2.1",), None, "one", "PRIMARY", "hc"),
        RecordSet("w.example.com.", "A", 60, ("192.0.2.1",), set_identifier="one", weight=1),
        RecordSet("l.example.com.", "A", 60, ("192.0.2.1",), set_identifier="one", region="r-1"),
        RecordSet("g.example.com.", "A", 60, ("192.0.2.1",), set_identifier="one", location="EU"),
    ),
)
TARGET = "d-1.execute-api.us-east-1.amazonaws.com."
ACCOUNT = Account(
    health_checks={"hc"},
    zones=(ZONE, HostedZone("Z2", "dev.example.com.", NS, ()), HostedZone("Z3", "b.org.", NS, ())),
    targets={TARGET: "ZAPI"},
    protections={("mail.example.com.", "MX")},
)


def a(name: str = "new", *values: str, **other: Any) -> RecordSet:
    """An A record set of the zone, simple unless told otherwise."""
    return RecordSet(f"{name}.{APEX}", "A", 60, values or ("192.0.2.9",), **other)


def alias(name: str, target: str, zone: str = "Z1", **other: Any) -> RecordSet:
    """An alias of type A in the zone."""
    return RecordSet(f"{name}.{APEX}", "A", alias=AliasTarget(target, zone, False), **other)


def create(*records: RecordSet) -> tuple[RecordSet, ...]:
    """The zone's record sets after creating some."""
    return changed(ZONE, [Change(Action.CREATE, record) for record in records], ACCOUNT)


def refusal(*changes: Change) -> tuple[str, str]:
    """The code and the message with which a batch is refused."""
    with pytest.raises(ChangeRefused) as caught:
        changed(ZONE, changes, ACCOUNT)
    return caught.value.code, str(caught.value)


FORM = {
    "TTL with an alias": (
        replace(alias("new", "a.example.com."), ttl=60),
        "AliasTarget, all of .* found more than one",
    ),
    "values with an alias": (
        replace(alias("new", "a.example.com."), values=("192.0.2.1",)),
        "found more than one",
    ),
    "no TTL": (replace(a(), ttl=None), "found none"),
    "no values": (replace(a(), values=()), "found none"),
    "a set identifier without a policy": (a(set_identifier="x"), "Expected exactly one of .Weight"),
    "a policy without a set identifier": (a(weight=1), "Missing field 'SetIdentifier'"),
    "two policies": (a(weight=1, region="us-east-1", set_identifier="x"), "more than one"),
    "a TTL out of range": (replace(a(), ttl=2**31), "TTL must be"),
    "a type that does not exist": (replace(a(), type="ALIAS"), "not a type"),
}


@pytest.mark.parametrize("case", FORM)
def test_the_form_of_a_change(case: str) -> None:
    """A change of the wrong form is InvalidInput, with the change in the message."""
    record, text = FORM[case]
    code, message = refusal(Change(Action.CREATE, record))
    assert code == "InvalidInput"
    assert message.startswith("Invalid request: ")
    assert f"[Action=CREATE, Name={record.name}" in message
    with pytest.raises(ChangeRefused, match=text):
        create(record)


REFUSED = {
    "outside of the zone": (
        RecordSet("www.example.org.", "A", 60, ("192.0.2.1",)),
        "RRSet with DNS name www.example.org. is not permitted in zone example.com.",
    ),
    "only the end of the zone's name": (
        RecordSet("myexample.com.", "A", 60, ("192.0.2.1",)),
        "is not permitted in zone",
    ),
    "a failover pair beside a simple record": (
        a("a", set_identifier="e", failover="PRIMARY", health_check_id="hc"),
        "type A, SetIdentifier e cannot be created as a non-failover set exists",
    ),
    "a simple record beside a failover record": (
        a("p"),
        "as other RRSets exist with the same name",
    ),
    "weighted beside failover": (
        a("p", set_identifier="two", weight=1),
        "as a non-weighted set exists",
    ),
    "failover beside weighted": (
        a("w", set_identifier="two", failover="SECONDARY"),
        "as a non-failover set exists",
    ),
    "multivalue beside latency": (
        a("l", set_identifier="two", multivalue=True),
        "as a non-multivalue set exists",
    ),
    "beside a CNAME": (a("c"), "conflicting RRSet of type CNAME"),
    "another type beside a CNAME": (
        RecordSet("c.example.com.", "CAA", 60, ('0 issue "amazon.com"',)),
        "RRSet of type CAA .* conflicting RRSet of type CNAME",
    ),
    "a CNAME beside others": (
        RecordSet("a.example.com.", "CNAME", 60, ("b.example.com.",)),
        "RRSet of type CNAME .* conflicts with other records",
    ),
    "a CNAME at the apex": (
        RecordSet(APEX, "CNAME", 60, ("b.example.com.",)),
        "is not permitted at apex in zone example.com.",
    ),
    "what exists": (
        a("a"),
        r"Tried to create resource record set \[name='a.example.com.', type='A'\] but it already",
    ),
    "what exists, in another case": (a("A"), "already exists"),
    "a second primary": (
        a("p", set_identifier="two", failover="PRIMARY", health_check_id="hc"),
        "Failover=PRIMARY cannot be created because a failover RRSet",
    ),
    "a set identifier twice": (
        a("p", set_identifier="one", failover="SECONDARY"),
        "set-identifier='one'.*already exists",
    ),
    "a region twice": (
        a("l", set_identifier="two", region="r-1"),
        "Region Name=r-1 cannot be created because a latency RRSet",
    ),
    "a location twice": (
        a("g", set_identifier="two", location="EU"),
        "same name, type and location",
    ),
    "another TTL among weighted records": (
        replace(a("w", set_identifier="two", weight=1), ttl=30),
        "same TTL",
    ),
    "two values of a weighted record": (
        a("w", "192.0.2.1", "192.0.2.2", set_identifier="two", weight=1),
        "only one value",
    ),
    "two values of a CNAME": (
        RecordSet("new.example.com.", "CNAME", 60, ("b.example.com.", "d.example.com.")),
        "only one value",
    ),
    "a value twice": (a("new", "192.0.2.1", "192.0.2.1"), "Duplicate Resource Record: '192.0.2.1'"),
    "too many values": (
        a("new", *(f"192.0.{n // 256}.{n % 256}" for n in range(401))),
        "401 values",
    ),
    "no IPv4 address": (a("new", "host.example.com"), "ARRDATAIllegalIPv4Address"),
    "IPv6 in an A record": (a("new", "2001:db8::1"), "ARRDATAIllegalIPv4Address"),
    "IPv4 in an AAAA record": (replace(a(), type="AAAA"), "AAAARRDATAIllegalIPv6Address"),
    "text without quotation marks": (
        RecordSet("new.example.com.", "TXT", 60, ("hello",)),
        "enclosed in quotation marks",
    ),
    "a long label": (a("x" * 64), "DomainLabelTooLong"),
    "a wildcard delegation": (
        RecordSet("*.example.com.", "NS", 60, ("ns.example.net.",)),
        "wildcard",
    ),
    "a delegation with a policy": (
        RecordSet("n.example.com.", "NS", 60, ("ns.x.net.",), set_identifier="x", weight=1),
        "simple routing only",
    ),
    "a primary without health check": (
        a("new", set_identifier="x", failover="PRIMARY"),
        "A non-alias primary ResourceRecordSet must have an associated health check",
    ),
    "an alias to what does not exist": (
        alias("new", "no.example.com."),
        "targets no.example.com., type A in zone Z1, but that target was not found",
    ),
    "an alias to a record of another type": (alias("new", "c.example.com."), "not found"),
    "an alias to itself": (alias("new", "new.example.com."), "not found"),
    "an alias out of its zone": (
        alias("new", "x.example.org."),
        "does not lie within the target zone",
    ),
    "an alias to a record of another zone": (alias("new", "b.org.", "Z3"), "does not lie within"),
    "an alias to an API in the hosted zone of another region": (
        alias("new", TARGET, "ZOTHER"),
        "does not lie within",
    ),
    "an alias to an API that does not exist": (
        alias("new", "d-2.execute-api.us-east-1.amazonaws.com.", "ZAPI"),
        "not found",
    ),
    "an alias of name servers": (
        replace(alias("new", "a.example.com."), type="NS"),
        "alias of type NS",
    ),
    "a multivalue alias": (
        alias("new", "a.example.com.", multivalue=True, set_identifier="x"),
        "multivalue answer alias",
    ),
    "what looks like a name server of Route 53": (
        RecordSet("dev.example.com.", "NS", 60, ("ns-1.awsdns-01.com.example.com.",)),
        "NS_FORMAT_CHECK",
    ),
    "a delegation to servers without the zone": (
        RecordSet("other.example.com.", "NS", 60, NS),
        "NS_DELEGATION_AUTHORITY_CHECK",
    ),
    "a protected name and type": (
        RecordSet("mail.example.com.", "MX", 60, ("10 mail.example.net.",)),
        "record set protection",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_zone_refuses(case: str) -> None:
    """A change that the zone cannot take is InvalidChangeBatch, as CREATE and as part of a batch."""
    record, text = REFUSED[case]
    code, message = refusal(Change(Action.CREATE, record))
    assert code == "InvalidChangeBatch"
    assert message.startswith("[")
    assert message.endswith("]")
    with pytest.raises(ChangeRefused, match=text):
        create(a("unrelated"), record)


TAKEN = {
    "another type beside": RecordSet("a.example.com.", "AAAA", 60, ("2001:db8::1",)),
    "the other half of a pair": a("p", set_identifier="two", failover="SECONDARY"),
    "another weight": a("w", set_identifier="two", weight=1),
    "another region": a("l", set_identifier="two", region="r-2"),
    "several values": a("new", "192.0.2.1", "192.0.2.2"),
    "an alias to a record of the zone": alias("new", "a.example.com."),
    "an alias to an API": alias("new", TARGET, "ZAPI"),
    "an alias at the apex": replace(alias("x", TARGET, "ZAPI"), name=APEX),
    "an alias to another service": alias("new", "d1.cloudfront.net.", "Z2FDTNDATAQYW2"),
    "an alias as primary without health check": alias(
        "new", TARGET, "ZAPI", set_identifier="e", failover="PRIMARY"
    ),
    "a delegation to a zone that there is": RecordSet("dev.example.com.", "NS", 60, NS),
    "a delegation elsewhere": RecordSet("x.example.com.", "NS", 60, ("ns.example.net.",)),
    "another type of a protected name": RecordSet("mail.example.com.", "A", 60, ("192.0.2.1",)),
    "a wildcard": a("*"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_what_a_zone_takes(case: str) -> None:
    """What the documentation allows is created, at the end of the zone."""
    record = TAKEN[case]
    assert create(record) == (*ZONE.records, record)


def test_a_health_check_must_exist() -> None:
    """A record set with an unknown health check is NoSuchHealthCheck."""
    record = a("new", set_identifier="x", failover="PRIMARY", health_check_id="none")
    assert refusal(Change(Action.CREATE, record))[0] == "NoSuchHealthCheck"


class TestBatches:
    """A batch is made whole or not at all."""

    def test_all_problems_are_listed(self) -> None:
        """The message lists every fault of a batch, each once."""
        changes = [Change(Action.CREATE, record) for record in (a("a"), a("c"), a("c"))]
        _, message = refusal(*changes)
        assert message.count("already exists in zone") == 1
        assert "Tried to create" in message
        assert "invalid set of changes" in message

    def test_a_name_is_freed_and_taken(self) -> None:
        """A CNAME is replaced by an alias in one batch, the DELETE first."""
        cname = ZONE.records[3]
        new = alias("c", TARGET, "ZAPI")
        changes = [Change(Action.DELETE, cname), Change(Action.CREATE, new)]
        records = changed(ZONE, changes, ACCOUNT)
        assert new in records
        assert cname not in records
        assert "conflicting" in refusal(*reversed(changes))[1]

    def test_a_record_set_is_deleted_once(self) -> None:
        """Two deletions of one record set are refused (ChangeResourceRecordSets)."""
        deletion = Change(Action.DELETE, ZONE.records[2])
        assert "invalid set of changes" in refusal(deletion, deletion)[1]

    @pytest.mark.parametrize("action", [Action.CREATE, Action.UPSERT])
    def test_quotas(self, action: Action) -> None:
        """1,000 values and 32,000 characters are the most; those of an UPSERT count twice."""
        times = 2 if action is Action.UPSERT else 1
        many = [
            Change(action, a(f"n{n}", *(f"10.{n}.{v // 256}.{v % 256}" for v in range(250))))
            for n in range(4 // times)
        ]
        changed(ZONE, many, ACCOUNT)
        assert "1000" in refusal(*many, Change(action, a("more")))[1]

        long = tuple(f'"{n:03}{"x" * 245}"' for n in range(128 // times))
        text = Change(action, RecordSet("t.example.com.", "TXT", 60, long))
        changed(ZONE, [text], ACCOUNT)
        assert "32000" in refusal(text, Change(action, a("more")))[1]

    @pytest.mark.parametrize("record", ZONE.records[:2])
    def test_the_zones_own_records_stay(self, record: RecordSet) -> None:
        """The SOA and the NS record set of the zone itself cannot be deleted."""
        assert "must contain" in refusal(Change(Action.DELETE, record))[1]

    @pytest.mark.parametrize(
        ("record", "text"),
        [
            (a("none"), "but it was not found"),
            (a("a"), "but the values provided do not match the current values"),
            (replace(ZONE.records[2], ttl=61), "do not match"),
            (replace(ZONE.records[5], weight=2), "do not match"),
        ],
    )
    def test_a_deletion_gives_the_values(self, record: RecordSet, text: str) -> None:
        """A DELETE of what is not there, or is otherwise, is refused."""
        assert text in refusal(Change(Action.DELETE, record))[1]

    def test_no_change(self) -> None:
        """A batch has at least one change."""
        assert refusal()[0] == "InvalidInput"


@given(st.lists(st.sampled_from([*TAKEN.values(), *ZONE.records[2:]]), max_size=6))
def test_a_batch_and_its_undoing_leave_the_zone_as_it_was(records: list[RecordSet]) -> None:
    """Whatever is taken can be deleted again, and then the zone is as before."""
    try:
        after = create(*records)
    except ChangeRefused:
        return
    deletions = [Change(Action.DELETE, record) for record in records]
    assert changed(replace(ZONE, records=after), deletions, ACCOUNT) == ZONE.records
