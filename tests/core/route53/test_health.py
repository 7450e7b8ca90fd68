"""Health checks: each published rule, and how many results change a verdict."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploytool.core.route53.health import (
    CHECKER_REGIONS,
    SEARCHED_BYTES,
    Attempt,
    CheckerState,
    HealthCheckConfig,
    TimeLimits,
    carry_over,
    checkers_for,
    host_header,
    is_healthy,
    judge_check,
    same_endpoint,
    server_name,
    time_limits,
)

HTTPS = HealthCheckConfig("HTTPS", fqdn="us-east-1.example.com", request_interval=10)
MATCH = replace(HTTPS, type="HTTPS_STR_MATCH", search_string="ok")
TCP = replace(HTTPS, type="TCP")
GOOD = Attempt(
    connect_seconds=0.1, status=200, response_seconds=0.2, body=b"all ok", body_seconds=0.1
)
UP, DOWN = CheckerState(True), CheckerState(False)


@pytest.mark.parametrize(
    ("config", "attempt", "success"),
    [
        pytest.param(HTTPS, GOOD, True, id="connected and 200"),
        pytest.param(replace(HTTPS, type="HTTP"), GOOD, True, id="HTTP as HTTPS"),
        pytest.param(HTTPS, replace(GOOD, connect_seconds=4.0), True, id="connected at 4 s"),
        pytest.param(HTTPS, replace(GOOD, connect_seconds=4.1), False, id="connected after 4 s"),
        pytest.param(HTTPS, replace(GOOD, response_seconds=2.0), True, id="status at 2 s more"),
        pytest.param(HTTPS, replace(GOOD, response_seconds=2.1), False, id="status after 2 s more"),
        pytest.param(
            HTTPS, replace(GOOD, connect_seconds=4.0, response_seconds=2.0), True, id="6 s in all"
        ),
        pytest.param(HTTPS, replace(GOOD, status=199), False, id="199"),
        pytest.param(HTTPS, replace(GOOD, status=299), True, id="299, a code without a phrase"),
        pytest.param(HTTPS, replace(GOOD, status=302), True, id="302, not followed"),
        pytest.param(HTTPS, replace(GOOD, status=399), True, id="399"),
        pytest.param(HTTPS, replace(GOOD, status=400), False, id="400"),
        pytest.param(HTTPS, replace(GOOD, status=503), False, id="503"),
        pytest.param(HTTPS, Attempt(), False, id="no connection"),
        pytest.param(HTTPS, Attempt(failure="Connection refused."), False, id="refused"),
        pytest.param(HTTPS, Attempt(connect_seconds=0.1), False, id="connected, no status"),
        pytest.param(TCP, Attempt(connect_seconds=10.0), True, id="TCP connected at 10 s"),
        pytest.param(TCP, Attempt(connect_seconds=10.1), False, id="TCP connected after 10 s"),
        pytest.param(TCP, Attempt(failure="Connection refused."), False, id="TCP refused"),
        pytest.param(MATCH, GOOD, True, id="string in the body"),
        pytest.param(MATCH, replace(GOOD, body=b"all well"), False, id="string not in the body"),
        pytest.param(MATCH, replace(GOOD, status=500), False, id="string in the body of a 500"),
        pytest.param(MATCH, replace(GOOD, body_seconds=2.0), True, id="body at 2 s more"),
        pytest.param(MATCH, replace(GOOD, body_seconds=2.1), False, id="body after 2 s more"),
        pytest.param(MATCH, replace(GOOD, body_seconds=None), False, id="body not whole"),
        pytest.param(
            MATCH,
            replace(GOOD, body=b"." * (SEARCHED_BYTES - 2) + b"ok"),
            True,
            id="string ends at byte 5120",
        ),
        pytest.param(
            MATCH,
            replace(GOOD, body=b"." * (SEARCHED_BYTES - 1) + b"ok"),
            False,
            id="string ends at byte 5121",
        ),
    ],
)
def test_one_attempt(config: HealthCheckConfig, attempt: Attempt, success: bool) -> None:
    """An attempt passes by the rules for HTTP, HTTPS, TCP and string match, and its text agrees."""
    result = judge_check(config, attempt)
    assert result.success == success
    assert result.status.startswith("Success: " if success else "Failure: ")


@pytest.mark.parametrize(
    ("attempt", "status"),
    [
        (GOOD, "Success: HTTP Status Code 200, OK"),
        (replace(GOOD, status=503), "Failure: HTTP Status Code 503, Service Unavailable"),
        (Attempt(failure="DNS resolution failed: x"), "Failure: DNS resolution failed: x"),
    ],
)
def test_status_text(attempt: Attempt, status: str) -> None:
    """The status text is the one that GetHealthCheckStatus shows."""
    assert judge_check(HTTPS, attempt).status == status


def test_limits_of_a_faster_clock() -> None:
    """An attempt whose seconds are of another clock is judged by the limits of that clock."""
    slow = replace(GOOD, connect_seconds=0.5)
    assert judge_check(HTTPS, slow, TimeLimits(0.6, 0.3)).success
    assert not judge_check(HTTPS, slow, TimeLimits(0.4, 0.3)).success


@pytest.mark.parametrize(
    ("type_", "seconds"),
    [("HTTP", 6), ("HTTPS", 6), ("HTTP_STR_MATCH", 8), ("HTTPS_STR_MATCH", 8), ("TCP", 10)],
)
def test_time_limits(type_: str, seconds: float) -> None:
    """One attempt takes at most 6 s for HTTP(S), 2 s more to match a string, 10 s for TCP."""
    assert time_limits(replace(HTTPS, type=type_)).total == seconds


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (HTTPS, "us-east-1.example.com"),
        (MATCH, "us-east-1.example.com"),
        (replace(HTTPS, enable_sni=False), None),
        (replace(HTTPS, type="HTTP"), None),
        (replace(HTTPS, fqdn="", ip_address="192.0.2.1"), None),
    ],
)
def test_server_name(config: HealthCheckConfig, name: str | None) -> None:
    """SNI is the FQDN. It is sent when EnableSNI is true and the check uses TLS."""
    assert server_name(config) == name


@pytest.mark.parametrize(
    ("config", "host"),
    [
        (HTTPS, "us-east-1.example.com"),
        (replace(HTTPS, port=8443), "us-east-1.example.com:8443"),
        (replace(HTTPS, type="HTTP", port=80), "us-east-1.example.com"),
        (replace(HTTPS, type="HTTP"), "us-east-1.example.com:443"),
        (replace(HTTPS, fqdn="", ip_address="192.0.2.1"), "192.0.2.1"),
    ],
)
def test_host_header(config: HealthCheckConfig, host: str) -> None:
    """Host is the FQDN or the address, with the port unless it is the protocol's default."""
    assert host_header(config) == host


