"""The health checkers: attempts against real servers, and verdicts on a scripted endpoint."""

import asyncio
import datetime as dt
import random
import socket
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploytool.core.route53.alarms import AlarmConfiguration, AlarmIdentifier, DataPoint
from deploytool.core.route53.health import (
    Attempt,
    HealthCheck,
    HealthCheckConfig,
    TimeLimits,
    checkers_for,
    judge_check,
)
from deploytool.core.route53.zone import AliasTarget, HostedZone, NotSupported, RecordSet
from deploytool.localcloud.clock import CloudClock
from deploytool.localcloud.health.attempt import Dial, EndpointDial, close_connection
from deploytool.localcloud.health.checkers import CHECKER_ADDRESS
from deploytool.localcloud.health.monitor import HealthChanged, HealthMonitor
from deploytool.localcloud.health.supported import unsupported_reason

FQDN = "us-east-1.dev.example.com"
LOOPBACK = "127.0.0.1"
HTTPS = HealthCheckConfig("HTTPS", fqdn=FQDN, resource_path="/v1", request_interval=10)
ALARM = AlarmIdentifier("us-west-2", "switch")
MATCH = replace(HTTPS, type="HTTPS_STR_MATCH", search_string="us-east-1")
AMPLE = TimeLimits(5.0, 5.0, 5.0)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TARGET = "d-e.execute-api.us-east-1.amazonaws.com."
RECORDS = (
    RecordSet(
        "dev.example.com.",
        "SOA",
        900,
        ("ns-1.awsdns-01.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",),
    ),
    RecordSet(
        f"{FQDN}.", "A", alias=AliasTarget(TARGET, "Z1UJRXOUMOOFQ8", evaluate_target_health=False)
    ),
)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine, for 10 s at most."""
    asyncio.run(asyncio.wait_for(work, 10))


async def until(condition: Callable[[], object]) -> None:
    """Return once the condition holds."""
    while not condition():  # noqa: ASYNC110 - most conditions belong to code that has no event to wait for
        await asyncio.sleep(0.002)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that no client should trust, with its key in one file.

    It is self-signed, expired and for another name.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somewhere.else.example")])
    day = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), day, day.replace(day=2)
    )
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(pem + key.private_bytes(*form))
    return path


@dataclass
class Endpoint:
    """A server that answers every request with the same bytes, and keeps the requests."""

    answer: bytes = OK
    hang: bool = False  # answer and then neither say more nor close
    port: int = 0
    requests: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.answer)
            await writer.drain()
            if self.hang:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # the checker hung up
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self, certificate: Path | None) -> AsyncIterator["Endpoint"]:
        tls = None
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            tls.sni_callback = lambda _socket, name, _context: self.names.append(name)
        server = await asyncio.start_server(self.serve, LOOPBACK, self.port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


def dialled(
    endpoint: Endpoint,
    config: HealthCheckConfig,
    certificate: Path | None,
    limits: TimeLimits = AMPLE,
) -> Attempt:
    """One attempt at the endpoint while it listens, port 443 meaning its port."""
    attempts: list[Attempt] = []

    async def work() -> None:
        async with endpoint.listening(certificate):
            dial = EndpointDial({443: endpoint.port}, reference="hc")
            attempts.append(await dial(config, LOOPBACK, limits))

    run(work())
    return attempts[0]


def test_https(certificate: Path) -> None:
    """A check over TLS passes although the certificate is invalid.

    It sends SNI, Host and Route 53's User-Agent.
    """
    endpoint = Endpoint()
    attempt = dialled(endpoint, HTTPS, certificate)
    assert judge_check(HTTPS, attempt).status == "Success: HTTP Status Code 200, OK"
    assert endpoint.names == [FQDN]
    (request,) = endpoint.requests
    start, *headers = request.strip().split("\r\n")
    assert start == "GET /v1 HTTP/1.1"
    assert dict(header.split(": ", 1) for header in headers) == {
        "Host": FQDN,
        "User-Agent": "Amazon-Route53-Health-Check-Service (ref hc; report http://amzn.to/1vsZADi)",
        "Accept": "*/*",
        "Connection": "close",
    }


def test_without_sni(certificate: Path) -> None:
    """With EnableSNI false no name is sent in the TLS handshake; Host still has it."""
    endpoint = Endpoint()
    assert dialled(endpoint, replace(HTTPS, enable_sni=False), certificate).status == 200
    assert endpoint.names == [None]
    assert f"Host: {FQDN}\r\n" in endpoint.requests[0]


@pytest.mark.parametrize(
    "config", [replace(HTTPS, type="HTTP"), replace(HTTPS, type="HTTP", resource_path="v1")]
)
def test_plain_http(config: HealthCheckConfig) -> None:
    """An HTTP check uses no TLS, a Host with any port but 80, and a path with its slash."""
    endpoint = Endpoint()
    assert dialled(endpoint, config, None).status == 200
    assert endpoint.requests[0].startswith(f"GET /v1 HTTP/1.1\r\nHost: {FQDN}:443\r\n")


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nus-ea\r\n4\r\nst-1\r\n0\r\n\r\n"
)
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"." * 5111 + b"us-east-1"


@pytest.mark.parametrize(
    ("config", "answer", "hang", "success"),
    [
        pytest.param(
            HTTPS,
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
            False,
            False,
            id="503",
        ),
        pytest.param(
            HTTPS,
            b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
            False,
            True,
            id="302",
        ),
        pytest.param(
            HTTPS,
            b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK,
            False,
            True,
            id="an informational response first",
        ),
        pytest.param(HTTPS, LONG, True, True, id="a body that never ends is not waited for"),
        pytest.param(HTTPS, b"SSH-2.0-OpenSSH\r\n\r\n", False, False, id="not HTTP"),
        pytest.param(
            HTTPS,
            b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
            False,
            False,
            id="a header that RFC 7230 forbids",
        ),
        pytest.param(HTTPS, b"", False, False, id="closed without a word"),
        pytest.param(MATCH, CHUNKED, False, True, id="string across chunks"),
        pytest.param(MATCH, OK, False, False, id="string missing"),
        pytest.param(MATCH, LONG, True, True, id="string at the end of the first 5,120 bytes"),
        pytest.param(MATCH, CHUNKED.removesuffix(b"0\r\n\r\n"), False, False, id="body breaks off"),
        pytest.param(
            MATCH,
            b"HTTP/1.1 200 OK\r\n\r\nus-east-1",
            False,
            True,
            id="body ends with the connection",
        ),
    ],
)
def test_answers(
    certificate: Path, config: HealthCheckConfig, answer: bytes, hang: bool, success: bool
) -> None:
    """An attempt passes or fails by what a real server sends."""
    attempt = dialled(Endpoint(answer, hang), config, certificate)
    assert judge_check(config, attempt, AMPLE).success == success


@pytest.mark.parametrize(
    ("config", "answer", "limits", "text"),
    [
        pytest.param(
            HTTPS,
            b"",
            TimeLimits(5.0, 0.2),
            "no HTTP status within the timeout limit",
            id="no status",
        ),
        pytest.param(
            MATCH, LONG[:-1], TimeLimits(5.0, 5.0, 0.2), "body did not arrive", id="half a body"
        ),
    ],
)
def test_time_outs(
    certificate: Path, config: HealthCheckConfig, answer: bytes, limits: TimeLimits, text: str
) -> None:
    """A server that accepts and then is silent fails the check at the time limit."""
    result = judge_check(
        config, dialled(Endpoint(answer, hang=True), config, certificate, limits), limits
    )
    assert not result.success
    assert text in result.status


def test_a_time_out_leaves_nothing_in_the_way_of_the_next_attempt(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a time-out the next attempt, which gets the same descriptor, passes.

    The time is up in the very turn of the event loop in which TLS is ready.
    """
    attempts: list[Attempt] = []

    async def work() -> None:
        endpoint, dial = Endpoint(), EndpointDial({}, reference="hc")
        async with endpoint.listening(certificate):
            config = replace(HTTPS, port=endpoint.port)
            # The server stalls the loop in its first handshake, past the limit
            stalling = iter([True])
            monkeypatch.setattr(endpoint, "names", Stalling(lambda: next(stalling, False)))
            attempts.append(await dial(config, LOOPBACK, TimeLimits(5.0, 0.05)))
            attempts.append(await dial(config, LOOPBACK, AMPLE))

    run(work())
    assert [attempt.failure for attempt in attempts] == [
        "The endpoint sent no HTTP status within the timeout limit.",
        "",
    ]


