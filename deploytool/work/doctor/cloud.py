"""The checks of the account: who calls, where the calls go, and each region of the project."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from deploytool.core.doctor.cloud import CREDENTIALS, judge_caller, judge_endpoints, judge_region
from deploytool.core.doctor.finding import Finding, Topic
from deploytool.core.errors import CloudRefused, DeploytoolError
from deploytool.core.whereabouts import Caller, Whereabouts
from deploytool.work.doctor.run import Once

EnabledRegions = Mapping[str, Once[Collection[str]]]


@dataclass(frozen=True)
class Account:
    """How the account is asked: who calls, and which addresses the user has set.

    `profile` is the one in use, "" when keys of the environment are.
    """

    caller: Once[Caller]
    endpoints: Callable[[], Mapping[str, str]]
    profile: str
    regions: Sequence[str]


def check_caller(account: Account) -> Iterator[Finding]:
    """Ask STS who calls. Credentials that AWS refuses are a problem."""
    try:
        caller = account.caller.get()
    except CloudRefused as error:
        yield CREDENTIALS.failed(error)
        return
    yield judge_caller(caller, account.profile, account.regions[0])


def check_endpoints(account: Account) -> Iterator[Finding]:
    """Look at the addresses that the user has set; there is nothing to say without any."""
    whereabouts = Whereabouts(Caller(), tuple(account.regions), account.endpoints())
    finding = judge_endpoints(whereabouts)
    if finding is not None:
        yield finding


def check_region(region: str, enabled: EnabledRegions) -> Iterator[Finding]:
    """Ask a region's own API whether the region is enabled; another one's when that is refused.

    `enabled` has for each region what its API answers.
    """
    own: Collection[str] | DeploytoolError
    try:
        own = enabled[region].get()
    except DeploytoolError as error:
        own = error

    others: dict[str, Collection[str]] = {}
    if isinstance(own, DeploytoolError):
        for name, answer in enabled.items():
            try:
                others[name] = answer.get()
            except DeploytoolError:
                # It has a finding of its own
                continue
    yield judge_region(region, own, others)


def check_api(region: str, list_stacks: Callable[[], object]) -> Iterator[Finding]:
    """Make one call to the API of a region of the local cloud."""
    topic = Topic(f"region.{region}", region)
    try:
        list_stacks()
    except DeploytoolError as error:
        yield topic.failed(error)
        return
    yield topic.ok("its API answers")
