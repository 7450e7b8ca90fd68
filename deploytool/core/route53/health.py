"""Health checks: one attempt, the count of one checker, and the verdict of all checkers. Pure.

Calculated health checks are in `calculated`, health checks on alarms in `alarms`.

Source of every rule not marked otherwise: Route 53 Developer Guide, "How Amazon Route 53 determines
whether a health check is healthy", and the API reference of HealthCheckConfig. "Our reading" marks
what AWS does not publish.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from deploytool.core.route53.alarms import LAST_KNOWN_STATUS, AlarmConfiguration, AlarmIdentifier

SEARCHED_BYTES = 5120  # a string match searches only this much of the body
HEALTHY_ABOVE_PERCENT = 18  # more than this share of the checkers makes the endpoint healthy
STATUS_SECONDS = 2.0  # from the TCP connection to the HTTP status

FEWEST_REGIONS = 3  # that a health check may name (HealthCheckConfig, Regions)

# The regions that a health check uses when it names none (HealthCheckConfig, Regions).
CHECKER_REGIONS = (
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
)


@dataclass(frozen=True)
class HealthCheckConfig:
    """The settings of a health check. Intervals in seconds; the names are those of the API.

    `regions` are the AWS regions of the checkers, empty for all of them. `health_threshold` and
    `child_health_checks` (ids) are for a calculated check, `alarm_identifier` and
    `insufficient_data_health_status` for a check on an alarm.
    """

    type: str  # HTTP, HTTPS, HTTP_STR_MATCH, HTTPS_STR_MATCH, TCP, CALCULATED, CLOUDWATCH_METRIC
    fqdn: str = ""
    ip_address: str = ""
    port: int = 443
    resource_path: str = "/"
    search_string: str = ""
    request_interval: int = 30
    failure_threshold: int = 3
    enable_sni: bool = True
    inverted: bool = False
    disabled: bool = False
    regions: tuple[str, ...] = ()
    health_threshold: int = 0
    child_health_checks: tuple[str, ...] = ()
    alarm_identifier: AlarmIdentifier | None = None
    insufficient_data_health_status: str = LAST_KNOWN_STATUS


@dataclass(frozen=True)
class HealthCheck:
    """A health check of Route 53. `version` is its HealthCheckVersion.

    `alarm` is what it read of its alarm when it was created or last updated.
    """

    id: str
    version: int
    config: HealthCheckConfig
    alarm: AlarmConfiguration | None = None


@dataclass(frozen=True)
class CheckerObservation:
    """The last result of one checker, which is in an AWS region and has an address.

    `status` is the text of the result, and `checked` its time (ISO 8601).
    """

    region: str
    address: str
    healthy: bool
    status: str
    checked: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class TimeLimits:
    """The time limits of one attempt in seconds: TCP connection, then status, then body.

    None means that the check does not use that part.
    """

    connect: float
    response: float | None = None
    body: float | None = None

    @property
    def total(self) -> float:
        """The longest that one attempt takes, in seconds."""
        return self.connect + (self.response or 0.0) + (self.body or 0.0)


@dataclass(frozen=True)
class Attempt:
    """The measurements of one checker in one check of the endpoint.

    All seconds are of the same clock as the limits that judge the attempt. `connect_seconds` is
    None when no TCP connection was made, `status` when no HTTP status came, and `body_seconds` when
    the body (or its first 5,120 bytes) did not come whole. `response_seconds` counts from the TCP
    connection and includes TLS. `failure` tells what stopped the attempt, empty when complete.
    """

    failure: str = ""
    connect_seconds: float | None = None
    status: int | None = None
    response_seconds: float = 0.0
    body: bytes = b""
    body_seconds: float | None = None


@dataclass(frozen=True)
class CheckResult:
    """Whether one attempt passed, and the status text that GetHealthCheckStatus shows."""

    success: bool
    status: str


def time_limits(config: HealthCheckConfig) -> TimeLimits:
    """Return the limits of one attempt in true seconds.

    TCP: 10 to connect. HTTP(S): 4 to connect and 2 to the status. A string match: 2 more for the
    body.
    """
    match config.type:
        case "TCP":
            return TimeLimits(connect=10.0)
        case "HTTP" | "HTTPS":
            return TimeLimits(connect=4.0, response=STATUS_SECONDS)
        case _:
            return TimeLimits(connect=4.0, response=STATUS_SECONDS, body=2.0)


def uses_tls(config: HealthCheckConfig) -> bool:
    """Return whether a check uses TLS. The endpoint's certificate is not validated."""
    return config.type.startswith("HTTPS")


def server_name(config: HealthCheckConfig) -> str | None:
    """Return the name that a check sends as SNI, None when it sends none.

    It is the FQDN when EnableSNI is true and the check uses TLS.
    """
    if not uses_tls(config) or not config.enable_sni:
        return None
    return config.fqdn or None


def host_header(config: HealthCheckConfig) -> str:
    """Return what an HTTP(S) check sends as Host: the FQDN, or the address without an FQDN.

    The port follows unless it is the protocol's default.
    Source: API reference of HealthCheckConfig, FullyQualifiedDomainName.
    """
    host = config.fqdn or config.ip_address
    default_port = 443 if uses_tls(config) else 80
    if config.port == default_port:
        return host
    return f"{host}:{config.port}"