def test_a_new_checker_is_healthy() -> None:
    """A new checker's opinion is healthy until the threshold of failures is reached."""
    state = CheckerState().observe(False, 3).observe(False, 3)
    assert state.healthy
    assert not state.observe(False, 3).healthy


@pytest.mark.parametrize("threshold", range(1, 11))
@pytest.mark.parametrize("healthy", [True, False])
def test_threshold_is_the_same_both_ways(threshold: int, healthy: bool) -> None:
    """The same number of consecutive results, 1 to 10, makes a checker fail and recover."""
    state = CheckerState(healthy)
    for _ in range(threshold - 1):
        state = state.observe(not healthy, threshold)
        assert state.healthy == healthy
    assert state.observe(not healthy, threshold).healthy != healthy


def test_one_other_result_starts_the_count_again() -> None:
    """Only consecutive results count: one other result resets the count."""
    state = (
        UP.observe(False, 3).observe(False, 3).observe(True, 3).observe(False, 3).observe(False, 3)
    )
    assert state.healthy


@pytest.mark.parametrize(
    ("healthy_checkers", "all_checkers", "healthy"),
    [
        (0, 8, False),
        (1, 8, False),
        (2, 8, True),
        (8, 8, True),
        (1, 11, False),
        (2, 11, True),
        (18, 100, False),
        (19, 100, True),
        (0, 0, True),
    ],
)
def test_aggregation(healthy_checkers: int, all_checkers: int, healthy: bool) -> None:
    """More than 18 % of the checkers make a check healthy; without checkers it is healthy."""
    states = [UP] * healthy_checkers + [DOWN] * (all_checkers - healthy_checkers)
    assert is_healthy(HTTPS, states) == healthy


