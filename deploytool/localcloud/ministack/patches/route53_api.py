"""Route 53's API where MiniStack lacks it: what the checkers see, compare-and-swap of health
checks, and TestDNSAnswer.

Source: Route 53 API reference (CreateHealthCheck, UpdateHealthCheck, GetHealthCheckStatus,
GetHealthCheckLastFailureReason, TestDNSAnswer), botocore's model of it for the paths and element
names.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from xml.etree.ElementTree import Element, SubElement

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from dns.message import Message

from deploytool.localcloud.health.checkers import TimedObservation
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.health_checks import (
    HealthCheckRefused,
    HealthCheckStore,
)

# MiniStack's shape of an HTTP answer: status, headers, body.
Answer = tuple[int, dict[str, str], bytes]
Query = Mapping[str, Any]

_HEALTH_CHECK = re.compile(
    r"/2013-04-01/healthcheck/(?P<id>[^/]+)(?P<rest>/status|/lastfailurereason)?"
)
# What ResetElements of UpdateHealthCheck may name.
_RESETTABLE = ("ResourcePath", "FullyQualifiedDomainName", "Regions", "ChildHealthChecks")
_NAME_SERVER = "127.0.0.1"


class HealthReader(Protocol):
    """What the checkers saw."""

    def observations(self, health_check_id: str) -> Sequence[TimedObservation]: ...

    def last_failure(self, health_check_id: str) -> Sequence[TimedObservation]: ...


class Route53Api:
    """The operations that are ours. `respond` is the name server's; `to_unix` turns the cloud's
    seconds into Unix time.
    """

    def __init__(
        self,
        ministack: MiniStack,
        store: HealthCheckStore,
        health: HealthReader,
        respond: Callable[[Message], Message],
        to_unix: Callable[[float], float],
    ) -> None:
        self._route53 = ministack.route53
        self._store = store
        self._health = health
        self._respond = respond
        self._to_unix = to_unix

    def handle(self, method: str, path: str, body: bytes, query: Query) -> Answer | None:
        """The answer to a request, None for one that MiniStack answers."""
        found = _HEALTH_CHECK.fullmatch(path)
        health_check_id, rest = (found["id"], found["rest"] or "") if found else ("", path)
        answer: Answer | None
        match method, rest:
            case "POST", "/2013-04-01/healthcheck":
                answer = self._create(body)
            case "GET", "/2013-04-01/testdnsanswer":
                answer = self._test_dns_answer(query)
            case "POST", "":
                answer = self._update(health_check_id, body)
            case "GET", "/status":
                answer = self._observations(
                    health_check_id, "GetHealthCheckStatusResponse", self._health.observations
                )
            case "GET", "/lastfailurereason":
                answer = self._observations(
                    health_check_id,
                    "GetHealthCheckLastFailureReasonResponse",
                    self._health.last_failure,
                )
            case _:
                answer = None
        return answer

    def _create(self, body: bytes) -> Answer:
        root = self._route53._parse_body(body)
        reference = "" if root is None else self._route53._text(root, "CallerReference")
        element = None if root is None else self._route53._find(root, "HealthCheckConfig")
        if not reference or element is None:
            return self._error(
                "InvalidInput", "CallerReference and HealthCheckConfig are required."
            )
        settings = self._route53._parse_health_check_config(element)
        known = self._store.get(self._route53._hc_caller_refs.get(reference, ""))
        if known is not None and not self._store.same_settings(known, settings):
            message = (
                "A health check with this CallerReference exists already, with other settings."
            )
            return self._error("HealthCheckAlreadyExists", message, 409)
        try:
            return self._health_check(
                "CreateHealthCheckResponse", known or self._store.create(reference, settings), 201
            )
        except HealthCheckRefused as refused:
            return self._error("InvalidInput", str(refused))

    def _update(self, health_check_id: str, body: bytes) -> Answer:
        found = self._store.get(health_check_id)
        if found is None:
            return self._unknown(health_check_id)
        root = self._route53._parse_body(body)
        if root is None:
            return self._error("InvalidInput", "Missing or invalid request body.")
        version = self._route53._text(root, "HealthCheckVersion")
        if version and version != str(found["version"]):
            message = (
                f"The health check has version {found['version']}, the request expected {version}."
            )
            return self._error("HealthCheckVersionMismatch", message, 409)
        try:
            settings = self._reset(
                dict(found["config"]), root
            ) | self._route53._parse_health_check_config(root)
            self._store.update(found, settings)
        except HealthCheckRefused as refused:
            return self._error("InvalidInput", str(refused))
        return self._health_check("UpdateHealthCheckResponse", found)

    def _reset(self, settings: dict[str, Any], root: Element) -> dict[str, Any]:
        elements = self._route53._find(root, "ResetElements")
        for element in () if elements is None else elements:
            if element.text not in _RESETTABLE:
                raise HealthCheckRefused(f"ResetElements: {element.text} cannot be reset")
            settings.pop(element.text, None)
        return settings

    def _observations(
        self, health_check_id: str, response: str, read: Callable[[str], Sequence[TimedObservation]]
    ) -> Answer:
        if self._store.get(health_check_id) is None:
            return self._unknown(health_check_id)

        def build(root: Element) -> None:
            listed = SubElement(root, "HealthCheckObservations")
            for seen in read(health_check_id):
                observation = SubElement(listed, "HealthCheckObservation")
                SubElement(observation, "Region").text = seen.region
                SubElement(observation, "IPAddress").text = seen.address
                report = SubElement(observation, "StatusReport")
                SubElement(report, "Status").text = seen.status
                checked = datetime.fromtimestamp(self._to_unix(seen.at), UTC)
                SubElement(report, "CheckedTime").text = checked.isoformat(
                    timespec="milliseconds"
                ).replace("+00:00", "Z")

        return self._answer(response, build)

    def _test_dns_answer(self, query: Query) -> Answer:
        zone_id, name, kind = (
            _first(query, key) for key in ("hostedzoneid", "recordname", "recordtype")
        )
        if not self._route53._zones.get(zone_id):
            return self._error("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}", 404)
        try:
            question = dns.message.make_query(name, kind)
        except dns.exception.DNSException as error:
            return self._error("InvalidInput", f"{name} {kind}: {error}")
        response = self._respond(question)
        answers = [
            rrset for rrset in response.answer if rrset.rdtype == dns.rdatatype.from_text(kind)
        ]

        def build(root: Element) -> None:
            SubElement(root, "Nameserver").text = _NAME_SERVER
            SubElement(root, "RecordName").text = name
            SubElement(root, "RecordType").text = kind
            data = SubElement(root, "RecordData")
            for rrset in answers:
                for rdata in rrset:
                    SubElement(data, "RecordDataEntry").text = rdata.to_text()
            SubElement(root, "ResponseCode").text = dns.rcode.to_text(response.rcode())
            SubElement(root, "Protocol").text = "UDP"

        return self._answer("TestDNSAnswerResponse", build)

    def _health_check(self, response: str, found: Mapping[str, Any], status: int = 200) -> Answer:
        return self._answer(
            response, lambda root: self._route53._build_health_check_el(root, found), status
        )

    def _answer(self, response: str, build: Callable[[Element], None], status: int = 200) -> Answer:
        answer: Answer = self._route53._xml_response(response, build, status)
        return answer

    def _error(self, code: str, message: str, status: int = 400) -> Answer:
        answer: Answer = self._route53._error_response(code, message, status)
        return answer

    def _unknown(self, health_check_id: str) -> Answer:
        return self._error(
            "NoSuchHealthCheck",
            f"No health check exists with the specified ID {health_check_id}.",
            404,
        )


def _first(query: Query, key: str) -> str:
    value = query.get(key, "")
    return str(value[0] if isinstance(value, list) else value)


def install(ministack: MiniStack, api: Route53Api) -> None:
    """Answer first, and leave MiniStack the rest; write booleans as XML has them."""
    route53 = ministack.route53
    theirs, their_element = route53.handle_request, route53._build_health_check_el

    async def handle_request(
        method: str, path: str, headers: Any, body: bytes, query_params: Query
    ) -> Answer:
        ours = api.handle(method, path, body, query_params)
        answer: Answer = (
            ours if ours is not None else await theirs(method, path, headers, body, query_params)
        )
        return answer

    def build_health_check_element(parent: Element, found: Mapping[str, Any]) -> None:
        settings = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in found["config"].items()
        }
        their_element(parent, {**found, "config": settings})

    route53.handle_request = handle_request
    route53._build_health_check_el = build_health_check_element
