"""The control API: its application without a socket, and the documents that it sends."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from deploytool.core.errors import InputError
from deploytool.core.route53.zone import HostedZone
from deploytool.localcloud.clock import CloudClock
from deploytool.localcloud.control.application import ControlApplication, ControlledParts
from deploytool.localcloud.control.event_log import EventLog
from deploytool.localcloud.control.status import CloudStatus, HealthCheckStatus
from deploytool.localcloud.dns.delegation import Delegations
from deploytool.localcloud.dns.nameserver import AnswerChanged
from deploytool.localcloud.edges.arrivals import Arrivals
from deploytool.localcloud.edges.edge_state import EdgeChanged, EdgeState, parse_edge_state
from deploytool.localcloud.health.monitor import HealthChanged
from deploytool.localcloud.ministack.api_state import ApiChanged, RegionalApis
from deploytool.localcloud.ministack.patches.permissions import AccessLog
from deploytool.localcloud.state import Endpoint, State

ZONE = HostedZone("Z1", "dev.example.com.", ("ns-1.awsdns-01.com.",), ())
STATUS = CloudStatus(
    state=State(
        pid=1,
        speed=20.0,
        regions={"us-east-1": "127.0.0.11"},
        endpoint_url="http://127.0.0.1:4566",
        https_port=8443,
        dns=Endpoint("127.0.0.1", 53),
        resolver=Endpoint("127.0.0.1", 54),
        parent=Endpoint("127.0.0.1", 55),
        ca=Path("/cloud/ca.pem"),
        directory=Path("/cloud"),
        started=1.5,
        delegate=True,
    ),
    edges={"us-east-1": "blackholed"},
    apis={"us-east-1": "hanging"},
    seconds=12.345,
    delegations={"dev.example.com.": ("ns-1.awsdns-01.com.",), "example.org.": ()},
    health_checks={"hc": HealthCheckStatus(healthy=True, checkers=11, checkers_healthy=10)},
    calls={"cloudformation.DescribeStacks": 3},
    calls_by_region={"us-east-1": {"cloudformation.DescribeStacks": 3}},
    throttled={"route53.GetHealthCheckStatus": 1},
    resident_mb=120.5,
    ministack="1.5.33",
)


class Api:
    """The application over a cloud without edges, with one hosted zone."""

    def __init__(self) -> None:
        self.clock = CloudClock(10, time=lambda: 100.0)
        self.event_log = EventLog(self.clock)
        self.apis = RegionalApis(("eu-west-1",), self.clock.now, self.event_log.record)
        self.delegations = Delegations(self._zones, automatic=True)
        self.calls: list[str] = []
        parts = ControlledParts(
            edges={},
            apis=self.apis,
            delegations=self.delegations,
            event_log=self.event_log,
            access_log=AccessLog(),
            status=lambda: STATUS,
            stop=lambda: self.calls.append("stop"),
        )
        self._application = ControlApplication(self._emulator, parts)

    def request(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and document of the answer to a request below /_deploytool/."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        scope = {"type": "http", "method": method, "path": path}
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content}

        async def send(message: Any) -> None:
            self.calls.append("answer")
            messages.append(message)

        asyncio.run(self._application(scope, receive, send))
        if not messages:
            return 0, None
        start, answer = messages
        return start["status"], json.loads(answer["body"])

    def _zones(self) -> Sequence[HostedZone]:
        return (ZONE,)

    async def _emulator(self, *_: object) -> None:
        self.calls.append("emulator")


@pytest.fixture
def api() -> Api:
    return Api()


def test_a_status_survives_json() -> None:
    """The client reads the same status that the application sends."""
    document = json.loads(json.dumps(STATUS.to_json()))
    assert CloudStatus.from_json(document) == STATUS


def test_status(api: Api) -> None:
    """The status has the values of the state beside those of the parts."""
    status, document = api.request("GET", "/_deploytool/status")
    assert status == 200
    assert document["endpoint_url"] == "http://127.0.0.1:4566"
    assert document["edges"] == {"us-east-1": "blackholed"}


def test_other_paths_are_the_emulators(api: Api) -> None:
    """A request outside /_deploytool/ goes to the emulator."""
    api.request("GET", "/2013-04-01/hostedzone")
    assert api.calls == ["emulator"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "nothing"),
        ("POST", "status"),
        ("DELETE", "regions/us-east-1"),
        ("GET", "regions/eu-west-1"),
        ("POST", "regions/eu-west-1"),
        ("GET", "apis/us-west-2"),
        ("POST", "apis/us-west-2"),
    ],
)
def test_not_found(api: Api, method: str, path: str) -> None:
    """An unknown path, method or region is 404 with the reason."""
    status, document = api.request(method, f"/_deploytool/{path}", {"condition": "serving"})
    assert status == 404
    assert path.partition("/")[2] in document["error"]


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"{}", b'{"name_servers": [1]}'])
def test_bad_bodies(api: Api, body: bytes) -> None:
    """A body that is no delegation is 400, and changes nothing."""
    status, document = api.request("POST", "/_deploytool/delegations/dev.example.com", body)
    assert status == 400
    assert document["error"]
    assert api.delegations.all_automatic


@pytest.mark.parametrize(
    ("name_servers", "servers"),
    [(None, ["ns-1.awsdns-01.com."]), ([], []), (["NS1.other.net"], ["ns1.other.net."])],
)
def test_delegation(api: Api, name_servers: list[str] | None, servers: list[str]) -> None:
    """Null delegates to the zone's own name servers, an empty list undelegates."""
    path = "/_deploytool/delegations/dev.example.com"
    status, document = api.request("POST", path, {"name_servers": name_servers})
    assert (status, document["name_servers"]) == (200, servers)
    assert list(api.delegations.servers()["dev.example.com."]) == servers


