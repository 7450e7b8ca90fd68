"""The regional HTTPS edges: API Gateway's routing, then real edges with curl and openssl."""

import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from typing import Any

import pytest

from deploytool.core.errors import DeploytoolError, InputError
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.edges.edge_state import EdgeState
from deploytool.localcloud.edges.gateway import (
    BasePathMapping,
    CustomDomain,
    RestApi,
    Target,
    covers,
    route,
    route_by_mapping,
)
from deploytool.localcloud.edges.sockets import bind_all
from deploytool.net.http import HttpsClient

EAST, WEST = "127.0.0.11", "127.0.0.12"


class FakeGateway:
    """The state of an API Gateway with these domains in one region, and one API."""

    def __init__(self, *domains: CustomDomain, enabled: bool = True) -> None:
        self.domains: Mapping[str, CustomDomain] = {domain.name: domain for domain in domains}
        self.enabled = enabled

    def custom_domain(self, region: str, name: str) -> CustomDomain | None:
        return self.domains.get(name) if region == "us-east-1" else None

    def rest_api(self, region: str, api_id: str) -> RestApi | None:
        return (
            RestApi(api_id, self.enabled) if (region, api_id) == ("us-east-1", "abc123") else None
        )


def domain(
    *mappings: BasePathMapping, certificate: tuple[str, ...] = ("api.example.com",)
) -> CustomDomain:
    return CustomDomain(
        "api.example.com", "d-1.execute-api.us-east-1.amazonaws.com", certificate, mappings
    )


class TestRules:
    """Which API and stage a request means; everything else is Forbidden."""

    @pytest.mark.parametrize(
        ("path", "target"),
        [
            ("/v1", Target("root", "live", 0)),
            ("/shop/v1", Target("shop", "live", 5)),
            ("/shop", Target("shop", "live", 5)),
            ("/shopping/v1", Target("root", "live", 0)),
            ("/shop/old/v1", Target("old", "live", 9)),
            ("/staged/beta/v1", Target("staged", "beta", 12)),
            ("/staged", None),
        ],
    )
    def test_longest_mapping_wins(self, path: str, target: Target | None) -> None:
        """The longest base path of a path wins; without a stage the next segment names it."""
        mappings = (
            BasePathMapping("", "root", "live"),
            BasePathMapping("shop", "shop", "live"),
            BasePathMapping("shop/old", "old", "live"),
            BasePathMapping("staged", "staged", ""),
        )
        assert route_by_mapping(mappings, path) == target

    def test_no_mapping(self) -> None:
        """A path within no base path has no target."""
        assert route_by_mapping((BasePathMapping("shop", "shop", "live"),), "/v1") is None

    @pytest.mark.parametrize(
        "host", ["api.example.com", "API.example.com", "api.example.com:443", "api.example.com."]
    )
    def test_host(self, host: str) -> None:
        """The Host names a custom domain in any case, with or without port and final dot."""
        gateway = FakeGateway(domain(BasePathMapping("", "root", "live")))
        assert route(gateway, "us-east-1", host, "/v1") == Target("root", "live", 0)

    def test_forbidden(self) -> None:
        """Unknown domains and those of another region or without a certificate are refused.

        So is a domain's target name.
        """
        gateway = FakeGateway(domain(BasePathMapping("", "root", "live")))
        assert route(gateway, "us-west-2", "api.example.com", "/v1") is None
        assert route(gateway, "us-east-1", "other.example.com", "/v1") is None
        assert route(gateway, "us-east-1", "d-1.execute-api.us-east-1.amazonaws.com", "/v1") is None
        pending = FakeGateway(domain(BasePathMapping("", "root", "live"), certificate=()))
        assert route(pending, "us-east-1", "api.example.com", "/v1") is None

    def test_default_endpoint(self) -> None:
        """An API's own name leads to it, with the stage first in the path, unless disabled."""
        host = "abc123.execute-api.us-east-1.amazonaws.com"
        assert route(FakeGateway(), "us-east-1", host, "/live/v1") == Target("abc123", "live", 5)
        assert route(FakeGateway(), "us-east-1", host, "/") is None
        assert route(FakeGateway(enabled=False), "us-east-1", host, "/live/v1") is None

    @pytest.mark.parametrize(
        ("names", "name", "good"),
        [
            (("a.example",), "a.example", True),
            (("*.example",), "a.example", True),
            (("*.example",), "b.a.example", False),
            (("*.example",), "example", False),
            ((), "a.example", False),
        ],
    )
    def test_covers(self, names: tuple[str, ...], name: str, good: bool) -> None:
        """A wildcard of a certificate stands for exactly one label."""
        assert covers(names, name) is good


def test_missing_address() -> None:
    """Without a loopback address (as on macOS) the error has the exact command that adds it."""

    def bind(address: str, port: int) -> socket.socket:
        raise OSError(49, "Can't assign requested address")

    with pytest.raises(InputError) as caught:
        bind_all((EAST, WEST), bind)
    assert "sudo ifconfig lo0 alias 127.0.0.11 up" in str(caught.value)
    assert "sudo ifconfig lo0 alias 127.0.0.12 up" in str(caught.value)
    assert caught.value.exit_code == 2


