"""When a region is polled: tested without a clock."""

import pytest

from deploytool.core.errors import CloudRefused, Throttled
from deploytool.core.stacks.durations import FIRST, LONGEST
from deploytool.work.stacks.polling import REFUSED_LISTINGS, RegionPoll, RegionPolls

EAST, WEST = "us-east-1", "us-west-2"


def test_a_region_is_polled_soon_after_an_operation_started() -> None:
    """A refusal shows at once. A poll that is due earlier stays."""
    assert RegionPoll(9.0).sooner(1.0).due == 1.0 + FIRST
    assert RegionPoll(1.0).sooner(1.0).due == 1.0


def test_a_region_is_listed_once_at_a_time() -> None:
    """It is not due again before its answer has come."""
    polls = RegionPolls()
    polls.poll_soon(EAST, 0.0)
    assert polls.start_due([EAST], 0.0) == []
    assert polls.start_due([EAST], FIRST) == [EAST]
    assert polls.start_due([EAST], 9.0) == []
    assert polls.next_due([EAST]) == []
    polls.answered(EAST, 12.0)
    assert polls.next_due([EAST]) == [12.0]
    assert polls.start_due([EAST], 12.0) == [EAST]


def test_only_the_regions_of_the_run_are_listed() -> None:
    """A region whose stacks are all done is left alone."""
    polls = RegionPolls()
    polls.poll_soon(EAST, 0.0)
    polls.poll_soon(WEST, 0.0)
    assert polls.start_due([WEST], 1.0) == [WEST]


def test_a_refused_listing_is_repeated_some_times() -> None:
    """Then the error is raised. An answer between starts the count again."""
    poll = RegionPoll(0.0)
    for _ in range(REFUSED_LISTINGS):
        poll = poll.failed(CloudRefused("no route"), 1.0)
    assert poll.due == 1.0 + LONGEST
    with pytest.raises(CloudRefused, match="no route"):
        poll.failed(CloudRefused("no route"), 1.0)
    assert poll.answered(2.0) == RegionPoll(2.0)


def test_a_throttled_listing_is_repeated_without_end() -> None:
    """The account has too many calls for some time; that passes."""
    poll = RegionPoll(0.0)
    for _ in range(10 * REFUSED_LISTINGS):
        poll = poll.failed(Throttled("Rate exceeded"), 1.0)
    assert not poll.listing