def test_a_cancelled_attempt_ends() -> None:
    """A cancellation is kept that arrives in the turn of the loop in which a connection closes."""

    class Writer:
        def __init__(self) -> None:
            self.closed = asyncio.get_running_loop().create_future()

        def close(self) -> None:
            """Close later."""

        async def wait_closed(self) -> None:
            await self.closed

    async def work() -> None:
        writer = Writer()
        closing = asyncio.create_task(close_connection(writer))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        writer.closed.set_result(None)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing

    run(work())


class Stalling(list[str | None]):
    """Where a server notes the name of each handshake; it can stall the event loop for 0.2 s."""

    def __init__(self, is_due: Callable[[], bool]) -> None:
        super().__init__()
        self.is_due = is_due

    def append(self, name: str | None) -> None:
        super().append(name)
        if self.is_due():
            threading.Event().wait(0.2)


def test_plain_server_for_https() -> None:
    """A server that speaks no TLS fails an HTTPS check."""
    limits = TimeLimits(5.0, 0.2)
    assert not judge_check(HTTPS, dialled(Endpoint(), HTTPS, None, limits), limits).success


def test_tcp() -> None:
    """A TCP check passes once connected and sends nothing; a refused connection fails it."""
    config = replace(HTTPS, type="TCP")
    endpoint = Endpoint()
    assert judge_check(config, dialled(endpoint, config, None, TimeLimits(5.0))).success
    assert endpoint.requests == []

    async def refused() -> None:
        attempt = await EndpointDial({443: endpoint.port})(config, LOOPBACK, TimeLimits(5.0))
        assert judge_check(config, attempt).status == (
            "Failure: The health checker could not establish a connection: Connection refused."
        )

    run(refused())


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux drops connections when the backlog is full"
)
def test_blackhole() -> None:
    """An endpoint that never completes the TCP handshake fails the check at the time limit."""

    async def work() -> None:
        full = socket.create_server((LOOPBACK, 0), backlog=0)
        filler = socket.create_connection(full.getsockname())
        attempt = await EndpointDial({443: full.getsockname()[1]})(
            HTTPS, LOOPBACK, TimeLimits(0.2, 0.2)
        )
        filler.close()
        full.close()
        assert attempt.connect_seconds is None
        assert "connection within the timeout limit" in judge_check(HTTPS, attempt).status

    run(work())