def judge_check(
    config: HealthCheckConfig, attempt: Attempt, limits: TimeLimits | None = None
) -> CheckResult:
    """Judge one attempt.

    `limits` defaults to the true limits. A checker on a faster clock passes those of its own clock.
    A duration equal to its limit passes (our reading).
    """
    limits = limits or time_limits(config)

    if attempt.connect_seconds is None:
        return _failed(attempt.failure or "The health checker could not establish a connection.")
    if attempt.connect_seconds > limits.connect:
        return _failed(
            "The health checker could not establish a connection within the timeout limit."
        )
    if limits.response is None:
        return CheckResult(True, "Success: TCP connection established.")

    if attempt.status is None:
        return _failed(attempt.failure or "The endpoint sent no HTTP status.")
    return _judge_answer(config, attempt, attempt.status, limits.response, limits.body)


def _judge_answer(
    config: HealthCheckConfig,
    attempt: Attempt,
    status: int,
    response_limit: float,
    body_limit: float | None,
) -> CheckResult:
    """Judge an HTTP answer: its status, and its body where the check has a limit for it."""
    answer = _describe_status(status)
    if attempt.response_seconds > response_limit:
        return _failed(f"{answer}, but not within the timeout limit.")
    # 2xx and 3xx pass. A redirect is not followed.
    if not 200 <= status < 400:
        return _failed(answer)
    if body_limit is None:
        return CheckResult(True, f"Success: {answer}")

    if attempt.body_seconds is None or attempt.body_seconds > body_limit:
        return _failed(f"{answer}, but the response body did not arrive within the timeout limit.")
    # The string must be within these bytes entirely.
    if config.search_string.encode() not in attempt.body[:SEARCHED_BYTES]:
        return _failed(
            f"{answer}, but the first {SEARCHED_BYTES} bytes of the response body"
            " do not contain the search string."
        )
    return CheckResult(
        True, f"Success: {answer}, and the response body contains the search string."
    )


def _failed(reason: str) -> CheckResult:
    return CheckResult(False, f"Failure: {reason}")


def _describe_status(status: int) -> str:
    """Return an HTTP status as GetHealthCheckStatus shows it, like HTTP Status Code 200, OK."""
    try:
        return f"HTTP Status Code {status}, {HTTPStatus(status).phrase}"
    except ValueError:  # a code without a registered phrase, like 299
        return f"HTTP Status Code {status}"


@dataclass(frozen=True)
class CheckerState:
    """One checker's opinion of an endpoint, and the number of consecutive results against it.

    A new checker's opinion is healthy: Route 53 considers a new health check healthy until there is
    enough data.
    """

    healthy: bool = True
    against: int = 0

    def observe(self, success: bool, threshold: int) -> "CheckerState":  # noqa: FBT001 - what is observed
        """Return the state after one more result.

        The opinion changes after `threshold` results in a row against it, the same count both ways.
        """
        if success == self.healthy:
            return replace(self, against=0)

        # This result is the next one against the opinion.
        if self.against + 1 >= threshold:
            return CheckerState(healthy=success)
        return replace(self, against=self.against + 1)


def is_healthy(config: HealthCheckConfig, states: Iterable[CheckerState]) -> bool:
    """Return the verdict on a health check from the states of its checkers.

    It is healthy when more than 18 % of its checkers are, and when it has no checkers, as a new
    health check. A disabled health check counts as healthy. Inverted swaps the verdict last, also
    that of a new or disabled health check.
    """
    opinions = [state.healthy for state in states]
    # Integers, because the bound is strict: 18 of 100 checkers are not enough.
    enough_are_healthy = sum(opinions) * 100 > HEALTHY_ABOVE_PERCENT * len(opinions)
    healthy = config.disabled or not opinions or enough_are_healthy
    return healthy != config.inverted


def checkers_for(config: HealthCheckConfig) -> tuple[str, ...]:
    """Return the AWS region of each checker: 8 checkers at an interval of 30 s, 11 at 10 s.

    Our reading of a published fact, "about 15 checks a minute at 30 s, 60 to 70 a minute at 10 s":
    8 checkers make 16 checks a minute at 30 s, 11 make 66 at 10 s. Each of the eight regions has
    one. With 11, the first three have a second. A health check that names its regions has the
    checkers of these regions only.
    """
    regions = config.regions or CHECKER_REGIONS
    if config.request_interval == 10:
        return regions + regions[:3]
    return regions


def same_endpoint(one: HealthCheckConfig, other: HealthCheckConfig) -> bool:
    """Return whether two configurations check the same endpoint in the same way.

    They differ at most in FailureThreshold, Regions, Inverted and Disabled, which do not change the
    check itself.
    """
    return one == replace(
        other,
        failure_threshold=one.failure_threshold,
        regions=one.regions,
        inverted=one.inverted,
        disabled=one.disabled,
    )


def carry_over(old: HealthCheckConfig, new: HealthCheckConfig, state: CheckerState) -> CheckerState:
    """Return a checker's state after UpdateHealthCheck has changed `old` into `new`.

    Our reading, because AWS does not publish it. Any change that the rules below do not name, like
    that of Inverted, keeps the state.
    """
    if old == new:
        return state

    # Another endpoint is a new health check.
    if not same_endpoint(old, new):
        return CheckerState()

    # Disabling stops the checks, so that a health check that is enabled again starts anew.
    if old.disabled != new.disabled:
        return CheckerState()

    # Another threshold keeps the opinion and resets the count.
    if old.failure_threshold != new.failure_threshold:
        return replace(state, against=0)
    return state