def test_apis(api: Api) -> None:
    """An API is broken and fixed, each change is an event, and us-east-1 always has an API."""
    for region in ("eu-west-1", "us-east-1"):
        path = f"/_deploytool/apis/{region}"
        assert api.request("GET", path)[1] == {"region": region, "condition": "answering"}
        for condition in ("hanging", "hanging", "answering"):
            status, document = api.request("POST", path, {"condition": condition})
            assert (status, document) == (200, {"region": region, "condition": condition})

    changes = api.request("GET", "/_deploytool/event-log")[1]["apis"]
    assert [(change["region"], change["old"], change["new"]) for change in changes] == [
        ("eu-west-1", "answering", "hanging"),
        ("eu-west-1", "hanging", "answering"),
        ("us-east-1", "answering", "hanging"),
        ("us-east-1", "hanging", "answering"),
    ]


@pytest.mark.parametrize("body", [{}, {"condition": "serving"}, {"condition": None}, []])
def test_bad_api_conditions(api: Api, body: object) -> None:
    """A condition that no API has is 400."""
    status, document = api.request("POST", "/_deploytool/apis/us-east-1", body)
    assert status == 400
    assert document["error"]
    assert api.apis.condition("us-east-1") == "answering"


def test_shutdown_answers_first(api: Api) -> None:
    """The cloud is stopped after the answer, which stopping would cut off."""
    assert api.request("POST", "/_deploytool/shutdown") == (200, {"stopping": True})
    assert api.calls == ["answer", "answer", "stop"]


def test_event_log(api: Api) -> None:
    """Each kind of event has a log, and each event its moment on both clocks."""
    arrivals = Arrivals(lambda: 40.0, api.event_log.record)
    api.event_log.record(AnswerChanged("dev.example.com.", ("127.0.0.11",), ("127.0.0.12",), 30.0))
    api.event_log.record(HealthChanged("hc", healthy=False, at=20.0))
    serving, failing = EdgeState("serving"), EdgeState("failing")
    api.event_log.record(EdgeChanged("us-east-1", serving, failing, 10.0))
    api.event_log.record(ApiChanged("us-east-1", "answering", "hanging", 5.0))
    for region in ("us-east-1", "us-east-1", "us-west-2"):
        arrivals.record("dev.example.com", region)

    _, document = api.request("GET", "/_deploytool/event-log")
    moments = {
        kind: [(event["at"], event["monotonic"]) for event in events]
        for kind, events in document.items()
    }
    assert moments == {
        "edges": [(10.0, 101.0)],
        "apis": [(5.0, 100.5)],
        "verdicts": [(20.0, 102.0)],
        "answers": [(30.0, 103.0)],
        "clients": [(40.0, 104.0)],
    }
    assert document["edges"][0]["new"] == {"condition": "failing", "seconds": 0.0}


@pytest.mark.parametrize(
    ("condition", "seconds", "state"),
    [
        ("serving", 0, EdgeState("serving")),
        ("slow", 0, EdgeState("slow", 3.0)),
        ("slow", 5, EdgeState("slow", 5.0)),
    ],
)
def test_edge_states(condition: str, seconds: float, state: EdgeState) -> None:
    """A slow edge without seconds has the default; every other edge has none."""
    assert parse_edge_state(condition, seconds) == state


@pytest.mark.parametrize(
    ("condition", "seconds"),
    [("gone", 0), (None, 0), ("failing", 1), ("slow", -1), ("slow", True), ("slow", "3")],
)
def test_bad_edge_states(condition: object, seconds: object) -> None:
    """An unknown condition and impossible seconds are bad input."""
    with pytest.raises(InputError):
        parse_edge_state(condition, seconds)