@pytest.mark.difference
@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_foreign_addresses_are_not_dialled(address: str) -> None:
    """A check of an address outside this machine fails and sends nothing."""

    async def work() -> None:
        attempt = await EndpointDial()(HTTPS, address, AMPLE)
        assert "no internet" in judge_check(HTTPS, attempt).status

    run(work())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, None),
        ({"type": "TCP"}, None),
        ({"fqdn": "", "ip_address": "::1"}, None),
        ({"type": "CALCULATED"}, None),
        ({"type": "CALCULATED", "health_threshold": 257}, "HealthThreshold"),
        ({"type": "CALCULATED", "child_health_checks": ("one",) * 256}, "ChildHealthChecks"),
        ({"type": "CLOUDWATCH_METRIC"}, "AlarmIdentifier"),
        ({"type": "CLOUDWATCH_METRIC", "alarm_identifier": ALARM}, None),
        (
            {
                "type": "CLOUDWATCH_METRIC",
                "alarm_identifier": ALARM,
                "insufficient_data_health_status": "Unknown",
            },
            "InsufficientDataHealthStatus",
        ),
        ({"regions": ("us-east-1", "us-west-1", "eu-west-1")}, None),
        ({"regions": ("us-east-1", "us-west-1")}, "at least 3 regions"),
        ({"regions": ("us-east-1", "us-west-1", "eu-north-1")}, "eu-north-1"),
        ({"type": "RECOVERY_CONTROL"}, "type RECOVERY_CONTROL"),
        ({"request_interval": 20}, "RequestInterval"),
        ({"failure_threshold": 0}, "FailureThreshold"),
        ({"failure_threshold": 11}, "FailureThreshold"),
        ({"fqdn": ""}, "FullyQualifiedDomainName"),
        ({"ip_address": "300.1.1.1"}, "IPAddress"),
        ({"type": "HTTP_STR_MATCH"}, "SearchString"),
    ],
)
def test_supported(change: dict[str, Any], text: str | None) -> None:
    """A health check that cannot be run as on AWS is refused with the reason."""
    reason = unsupported_reason(replace(HTTPS, **change))
    if text is None:
        assert reason is None
    else:
        assert text in (reason or "")


