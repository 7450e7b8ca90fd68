"""Calculated health checks: how many children must be healthy."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.route53.calculated import (
    MOST_CHILDREN,
    is_calculated_healthy,
    monitors_endpoint,
)
from deploytool.core.route53.health import HealthCheckConfig, is_healthy

ALL = HealthCheckConfig("CALCULATED", health_threshold=2, child_health_checks=("one", "two"))


@pytest.mark.parametrize(
    ("threshold", "children", "healthy"),
    [
        pytest.param(2, [True, True], True, id="all of two"),
        pytest.param(2, [True, False], False, id="one of two is not enough"),
        pytest.param(1, [False, True], True, id="at least one"),
        pytest.param(1, [False, False], False, id="none"),
        pytest.param(0, [False, False], True, id="0 is always healthy"),
        pytest.param(0, [], True, id="0 without children"),
        pytest.param(3, [True, True], False, id="more than there are is always unhealthy"),
        pytest.param(1, [], False, id="no children"),
    ],
)
def test_threshold(threshold: int, children: list[bool], healthy: bool) -> None:
    """It is healthy when at least HealthThreshold children are; Inverted swaps that last."""
    config = replace(ALL, health_threshold=threshold)
    assert is_calculated_healthy(config, children) == healthy
    assert is_calculated_healthy(replace(config, inverted=True), children) != healthy


@pytest.mark.parametrize("inverted", [False, True])
def test_disabled(inverted: bool) -> None:
    """A disabled calculated check counts as healthy, and Inverted still swaps it."""
    config = replace(ALL, disabled=True, inverted=inverted)
    assert is_calculated_healthy(config, [False, False]) != inverted


def test_a_disabled_child_counts_as_healthy() -> None:
    """The verdict on a disabled child is healthy, so it counts towards the threshold."""
    child = HealthCheckConfig("HTTPS", disabled=True)
    assert is_calculated_healthy(ALL, [is_healthy(child, ()), True])


def test_types() -> None:
    """Checkers check an endpoint for every type but CALCULATED and CLOUDWATCH_METRIC."""
    types = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")
    assert all(monitors_endpoint(HealthCheckConfig(type_)) for type_ in types)
    assert not monitors_endpoint(ALL)
    assert not monitors_endpoint(HealthCheckConfig("CLOUDWATCH_METRIC"))


@given(
    threshold=st.integers(0, MOST_CHILDREN + 1),
    children=st.lists(st.booleans(), max_size=MOST_CHILDREN),
    position=st.integers(0, MOST_CHILDREN - 1),
)
def test_a_child_that_recovers_never_makes_the_parent_unhealthy(
    threshold: int, children: list[bool], position: int
) -> None:
    """The verdict grows with the children, whatever the threshold."""
    config = replace(ALL, health_threshold=threshold)
    recovered = list(children)
    if recovered:
        recovered[position % len(recovered)] = True
    assert is_calculated_healthy(config, children) <= is_calculated_healthy(config, recovered)
