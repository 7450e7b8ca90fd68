"""The checks of the account's quotas, against what the stages will create."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from deploytool.core.doctor.finding import Finding, Topic
from deploytool.core.doctor.ports import Quotas
from deploytool.core.doctor.quotas import (
    DOMAIN_NAME_QUOTA,
    DOMAIN_NAMES,
    FUNCTIONS,
    HEALTH_CHECKS,
    HOSTED_ZONES,
    ROUTE53_QUOTAS,
    Concurrency,
    Usage,
    in_region,
    increase,
    judge_concurrency,
    judge_room,
    to_create,
)
from deploytool.work.doctor.run import Once
from deploytool.work.doctor.stages import StageState

MORE_IN_ROUTE53 = f"ask for more: {ROUTE53_QUOTAS}"


def domain_names_topic(region: str) -> Topic:
    """Return what the check of a region's domain names is about."""
    return Topic(f"quota.domain-names.{region}", f"domain names {region}")


HOSTED_ZONES_TOPIC = Topic("quota.hosted-zones", "hosted zones")
HEALTH_CHECKS_TOPIC = Topic("quota.health-checks", "health checks")


def check_domain_names(
    region: str, quotas: Quotas, states: Sequence[StageState]
) -> Iterator[Finding]:
    """Compare the custom domain names of a region with their quota."""
    usage = quotas.domain_names(region)
    needed = _needed(states, DOMAIN_NAMES, region)
    more = increase(DOMAIN_NAME_QUOTA, usage.used + needed, region)
    yield judge_room(domain_names_topic(region), usage, needed, more)


def check_hosted_zones(quotas: Quotas, states: Sequence[StageState]) -> Iterator[Finding]:
    """Compare the hosted zones of the account with their quota."""
    yield _route53(HOSTED_ZONES_TOPIC, quotas.hosted_zones, states, HOSTED_ZONES)


def check_health_checks(quotas: Quotas, states: Sequence[StageState]) -> Iterator[Finding]:
    """Compare the health checks of the account with their quota."""
    yield _route53(HEALTH_CHECKS_TOPIC, quotas.health_checks, states, HEALTH_CHECKS)


def check_concurrency(
    region: str,
    primary: str,
    concurrency: Mapping[str, Once[Concurrency]],
    states: Sequence[StageState],
) -> Iterator[Finding]:
    """Compare the concurrency of a region with that of the primary, whose traffic it takes over."""
    own = concurrency[region].get()
    functions = sum(in_region(state.graph.get(), FUNCTIONS, region) for state in states)
    other = None if region == primary else concurrency[primary].get()
    yield judge_concurrency(region, own, other, functions)


def _route53(
    topic: Topic,
    read: Callable[[], Usage],
    states: Sequence[StageState],
    types: Collection[str],
) -> Finding:
    return judge_room(topic, read(), _needed(states, types), MORE_IN_ROUTE53)


def _needed(states: Sequence[StageState], types: Collection[str], region: str = "") -> int:
    return sum(
        to_create(state.graph.get(), state.deployed.get(), types, region) for state in states
    )