@dataclass
class Cloud:
    """A control plane with one zone and one health check, and a dial to a scripted endpoint."""

    config: HealthCheckConfig = HTTPS
    id: str = "hc"
    status: int = 200
    dialled: list[tuple[str, str, float]] = field(default_factory=list)
    changes: list[HealthChanged] = field(default_factory=list)
    now: Callable[[], float] = lambda: 0.0

    def hosted_zones(self) -> Sequence[HostedZone]:
        return (HostedZone("Z1", "dev.example.com.", (), RECORDS),)

    def health_checks(self) -> Mapping[str, HealthCheck]:
        return {self.id: HealthCheck(self.id, 1, self.config)} if self.id else {}

    def aws_names(self) -> Mapping[str, str]:
        return {TARGET: LOOPBACK}

    def points(self, region: str, alarm: AlarmConfiguration) -> Sequence[DataPoint]:
        return ()

    async def dial(self, config: HealthCheckConfig, address: str, limits: TimeLimits) -> Attempt:
        self.dialled.append((config.resource_path, address, self.now()))
        return Attempt(connect_seconds=0.0, status=self.status)


def watch(
    cloud: Cloud,
    work: Callable[[HealthMonitor], Awaitable[None]],
    *,
    speed: float = 500,
    dial: Dial | None = None,
) -> None:
    """Run `work` while a monitor watches the cloud, at a speed where 10 s are 20 ms."""

    async def watching() -> None:
        clock = CloudClock(speed)
        cloud.now = clock.now
        monitor = HealthMonitor(
            cloud,
            clock,
            dial or cloud.dial,
            cloud,
            on_change=cloud.changes.append,
            rng=random.Random(53),
        )
        await monitor.start()
        try:
            await work(monitor)
        finally:
            await monitor.stop()
            await monitor.stop()

    run(watching())


@pytest.fixture
def cloud() -> Cloud:
    """A cloud whose endpoint is up."""
    return Cloud()


def test_every_checker_checks(cloud: Cloud) -> None:
    """Each checker checks the resolved address from a phase of its own, and reports the result."""

    async def work(monitor: HealthMonitor) -> None:
        assert monitor.is_healthy("hc")
        assert monitor.observations("hc") == ()
        await until(lambda: len(monitor.observations("hc")) == 11)
        observations = monitor.observations("hc")
        assert [observation.region for observation in observations] == list(checkers_for(HTTPS))
        assert {(last.address, last.healthy, last.status) for last in observations} == {
            (CHECKER_ADDRESS, True, "Success: HTTP Status Code 200, OK")
        }
        assert {address for _, address, _ in cloud.dialled} == {LOOPBACK}
        assert len({at for _, _, at in cloud.dialled[:11]}) == 11
        assert monitor.last_failure("hc") == ()

    watch(cloud, work)
    assert cloud.changes == []