def certificate_names(state: Any, address: str, *options: str) -> str:
    """What openssl says of the certificate that an edge shows."""
    connect = ["openssl", "s_client", "-connect", f"{address}:{state.https_port}", *options]
    shown = subprocess.run(connect, input="", capture_output=True, text=True, check=True).stdout
    names = ["openssl", "x509", "-noout", "-ext", "subjectAltName"]
    return subprocess.run(names, input=shown, capture_output=True, text=True, check=True).stdout


class TestServing:
    """A deployed service through the edges."""

    def test_each_region_serves_its_own(self, service: Any, get: Any) -> None:
        """Each region's edge serves the shared domain, and its own domain alone."""
        for region, address in zip(service.regions, (EAST, WEST), strict=True):
            for host in (service.domain, f"{region}.{service.domain}"):
                reply = get(host, address)
                assert reply.status == 200
                assert reply.headers["x-served-by-region"] == region
                assert json.loads(reply.body)["region"] == region
        assert get(f"us-east-1.{service.domain}", WEST, "/v1", "--insecure").status == 403

    def test_request_reaches_the_function(self, service: Any, get: Any) -> None:
        """Host, query and forwarding headers reach the function as API Gateway passes them."""
        event = json.loads(
            get(service.domain, EAST, "/v1?a=1&a=2", "-H", "X-Forwarded-For: 192.0.2.1").body
        )["event"]
        assert (event["path"], event["requestContext"]["stage"]) == ("/v1", "live")
        assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
        headers = {name.lower(): value for name, value in event["headers"].items()}
        assert headers["host"] == service.domain
        assert headers["x-forwarded-proto"] == "https"
        assert headers["x-forwarded-for"] == "192.0.2.1, 127.0.0.1"

    def test_a_silent_function_answers_at_once(self, cloud: Any, service: Any) -> None:
        """A call does not wait 50 ms for the function's log, as MiniStack would.

        The quickest of several calls would take at least that long.
        """
        connection = HttpsClient(cloud.https_port, cloud.ca).connect(service.domain, EAST)
        try:
            answers = [connection.get("/v1") for _ in range(20)]
        finally:
            connection.close()
        assert {answer.status for answer in answers} == {200}
        assert min(answer.seconds for answer in answers) < 0.05

    def test_certificates(self, cloud: Any, service: Any) -> None:
        """A region presents ACM's names for its custom domains, else its execute-api name."""
        shown = certificate_names(cloud, WEST, "-servername", service.domain)
        assert f"DNS:{service.domain}, DNS:us-west-2.{service.domain}" in shown
        for options in (("-servername", "other.example.com"), ("-noservername",)):
            assert "DNS:*.execute-api.us-west-2.amazonaws.com" in certificate_names(
                cloud, WEST, *options
            )

    def test_old_tls(self, cloud: Any, service: Any, get: Any) -> None:
        """TLS 1.1 is refused, TLS 1.2 is served."""
        with pytest.raises(subprocess.CalledProcessError):
            get(service.domain, EAST, "/v1", "--tls-max", "1.1", "--ciphers", "DEFAULT:@SECLEVEL=0")
        assert get(service.domain, EAST, "/v1", "--tls-max", "1.2").status == 200

    def test_forbidden(self, service: Any, get: Any) -> None:
        """Requests for no API of the region are 403 Forbidden.

        An unknown Host, the disabled default endpoint, a target name, a handshake without a name.
        """
        api = f"{service.regions['us-east-1']['ApiId']}.execute-api.us-east-1.amazonaws.com"
        target = service.regions["us-east-1"]["FriendlyRegionalDomainName"]
        no_name = ("--insecure", "--resolve", f"{EAST}:443:{EAST}", "-H", f"Host: {service.domain}")
        for reply in (
            get("other.example.com", EAST, "/v1", "--insecure"),
            get(service.domain, EAST, "/v1", "-H", "Host: other.example.com"),
            get(api, EAST, "/live/v1"),
            get(target, EAST),
            get(EAST, EAST, "/v1", *no_name),
        ):
            assert (reply.status, reply.body) == (403, '{"message":"Forbidden"}')
            assert reply.headers["x-amzn-errortype"] == "ForbiddenException"

    def test_unknown_path(self, service: Any, get: Any) -> None:
        """A path that the API does not have is API Gateway's own 403."""
        reply = get(service.domain, EAST, "/nothing")
        assert (reply.status, json.loads(reply.body)["message"]) == (
            403,
            "Missing Authentication Token",
        )


