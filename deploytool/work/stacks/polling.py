"""When each region is listed next. Pure: the time is handed in, in the clock's seconds."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from deploytool.core.errors import ApiUnavailable, DeploytoolError, Throttled
from deploytool.core.stacks.durations import FIRST, LONGEST

# How many listings of a region in a row may be refused; botocore repeats each call itself.
REFUSED_LISTINGS = 5

# How many listings of a region in a row may get no answer. An outage is longer than a few seconds,
# and the next run continues what is under way.
UNANSWERED_LISTINGS = 2


@dataclass(frozen=True)
class RegionPoll:
    """The polling of one region.

    It is listed at `due`, unless it is being listed (`listing`). `refused` counts the listings in a
    row that AWS refused.
    """

    due: float
    listing: bool = False
    refused: int = 0

    def sooner(self, now: float) -> "RegionPoll":
        """Return the poll after an operation started, whose refusal may show at once."""
        return replace(self, due=min(self.due, now + FIRST))

    def started(self) -> "RegionPoll":
        """Return the poll while the region is being listed."""
        return replace(self, listing=True)

    def answered(self, due: float) -> "RegionPoll":
        """Return the poll after a listing; the next one is at `due`."""
        return RegionPoll(due)

    def failed(self, error: DeploytoolError, now: float) -> "RegionPoll":
        """Return the poll after a refused listing, which is repeated later.

        Raises the error when AWS refuses for good, or does not answer. Throttling always ends some
        time.
        """
        refused = self.refused + 1
        most = UNANSWERED_LISTINGS if isinstance(error, ApiUnavailable) else REFUSED_LISTINGS
        if refused > most and not isinstance(error, Throttled):
            raise error
        return RegionPoll(now + LONGEST, refused=refused)


class RegionPolls:
    """The polling of every region of a run."""

    def __init__(self) -> None:
        self._polls: dict[str, RegionPoll] = {}

    def poll_soon(self, region: str, now: float) -> None:
        """Poll a region soon, because an operation has just started there."""
        poll = self._polls.get(region, RegionPoll(now + FIRST))
        self._polls[region] = poll.sooner(now)

    def start_due(self, regions: Iterable[str], now: float) -> list[str]:
        """Return those of the regions whose time has come, sorted: they are being listed now."""
        due = []
        for region in sorted(regions):
            poll = self._polls[region]
            if not poll.listing and poll.due <= now:
                self._polls[region] = poll.started()
                due.append(region)
        return due

    def next_due(self, regions: Iterable[str]) -> list[float]:
        """Return when each of the regions is due that is not being listed."""
        polls = [self._polls[region] for region in regions]
        return [poll.due for poll in polls if not poll.listing]

    def answered(self, region: str, due: float) -> None:
        """Poll a region that was listed again at `due`."""
        self._polls[region] = self._polls[region].answered(due)

    def failed(self, region: str, error: DeploytoolError, now: float) -> None:
        """Poll a region again whose listing was refused. Raises the error as `RegionPoll` does."""
        self._polls[region] = self._polls[region].failed(error, now)
