"""The exit code of all findings together."""

import pytest

from deploytool.core.doctor.finding import PAGE, Finding, Status, Topic, exit_code
from deploytool.core.errors import ApiUnavailable, CloudRefused, DeploytoolError

TOPIC = Topic("id", "subject")
OK = TOPIC.ok("fine")
WARNING = TOPIC.warning("hm", "do this")
PROBLEM = TOPIC.problem("bad", "do that")
LEFT = TOPIC.not_checked("no token", "set it")
REFUSED = TOPIC.failed(CloudRefused("credentials", hint="sign in"))
NO_PERMISSION = TOPIC.unanswered(CloudRefused("no permission"))
DEAD = TOPIC.unanswered(ApiUnavailable("a long story", "us-west-2"))


@pytest.mark.parametrize(
    ("others", "of_cloud", "code"),
    [
        ([OK], [OK], 0),
        ([WARNING, LEFT], [OK], 0),
        ([PROBLEM], [OK], 1),
        # A part that is not allowed is no problem
        ([OK], [OK, NO_PERMISSION], 0),
        # AWS answered nothing at all
        ([OK], [REFUSED, NO_PERMISSION], 3),
        ([OK], [DEAD, DEAD], 4),
        ([OK], [DEAD, REFUSED], 3),
        # What was found without AWS counts more
        ([PROBLEM], [REFUSED], 1),
        # One region of two
        ([OK], [OK, TOPIC.failed(ApiUnavailable("", "us-west-2"))], 1),
        ([OK], [], 0),
    ],
)
def test_the_exit_code(others: list[Finding], of_cloud: list[Finding], code: int) -> None:
    """Problems give 1. 3 and 4 mean that AWS has answered no question."""
    assert exit_code([*others, *of_cloud], of_cloud) == code


def test_an_api_that_does_not_answer_is_said_in_the_same_words() -> None:
    """Whichever call was the first, so that the lines of a dead region read the same."""
    assert DEAD.message == "the AWS API of us-west-2 does not answer"
    assert DEAD.status is Status.NOT_CHECKED


def test_whatever_is_not_ok_has_a_hint() -> None:
    """An error without one leads to the page of the command."""
    assert TOPIC.unanswered(DeploytoolError("odd")).hint == PAGE
    assert REFUSED.hint == "sign in"