class TestBroken:
    """A region in each broken condition."""

    @pytest.fixture(autouse=True)
    def _fixed(self, cloud: Any) -> Iterator[None]:
        yield
        ControlClient(cloud).set_condition("us-east-1", "serving")

    def test_refuses_and_comes_back(self, cloud: Any, service: Any, get: Any) -> None:
        """A refusing edge refuses connections (curl's error 7) and returns on the same port.

        The other region serves meanwhile.
        """
        ControlClient(cloud).set_condition("us-east-1", "refusing")
        with pytest.raises(subprocess.CalledProcessError) as caught:
            get(service.domain, EAST)
        assert caught.value.returncode == 7
        assert get(service.domain, WEST).status == 200
        ControlClient(cloud).set_condition("us-east-1", "refusing")  # again: nothing to do
        ControlClient(cloud).set_condition("us-east-1", "serving")
        assert get(service.domain, EAST).status == 200

    def test_open_connections_are_dropped(self, cloud: Any) -> None:
        """A connection that is open when the region fails ends at once, in the handshake too."""
        with socket.create_connection((EAST, cloud.https_port), timeout=5) as open_connection:
            ControlClient(cloud).set_condition("us-east-1", "refusing")
            open_connection.sendall(b"\x16\x03\x01")
            try:
                ended = open_connection.recv(1) == b""
            except ConnectionResetError:
                ended = True
            assert ended

    def test_blackholed(self, cloud: Any, service: Any, get: Any) -> None:
        """From any state, a blackholed edge answers no attempt to connect, and can be fixed.

        The other region serves meanwhile.
        """
        for _ in range(2):
            ControlClient(cloud).set_condition("us-east-1", "blackholed")
            with pytest.raises(TimeoutError):
                socket.create_connection((EAST, cloud.https_port), timeout=0.3)
            ControlClient(cloud).set_condition("us-east-1", "refusing")
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((EAST, cloud.https_port), timeout=5)
        ControlClient(cloud).set_condition("us-east-1", "blackholed")
        assert get(service.domain, WEST).status == 200
        ControlClient(cloud).set_condition("us-east-1", "serving")
        assert get(service.domain, EAST).status == 200

    def test_blackholed_connection(self, cloud: Any, service: Any) -> None:
        """An open connection is silent while the edge is blackholed, and then has the answer."""
        tls = ssl.create_default_context(cafile=str(cloud.ca))
        request = f"GET /v1 HTTP/1.1\r\nHost: {service.domain}\r\n\r\n".encode()
        with (
            socket.create_connection((EAST, cloud.https_port), timeout=5) as plain,
            tls.wrap_socket(plain, server_hostname=service.domain) as connection,
        ):
            client = HTTPConnection(service.domain)
            client.sock = connection
            client.request("GET", "/v1")
            assert json.loads(client.getresponse().read())["region"] == "us-east-1"
            ControlClient(cloud).set_condition("us-east-1", "blackholed")
            connection.sendall(request)
            connection.settimeout(0.5)
            with pytest.raises(TimeoutError):
                connection.recv(65536)
            ControlClient(cloud).set_condition("us-east-1", "serving")
            connection.settimeout(5)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")

    def test_slow(self, cloud: Any, service: Any, get: Any) -> None:
        """A slow edge gives the true answer late.

        At speed 20 that is half a wall second for each true one.
        """
        client = ControlClient(cloud)
        client.set_condition("us-east-1", "slow")
        assert client.edge_state("us-east-1") == EdgeState("slow", 3.0)
        client.set_condition("us-east-1", "slow", 0.8)
        assert client.edge_state("us-east-1") == EdgeState("slow", 0.8)
        began = time.monotonic()
        reply = get(service.domain, EAST)
        assert time.monotonic() - began >= 0.4
        assert (reply.status, reply.headers["x-served-by-region"]) == (200, "us-east-1")

    def test_failing(self, cloud: Any, service: Any, get: Any) -> None:
        """A failing edge answers 503 with a JSON body that does not tell the region."""
        ControlClient(cloud).set_condition("us-east-1", "failing")
        for host in (service.domain, "other.example.com"):
            reply = get(host, EAST, "/v1", "--insecure")
            assert (reply.status, json.loads(reply.body)) == (
                503,
                {"message": "Service Unavailable"},
            )
            assert "x-served-by-region" not in reply.headers

    def test_port(self, cloud: Any) -> None:
        """A drill's port reads the condition that it has set."""
        edges = ControlClient(cloud)
        edges.set_condition("us-east-1", "slow", 5.0)
        assert (edges.condition("us-east-1"), edges.condition("us-west-2")) == ("slow", "serving")
        edges.set_condition("us-east-1", "serving")
        assert edges.condition("us-east-1") == "serving"

    @pytest.mark.parametrize(
        ("region", "state", "seconds", "reason"),
        [
            ("us-east-1", "gone", 0.0, "an edge can be serving, refusing"),
            ("us-east-1", "failing", 3.0, "only a slow edge"),
            ("us-east-1", "slow", -1.0, "0 to 3600"),
            ("us-east-1", "slow", float("nan"), "0 to 3600"),
            ("eu-west-1", "refusing", 0.0, "no region eu-west-1"),
        ],
    )
    def test_impossible(
        self, cloud: Any, region: str, state: str, seconds: float, reason: str
    ) -> None:
        """An unknown region or condition and impossible seconds are refused; nothing changes."""
        with pytest.raises(DeploytoolError, match=reason):
            ControlClient(cloud).set_condition(region, state, seconds)
        assert ControlClient(cloud).condition("us-east-1") == "serving"
