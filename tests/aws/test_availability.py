"""Calls to APIs that do not answer: real sockets, and a count of the attempts instead of a clock."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from deploytool.aws.errors import translated
from deploytool.aws.lambdas import LambdaFunctions
from deploytool.aws.limits import FIRST_CONTACT, PATIENT, QUICK, Limits
from deploytool.aws.parameters import ParameterLocks
from deploytool.aws.route53 import Route53Zones
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.core.errors import ApiUnavailable, CloudRefused, DeploytoolError, Throttled
from tests.aws.apis import Api, accepting, answering, refusing, unresolvable

# Two attempts, which wait as little as a test needs
SHORT = Limits(connect=0.2, read=0.2, attempts=2)
NAME = "/deploytool/hello/dev/deploy"
PARAMETER = {"Parameter": {"Value": "found"}}

UNAVAILABLE = {
    "error": lambda: answering(503, code="ServiceUnavailable"),
    "error without a code": lambda: answering(502, "<html>Bad Gateway</html>"),
    "internal failure": lambda: answering(500, code="InternalFailure"),
    "hang": lambda: accepting(close=False),
    "closed": lambda: accepting(close=True),
    "refused": refusing,
    "no such name": unresolvable,
}


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that botocore waits between the attempts, which do not pass."""
    waited: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", waited.append)
    return waited


def clients_of(url: str, limits: Limits = SHORT) -> Clients:
    return Clients(Endpoint(url, "key", "secret"), limits)


def attempts(api: Api) -> int:
    return len(api.requests) + api.connections


SILENT = [kind for kind in UNAVAILABLE if "error" not in kind and "failure" not in kind]
ERRORS = [kind for kind in UNAVAILABLE if kind not in SILENT]


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_are_those_of_a_service_until_a_second_one_has_them(kind: str) -> None:
    """SSM may be impaired while Route 53 works. After both nothing waits for a third service."""
    make: Callable[[], AbstractContextManager[Api]] = UNAVAILABLE[kind]
    with make() as api:
        clients = clients_of(api.url)
        locks = ParameterLocks(clients)
        with pytest.raises(ApiUnavailable, match="us-east-1 did not answer: ") as first:
            locks.read("us-east-1", NAME)
        with pytest.raises(ApiUnavailable, match="not tried"):
            locks.remove("us-east-1", NAME)
        assert attempts(api) == 2

        with pytest.raises(ApiUnavailable, match="Z1: the AWS API of us-east-1 did not answer"):
            Route53Zones(clients).get("Z1")
        assert attempts(api) == 4
        with pytest.raises(ApiUnavailable, match="not tried"):
            LambdaFunctions(clients).reserved_concurrency("us-east-1", "function")
        assert attempts(api) == 4
    assert first.value.exit_code == 4
    assert "deploytool check" in first.value.hint


@pytest.mark.parametrize("kind", SILENT)
def test_an_api_that_does_not_answer_is_asked_by_one_call_only(
    kind: str, waits: list[float]
) -> None:
    """The first call makes every attempt. Later calls to the region fail without one."""
    make: Callable[[], AbstractContextManager[Api]] = UNAVAILABLE[kind]
    with make() as api:
        clients = clients_of(api.url)
        locks = ParameterLocks(clients)
        with pytest.raises(
            ApiUnavailable, match=f"reading {NAME}.*us-east-1 did not answer: "
        ) as first:
            locks.read("us-east-1", NAME)
        waited = len(waits)
        made = attempts(api)

        with pytest.raises(ApiUnavailable, match=r"not tried.*us-east-1 did not answer before"):
            locks.remove("us-east-1", NAME)
        with pytest.raises(ApiUnavailable, match="Z1: not tried"):
            Route53Zones(clients).get("Z1")
        assert attempts(api) == made
        assert len(waits) == waited

    # Nobody can count the attempts to connect to a closed port
    assert made == (0 if kind in ("refused", "no such name") else 2)
    assert waited == 1
    assert first.value.exit_code == 4
    assert first.value.region == "us-east-1"
    assert "Route 53" in first.value.hint
    assert "deploytool check" in first.value.hint


def test_a_server_that_never_ends_the_handshake_does_not_answer() -> None:
    """As an API that hangs does it over HTTPS. The limit is that of the connection."""
    with accepting(close=False) as api:
        url = api.url.replace("http:", "https:")
        locks = ParameterLocks(clients_of(url, Limits(connect=0.2, read=60.0, attempts=2)))
        with pytest.raises(ApiUnavailable, match="us-east-1 did not answer"):
            locks.read("us-east-1", NAME)
        assert attempts(api) == 2


def test_an_answer_that_does_not_come_from_aws_is_none() -> None:
    """As from the login page of a network. Botocore does not repeat the call."""
    with answering(200, "Welcome to our wireless network") as api:
        zones = Route53Zones(clients_of(api.url))
        for _ in range(2):
            with pytest.raises(ApiUnavailable, match="us-east-1 did not answer"):
                zones.get("Z1")
        assert attempts(api) == 1


def test_a_dead_region_does_not_stop_the_other() -> None:
    """One server answers for both, as a local cloud does."""
    with answering(200, PARAMETER, dead=("us-east-1",)) as api:
        locks = ParameterLocks(clients_of(api.url))
        with pytest.raises(ApiUnavailable, match="us-east-1"):
            locks.read("us-east-1", NAME)
        assert locks.read("us-west-2", NAME) == "found"
        with pytest.raises(ApiUnavailable, match="not tried"):
            locks.read("us-east-1", NAME)
        assert locks.read("us-west-2", NAME) == "found"
        regions = [region for region, _, _ in api.requests]
    assert regions == ["us-east-1", "us-east-1", "us-west-2", "us-west-2"]