def test_failing_and_recovering(cloud: Cloud) -> None:
    """The verdict turns after three failures in a row of enough checkers, and back likewise."""

    async def work(monitor: HealthMonitor) -> None:
        cloud.status = 503
        await until(lambda: cloud.changes)
        failures = len(cloud.dialled)
        assert not monitor.is_healthy("hc")
        assert failures >= 10 * 3  # 1 of 11 healthy is 9 %, 2 would be 18.2 %
        assert sum(not last.healthy for last in monitor.observations("hc")) >= 10
        assert {last.status for last in monitor.last_failure("hc")} == {
            "Failure: HTTP Status Code 503, Service Unavailable"
        }
        cloud.status = 200
        await until(lambda: len(cloud.changes) == 2)
        assert monitor.is_healthy("hc")
        assert len(cloud.dialled) - failures >= 2 * 3
        assert monitor.last_failure("hc")

    watch(cloud, work)
    assert [(change.health_check_id, change.healthy) for change in cloud.changes] == [
        ("hc", False),
        ("hc", True),
    ]
    assert 0 < cloud.changes[0].at < cloud.changes[1].at


def test_inverting_acts_at_once(cloud: Cloud) -> None:
    """Inverting swaps the verdict without a check, and keeps what the checkers observed."""

    async def work(monitor: HealthMonitor) -> None:
        await until(lambda: len(monitor.observations("hc")) == 11)
        cloud.config = replace(HTTPS, inverted=True)
        assert not monitor.is_healthy("hc")
        await until(lambda: cloud.changes)
        assert all(last.healthy for last in monitor.observations("hc"))
        assert len(monitor.observations("hc")) == 11
        cloud.config = HTTPS
        assert monitor.is_healthy("hc")
        await until(lambda: len(cloud.changes) == 2)

    watch(cloud, work)
    assert [change.healthy for change in cloud.changes] == [False, True]


def test_disabling_stops_the_checking(cloud: Cloud) -> None:
    """A disabled health check is healthy at once and does not check; enabled, it starts anew."""

    async def work(monitor: HealthMonitor) -> None:
        cloud.status = 503
        await until(lambda: not monitor.is_healthy("hc"))
        cloud.config = replace(HTTPS, disabled=True)
        assert monitor.is_healthy("hc")
        await until(lambda: not monitor.observations("hc"))
        before = len(cloud.dialled)
        await asyncio.sleep(0.1)  # five intervals
        assert len(cloud.dialled) == before
        cloud.config = HTTPS
        assert monitor.is_healthy("hc")
        await until(lambda: not monitor.is_healthy("hc"))

    watch(cloud, work)
    assert [change.healthy for change in cloud.changes] == [False, True, False]


def test_another_endpoint_starts_anew(cloud: Cloud) -> None:
    """A changed path is checked from then on, and is healthy until there is enough data."""

    async def work(monitor: HealthMonitor) -> None:
        cloud.status = 503
        await until(lambda: not monitor.is_healthy("hc"))
        cloud.status = 200
        cloud.config = replace(HTTPS, resource_path="/v2")
        assert monitor.is_healthy("hc")
        await until(lambda: cloud.dialled[-1][0] == "/v2")
        assert monitor.is_healthy("hc")

    watch(cloud, work)