@pytest.mark.parametrize(
    ("inverted", "disabled", "states", "healthy"),
    [
        pytest.param(True, False, [UP] * 8, False, id="inverted while up"),
        pytest.param(True, False, [DOWN] * 8, True, id="inverted while down"),
        pytest.param(True, False, [], False, id="inverted and new"),
        pytest.param(False, True, [DOWN] * 8, True, id="disabled while down"),
        pytest.param(True, True, [UP] * 8, False, id="disabled and inverted"),
        pytest.param(True, True, [DOWN] * 8, False, id="disabled and inverted while down"),
    ],
)
def test_inverted_and_disabled(
    inverted: bool, disabled: bool, states: list[CheckerState], healthy: bool
) -> None:
    """Disabled counts as healthy; Inverted swaps every verdict, also of a new or disabled check."""
    assert is_healthy(replace(HTTPS, inverted=inverted, disabled=disabled), states) == healthy


@pytest.mark.parametrize(("interval", "least", "most"), [(30, 14, 16), (10, 60, 70)])
def test_checks_a_minute(interval: int, least: float, most: float) -> None:
    """There are about 15 checks a minute at 30 s and 60 to 70 at 10 s, from all eight regions."""
    regions = checkers_for(replace(HTTPS, request_interval=interval))
    assert least <= len(regions) * 60 / interval <= most
    assert set(regions) == set(CHECKER_REGIONS)
    assert len(CHECKER_REGIONS) == 8


@pytest.mark.parametrize(("interval", "count"), [(30, 3), (10, 6)])
def test_chosen_regions(interval: int, count: int) -> None:
    """A health check that names its regions has checkers in each of them and nowhere else."""
    chosen = ("us-west-1", "eu-west-1", "sa-east-1")
    regions = checkers_for(replace(HTTPS, request_interval=interval, regions=chosen))
    assert len(regions) == count
    assert set(regions) == set(chosen)


@pytest.mark.parametrize(
    ("change", "after"),
    [
        pytest.param({"inverted": True}, CheckerState(False, 1), id="inverted: keeps both"),
        pytest.param(
            {"failure_threshold": 5}, CheckerState(False, 0), id="threshold: resets the count"
        ),
        pytest.param({"resource_path": "/other"}, CheckerState(), id="endpoint: starts again"),
        pytest.param({"disabled": True}, CheckerState(), id="disabled: starts again"),
        pytest.param({"regions": ("us-west-1",)}, CheckerState(False, 1), id="regions: keeps both"),
    ],
)
def test_carry_over(change: dict[str, Any], after: CheckerState) -> None:
    """An update of the endpoint, the threshold or Disabled resets a checker; others keep it."""
    new = replace(HTTPS, **change)
    assert carry_over(HTTPS, new, CheckerState(False, 1)) == after
    assert same_endpoint(HTTPS, new) == ("resource_path" not in change)


def opinion_from_history(history: list[bool], threshold: int) -> bool:
    """Return a checker's opinion by its definition.

    It is the result of the last run of at least `threshold` equal results, healthy without one.
    """
    for end in range(len(history), threshold - 1, -1):
        window = history[end - threshold : end]
        if len(set(window)) == 1:
            return window[0]
    return True


@settings(deadline=None)
@given(
    checkers=st.integers(1, 11),
    threshold=st.integers(1, 10),
    results=st.lists(st.tuples(st.integers(0, 10), st.booleans(), st.integers(1, 10)), max_size=60),
    inverted=st.booleans(),
)
def test_no_verdict_changes_on_too_few_results(
    checkers: int, threshold: int, results: list[tuple[int, bool, int]], inverted: bool
) -> None:
    """In any order of results, each checker that changes the verdict has reached its threshold."""
    config = replace(HTTPS, failure_threshold=threshold, inverted=inverted)
    states = [CheckerState()] * checkers
    histories: list[list[bool]] = [[] for _ in states]
    assert is_healthy(config, states) != inverted
    for number, success, times in results:
        checker = number % checkers
        for _ in range(times):
            states[checker] = states[checker].observe(success, threshold)
            histories[checker].append(success)

            down = sum(not opinion_from_history(history, threshold) for history in histories)
            expected = (checkers - down) / checkers > 0.18
            assert is_healthy(config, states) == (expected != inverted)


@settings(deadline=None)
@given(
    threshold=st.integers(2, 10),
    runs=st.lists(st.tuples(st.integers(0, 7), st.integers(1, 9)), max_size=40),
)
def test_failures_below_the_threshold_never_make_it_unhealthy(
    threshold: int, runs: list[tuple[int, int]]
) -> None:
    """Failures that a success follows before the threshold never make a check unhealthy."""
    states = [CheckerState()] * 8
    for checker, length in runs:
        for success in [False] * min(length, threshold - 1) + [True]:
            states[checker] = states[checker].observe(success, threshold)
            assert is_healthy(replace(HTTPS, failure_threshold=threshold), states)