def test_a_project_outside_of_us_east_1_works_without_it() -> None:
    """Only the control planes of the global services are missing, and the error says so."""
    with answering(200, PARAMETER, dead=("us-east-1",)) as api:
        clients = clients_of(api.url)
        with pytest.raises(ApiUnavailable, match="reading hosted zone Z1") as caught:
            Route53Zones(clients).get("Z1")
        assert caught.value.region == "us-east-1"
        locks = ParameterLocks(clients)
        assert locks.read("eu-west-1", NAME) == "found"
        assert locks.read("eu-central-1", NAME) == "found"


def test_the_hint_names_no_global_service_for_another_region() -> None:
    """us-west-2 has the control plane of none."""
    with refusing() as api, pytest.raises(ApiUnavailable) as caught:
        ParameterLocks(clients_of(api.url)).read("us-west-2", NAME)
    assert "Route 53" not in caught.value.hint


def test_the_hint_names_the_variables_that_set_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong address is as likely as a dead region then."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1")
    with refusing() as api, pytest.raises(ApiUnavailable) as caught:
        ParameterLocks(clients_of(api.url)).read("us-west-2", NAME)
    assert "AWS_ENDPOINT_URL_SSM" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "code", "class_"),
    [
        (400, "ThrottlingException", Throttled),
        (503, "SlowDown", Throttled),
        (400, "PriorRequestNotComplete", Throttled),
        (403, "AccessDeniedException", CloudRefused),
        (400, "ValidationException", DeploytoolError),
    ],
)
def test_a_region_that_says_no_is_up(status: int, code: str, class_: type[DeploytoolError]) -> None:
    """Throttling too, whatever its status. The region is asked again."""
    with answering(status, code=code) as api:
        locks = ParameterLocks(clients_of(api.url))
        for _ in range(2):
            made = len(api.requests)
            with pytest.raises(class_) as caught:
                locks.read("us-east-1", NAME)
            assert type(caught.value) is class_
            assert len(api.requests) > made


@pytest.mark.parametrize(("limits", "made"), [(QUICK, 6), (SHORT, 6), (PATIENT, 8)])
def test_a_throttled_call_is_repeated_also_by_a_quick_command(
    limits: Limits, made: int, waits: list[float]
) -> None:
    """A refusal comes at once, so it is no reason to give up a failover after two attempts."""
    with answering(400, code="ThrottlingException") as api:
        clients = clients_of(api.url, limits)
        # The first call may have the limits of a region that has not answered yet
        for _ in range(2):
            waits.clear()
            api.requests.clear()
            with pytest.raises(Throttled):
                ParameterLocks(clients).read("us-east-1", NAME)
    assert len(api.requests) == made
    assert len(waits) == made - 1
    if limits is QUICK:
        assert sum(waits) <= 7.4


def test_a_call_under_way_ends_when_another_finds_the_region_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It makes no more attempts, so that the waits of concurrent calls do not add up."""
    waits, found_down = threading.Event(), threading.Event()
    errors: list[DeploytoolError] = []

    def wait(_: float) -> None:
        if threading.current_thread() is thread:
            waits.set()
            found_down.wait(20)

    def call_slowly() -> None:
        with pytest.raises(ApiUnavailable) as caught, translated("reading"):
            client.get_parameter(Name=NAME)
        errors.append(caught.value)

    monkeypatch.setattr("botocore.endpoint.time.sleep", wait)
    with accepting(close=False) as api:
        clients = clients_of(api.url, Limits(connect=0.2, read=0.2, attempts=100))
        client = clients.get("ssm", "us-east-1")
        monkeypatch.setattr(clients, "_limits", SHORT)

        thread = threading.Thread(target=call_slowly)
        thread.start()
        waits.wait(20)
        with pytest.raises(ApiUnavailable, match="did not answer: "):
            ParameterLocks(clients).read("us-east-1", NAME)
        found_down.set()
        thread.join()

    assert "not tried" in str(errors[0])
    assert attempts(api) == 1 + SHORT.attempts


def test_a_patient_command_is_quick_until_a_region_has_answered() -> None:
    """Then the region is known to be up, and each call waits longer."""
    with answering(200, PARAMETER) as api:
        clients = clients_of(api.url, PATIENT)
        first = clients.get("ssm", "us-east-1")
        assert first.meta.config.read_timeout == FIRST_CONTACT.read
        first.get_parameter(Name=NAME)

        config = clients.get("ssm", "us-east-1").meta.config
        assert (config.connect_timeout, config.read_timeout) == (PATIENT.connect, PATIENT.read)
        assert config.retries == {"mode": "standard", "total_max_attempts": PATIENT.attempts}
        assert clients.get("ssm", "us-west-2").meta.config.read_timeout == FIRST_CONTACT.read


@pytest.mark.parametrize(("limits", "seconds"), [(QUICK, 6), (FIRST_CONTACT, 10)])
def test_a_dead_region_is_found_in_time(limits: Limits, seconds: float) -> None:
    """In the worst case, with botocore's longest wait between two attempts, which is 1 s."""
    hanging = limits.attempts * limits.read + 1
    unreachable = limits.attempts * limits.connect + 1
    assert limits.attempts == 2
    assert max(hanging, unreachable) <= seconds


def test_a_quick_commands_limits_are_the_same_for_every_call() -> None:
    """None is botocore's own."""
    with answering(200, PARAMETER) as api:
        clients = clients_of(api.url, QUICK)
        for _ in range(2):
            client = clients.get("ssm", "us-east-1")
            client.get_parameter(Name=NAME)
            config = client.meta.config
            assert (config.connect_timeout, config.read_timeout) == (QUICK.connect, QUICK.read)
            assert config.retries == {"mode": "standard", "total_max_attempts": QUICK.attempts}