def test_another_threshold_keeps_the_opinion(cloud: Cloud) -> None:
    """With a changed threshold the checkers keep their opinion, and the new one counts."""

    async def work(monitor: HealthMonitor) -> None:
        cloud.status = 503
        await until(lambda: not monitor.is_healthy("hc"))
        cloud.config = replace(HTTPS, failure_threshold=1)
        assert not monitor.is_healthy("hc")
        await asyncio.sleep(0.3)  # more than a poll: the checkers have taken it over
        assert not monitor.is_healthy("hc")
        cloud.status = 200
        await until(lambda: monitor.is_healthy("hc"))

    watch(cloud, work)


def test_coming_and_going(cloud: Cloud) -> None:
    """A new health check is checked; a deleted one is not, and counts as healthy."""
    cloud.id = ""

    async def work(monitor: HealthMonitor) -> None:
        cloud.id = "late"
        cloud.status = 503
        await until(lambda: not monitor.is_healthy("late"))
        cloud.id = ""
        assert monitor.is_healthy("late")
        await until(lambda: monitor.observations("late") == ())
        assert monitor.last_failure("late") == ()
        before = len(cloud.dialled)
        await asyncio.sleep(0.1)  # five intervals
        assert len(cloud.dialled) == before

    watch(cloud, work)
    assert [change.healthy for change in cloud.changes] == [False]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (
            {"fqdn": "nothing.dev.example.com"},
            "Failure: DNS resolution failed: nothing.dev.example.com: NXDOMAIN, no A record",
        ),
        (
            {"ip_address": "127.0.0.1", "fqdn": "nothing.dev.example.com"},
            "Success: HTTP Status Code 200, OK",
        ),
    ],
)
def test_resolving(cloud: Cloud, change: dict[str, Any], status: str) -> None:
    """A name without an address fails the check; with an IPAddress no name is resolved."""
    cloud.config = replace(HTTPS, **change)

    async def work(monitor: HealthMonitor) -> None:
        await until(lambda: len(monitor.observations("hc")) == 11)
        assert {last.status for last in monitor.observations("hc")} == {status}
        assert bool(cloud.dialled) == status.startswith("Success")

    watch(cloud, work)


def test_what_cannot_be_run_has_no_verdict(cloud: Cloud) -> None:
    """The verdict on an unsupported health check is an error, never healthy by default."""
    cloud.config = replace(HTTPS, type="RECOVERY_CONTROL")

    async def work(monitor: HealthMonitor) -> None:
        with pytest.raises(NotSupported, match="RECOVERY_CONTROL"):
            monitor.is_healthy("hc")

    watch(cloud, work)


def test_a_checker_that_dies_is_reported(cloud: Cloud) -> None:
    """An error in a checker reaches the event loop's exception handler."""
    reported: list[dict[str, Any]] = []

    async def broken(config: HealthCheckConfig, address: str, limits: TimeLimits) -> Attempt:
        raise ZeroDivisionError

    async def work(_monitor: HealthMonitor) -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: reported.append(context)
        )
        await until(lambda: len(reported) == 11)

    watch(cloud, work, dial=broken)
    assert all(isinstance(context["exception"], ZeroDivisionError) for context in reported)


def test_a_real_endpoint_goes_and_comes_back(cloud: Cloud, certificate: Path) -> None:
    """A TLS server that stops listening becomes unhealthy, and healthy when it is back."""
    endpoint = Endpoint()

    async def dial(config: HealthCheckConfig, address: str, limits: TimeLimits) -> Attempt:
        return await EndpointDial({443: endpoint.port})(config, address, limits)

    async def work(monitor: HealthMonitor) -> None:
        async with endpoint.listening(certificate):
            await until(
                lambda: (
                    sum(last.status.startswith("Success") for last in monitor.observations("hc"))
                    == 11
                )
            )
        await until(lambda: not monitor.is_healthy("hc"))
        assert any("Connection refused" in last.status for last in monitor.last_failure("hc"))
        async with endpoint.listening(certificate):
            await until(lambda: monitor.is_healthy("hc"))

    watch(cloud, work, speed=100, dial=dial)
    assert set(endpoint.names) == {FQDN}
    assert [change.healthy for change in cloud.changes] == [False, True]
