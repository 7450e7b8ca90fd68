"""What is said of the account and its regions."""

from collections.abc import Collection

import pytest

from deploytool.core.doctor.cloud import judge_caller, judge_endpoints, judge_region
from deploytool.core.doctor.finding import Status
from deploytool.core.errors import ApiUnavailable, CloudRefused, DeploytoolError
from deploytool.core.whereabouts import Caller, Whereabouts

EAST, WEST = "us-east-1", "us-west-2"
ROLE = Caller("123456789012", "arn:aws:sts::123456789012:assumed-role/Deployer/me")
ROOT = Caller("123456789012", "arn:aws:iam::123456789012:root")


def test_who_calls() -> None:
    """The account, the caller and the profile; the root user should not be the one."""
    good = judge_caller(ROLE, "work", EAST)
    assert good.status is Status.OK
    assert good.message == "account 123456789012 as role Deployer (session me), profile work"
    assert judge_caller(ROOT, "", EAST).status is Status.WARNING
    unknown = judge_caller(Caller(unknown="timed out"), "", EAST)
    assert unknown.status is Status.NOT_CHECKED
    assert isinstance(unknown.error, ApiUnavailable)


@pytest.mark.parametrize(
    ("endpoints", "status"),
    [
        ({}, None),
        ({"ssm": "https://vpce-1.ssm.us-east-1.vpce.amazonaws.com"}, Status.OK),
        ({"ssm": "http://127.0.0.1:4566"}, Status.WARNING),
    ],
)
def test_where_the_calls_go(endpoints: dict[str, str], status: Status | None) -> None:
    """An address that the user has set is said, and one that is not AWS's is a warning."""
    finding = judge_endpoints(Whereabouts(Caller(), (EAST, WEST), endpoints))
    assert (finding.status if finding else None) is status


BOTH = (EAST, WEST)
REFUSED = CloudRefused("AuthFailure")
DEAD = ApiUnavailable("no answer", WEST)


@pytest.mark.parametrize(
    ("own", "others", "status"),
    [
        (BOTH, {}, Status.OK),
        ((EAST,), {}, Status.PROBLEM),
        # A region that is not enabled refuses credentials that are good elsewhere
        (REFUSED, {EAST: (EAST,)}, Status.PROBLEM),
        (REFUSED, {EAST: BOTH}, Status.NOT_CHECKED),
        (REFUSED, {}, Status.NOT_CHECKED),
        (DEAD, {EAST: BOTH}, Status.PROBLEM),
        (DEAD, {}, Status.PROBLEM),
    ],
)
def test_a_region(
    own: Collection[str] | DeploytoolError, others: dict[str, Collection[str]], status: Status
) -> None:
    """It is enabled and answers, or the fix is named."""
    finding = judge_region(WEST, own, others)
    assert finding.status is status
    assert bool(finding.hint) is (status is not Status.OK)


def test_the_fix_of_a_region_that_is_not_enabled() -> None:
    """The message does not depend on which API told it."""
    by_itself = judge_region(WEST, (EAST,), {})
    by_other = judge_region(WEST, REFUSED, {EAST: (EAST,)})
    assert by_itself == by_other
    assert by_itself.hint == "aws account enable-region --region-name us-west-2"
