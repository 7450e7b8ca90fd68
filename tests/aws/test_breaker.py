"""The breaker: which failures show that a region's API is down, and what it stops."""

import pytest

from deploytool.aws.breaker import Api, Breaker, NoAnswer

EAST_SSM = Api("us-east-1", "SSM")
EAST_STACKS = Api("us-east-1", "CloudFormation")
WEST_SSM = Api("us-west-2", "SSM")


def is_down(breaker: Breaker, api: Api) -> bool:
    try:
        breaker.check(api)
    except NoAnswer as error:
        return error.found_earlier
    return False


def test_a_region_that_answers_nothing_is_down_with_all_its_services() -> None:
    """One failed call is enough. The other region is asked as before."""
    breaker = Breaker()
    began = breaker.begin(EAST_SSM)
    breaker.failed(EAST_SSM, began, "refused")
    assert is_down(breaker, EAST_SSM)
    assert is_down(breaker, EAST_STACKS)
    assert not is_down(breaker, WEST_SSM)
    with pytest.raises(NoAnswer, match="us-east-1 did not answer: refused"):
        breaker.begin(EAST_STACKS)


def test_an_answer_before_the_call_does_not_help_the_region() -> None:
    """It answered, and then it went down."""
    breaker = Breaker()
    breaker.answered(EAST_SSM)
    breaker.failed(EAST_SSM, breaker.begin(EAST_SSM), "silent")
    assert is_down(breaker, EAST_STACKS)


def test_an_answer_of_another_service_during_the_call_leaves_the_region_up() -> None:
    """Only the service that did not answer is down."""
    breaker = Breaker()
    began = breaker.begin(EAST_SSM)
    breaker.answered(EAST_STACKS)
    breaker.failed(EAST_SSM, began, "silent")
    assert is_down(breaker, EAST_SSM)
    assert not is_down(breaker, EAST_STACKS)


def test_an_answer_of_the_same_service_during_the_call_shows_a_slow_operation() -> None:
    """Nothing is down: the stacks of the region are still listed while one operation is slow."""
    breaker = Breaker()
    began = breaker.begin(EAST_STACKS)
    breaker.answered(EAST_STACKS)
    breaker.failed(EAST_STACKS, began, "silent")
    assert not is_down(breaker, EAST_STACKS)


def test_an_error_of_one_service_leaves_the_region_up() -> None:
    """It has answered: its errors tell nothing of the other services."""
    breaker = Breaker()
    breaker.failed(EAST_SSM, breaker.begin(EAST_SSM), "InternalFailure", is_silent=False)
    assert is_down(breaker, EAST_SSM)
    assert not is_down(breaker, EAST_STACKS)


def test_errors_of_two_services_are_the_region_s() -> None:
    """Then nothing waits for a third one."""
    breaker = Breaker()
    for api in (EAST_SSM, EAST_STACKS):
        breaker.failed(api, breaker.begin(api), "InternalFailure", is_silent=False)
    assert is_down(breaker, Api("us-east-1", "Lambda"))
    assert not is_down(breaker, WEST_SSM)


def test_errors_with_an_answer_between_them_are_not_the_region_s() -> None:
    """Something of it works."""
    breaker = Breaker()
    breaker.failed(EAST_SSM, breaker.begin(EAST_SSM), "InternalFailure", is_silent=False)
    began = breaker.begin(EAST_STACKS)
    breaker.answered(Api("us-east-1", "Lambda"))
    breaker.failed(EAST_STACKS, began, "InternalFailure", is_silent=False)
    assert not is_down(breaker, Api("us-east-1", "Lambda"))


def test_an_answer_of_another_region_helps_nobody() -> None:
    """Each region is judged by its own answers."""
    breaker = Breaker()
    began = breaker.begin(EAST_SSM)
    breaker.answered(WEST_SSM)
    breaker.failed(EAST_SSM, began, "silent")
    assert is_down(breaker, EAST_STACKS)
    assert breaker.has_answered("us-west-2")
    assert not breaker.has_answered("us-east-1")


def test_the_first_reason_is_kept() -> None:
    """Calls under way that fail later add nothing."""
    breaker = Breaker()
    began = breaker.begin(EAST_SSM)
    breaker.failed(EAST_SSM, began, "refused")
    breaker.failed(EAST_STACKS, began, "silent")
    with pytest.raises(NoAnswer, match="refused"):
        breaker.check(EAST_STACKS)
