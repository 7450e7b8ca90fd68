"""Decides from the health checks of a pair that deploytool did not deploy whether to drill it. Pure.

What its records alone tell, `core.route53.pairs` decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from deploytool.core.route53.calculated import CALCULATED
from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.pairs import FailoverPair
from deploytool.core.route53.verdicts import ENDPOINT_TYPES, CheckStates, Dependent

# Records and names that a message lists. A zone may have thousands.
MOST_LISTED = 20


@dataclass(frozen=True)
class PairState:
    """A pair with the state of everything that a drill of it touches or depends on.

    `health_check_id` is the one to invert. `followers` are the names that point to the domain.
    """

    pair: FailoverPair
    health_check_id: str
    states: CheckStates
    dependents: tuple[Dependent, ...] = ()
    followers: tuple[str, ...] = ()

    @property
    def health_check(self) -> HealthCheck:
        """The health check to invert."""
        return self.states.checks[self.health_check_id]

    @property
    def children(self) -> tuple[str, ...]:
        """The ids of its children, where it is a calculated one."""
        return self.health_check.config.child_health_checks


def reasons_against_pair(state: PairState) -> tuple[str, ...]:
    """Return why a drill of the pair would prove nothing or do harm; empty when it may begin."""
    reasons = [*_own_check(state), *_secondary(state)]
    if state.dependents:
        reasons.append(
            f"health check {state.health_check_id} moves other records too:"
            f" {listed([str(each) for each in state.dependents])}; give the primary of"
            f" {state.pair.domain} a health check of its own"
        )
    return tuple(reasons)


def hint_against_pair(state: PairState) -> str:
    """Return what to do first about the reasons."""
    if state.health_check.config.inverted:
        return (
            f"if a drill has left it so: deploytool restore --domain {state.pair.domain};"
            " a health check that is inverted on purpose is not drilled"
        )
    return ""


def listed(texts: Sequence[str]) -> str:
    """Return texts as a list of which the end is left out when it is long."""
    shown = "; ".join(texts[:MOST_LISTED])
    if len(texts) > MOST_LISTED:
        shown += f"; and {len(texts) - MOST_LISTED} more"
    return shown


def _own_check(state: PairState) -> list[str]:
    config = state.health_check.config
    name = f"health check {state.health_check_id} of the primary"
    reasons: list[str] = []
    if config.type == "CLOUDWATCH_METRIC":
        # API reference of UpdateHealthCheck: each update reads the alarm's settings again
        reasons.append(
            f"{name} watches a CloudWatch alarm: each update lets Route 53 read the alarm's settings"
            " again, which no restore takes back, and Route 53's API does not tell its status; make"
            " it the child of a calculated health check, which can be drilled"
        )
    elif config.type not in (*ENDPOINT_TYPES, CALCULATED):
        reasons.append(
            f"{name} is of type {config.type}, which is moved by its routing control and not by an"
            " inversion"
        )
    if config.inverted:
        reasons.append(f"{name} is inverted already")
    if config.disabled:
        reasons.append(f"{name} is disabled: it never starts a failover")
    # A calculated one with an alarm below it may not be known; then DNS tells, which is asked too
    if state.states.counted(state.health_check_id) is False:
        children = ""
        if state.children:
            children = f", by its children {children_in_words(state)}"
        reasons.append(f"the primary is unhealthy now: {name} says so{children}")
    return reasons


def children_in_words(state: PairState) -> str:
    """Return each child of a calculated health check with its verdict."""
    words = {True: "healthy", False: "unhealthy", None: "not known"}
    return ", ".join(f"{id_} ({words[state.states.verdict(id_)]})" for id_ in state.children)


def _secondary(state: PairState) -> list[str]:
    pair, states = state.pair, state.states
    checks = ", ".join(pair.secondary.health_checks())
    if not checks:
        return []
    name = f"the secondary, whose health check is {checks},"
    healthy = pair.secondary.healthy(states.verdict)
    if healthy is False:
        return [f"{name} is unhealthy now: a failover would not happen"]
    if healthy is None:
        return [
            (
                f"{name} cannot be judged: Route 53's API does not tell the status of a health check on"
                " an alarm or on a routing control, and with both unhealthy it answers with the primary"
            )
        ]
    inverted = replace(states, inverting=state.health_check_id)
    if pair.secondary.healthy(inverted.verdict) is not True:
        return [
            (
                f"{name} depends on the health check of the primary, {state.health_check_id}: with that"
                " inverted it is unhealthy too, and Route 53 answers with the primary"
            )
        ]
    return []
