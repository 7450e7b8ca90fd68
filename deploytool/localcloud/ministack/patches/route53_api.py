"""Route 53's API where MiniStack lacks it: health check status and versions, and TestDNSAnswer.

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

from deploytool.core.route53.calculated import CALCULATED, CLOUDWATCH_METRIC
from deploytool.localcloud.health.checkers import TimedObservation
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.health_check_settings import HealthCheckRefused
from deploytool.localcloud.ministack.patches.health_checks import HealthCheckStore
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "route53.handle_request": "health check status, versions and TestDNSAnswer are missing",
}

# MiniStack's shape of an HTTP answer: status, headers, body.
Answer = tuple[int, dict[str, str], bytes]
Query = Mapping[str, Any]

_HEALTH_CHECK = re.compile(
    r"/2013-04-01/healthcheck/(?P<id>[^/]+)(?P<rest>/status|/lastfailurereason)?"
)
# The settings that ResetElements of UpdateHealthCheck may name.
_RESETTABLE = ("ResourcePath", "FullyQualifiedDomainName", "Regions", "ChildHealthChecks")
_NAME_SERVER = "127.0.0.1"


class HealthReader(Protocol):
    """The observations of the health checkers."""

    def observations(self, health_check_id: str) -> Sequence[TimedObservation]: ...

    def last_failure(self, health_check_id: str) -> Sequence[TimedObservation]: ...


class Route53Api:
    """The operations of Route 53's API that deploytool answers in MiniStack's place.

    `respond` is the name server's; `to_unix` converts the cloud's seconds to Unix time.
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
        """Return the answer to a request, or None for one that MiniStack answers."""
        health_check_id, rest = "", path
        health_check_path = _HEALTH_CHECK.fullmatch(path)
        if health_check_path:
            health_check_id = health_check_path["id"]
            rest = health_check_path["rest"] or ""

        answer: Answer | None
        match method, rest:
            case "POST", "/2013-04-01/healthcheck":
                answer = self._create(body)
            case "GET", "/2013-04-01/testdnsanswer":
                answer = self._test_dns_answer(query)
            case "POST", "":
                answer = self._update(health_check_id, body)
            case "DELETE", "":
                answer = self._delete(health_check_id)
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

        # The same request again returns the health check of the first one.
        health_check = self._store.get(self._route53._hc_caller_refs.get(reference, ""))
        if health_check is None:
            try:
                health_check = self._store.create(reference, settings)
            except HealthCheckRefused as refused:
                return self._error("InvalidInput", str(refused))
        elif not self._store.same_settings(health_check, settings):
            message = (
                "A health check with this CallerReference exists already, with other settings."
            )
            return self._error("HealthCheckAlreadyExists", message, 409)
        return self._health_check("CreateHealthCheckResponse", health_check, 201)

    def _update(self, health_check_id: str, body: bytes) -> Answer:
        health_check = self._store.get(health_check_id)
        if health_check is None:
            return self._unknown(health_check_id)
        root = self._route53._parse_body(body)
        if root is None:
            return self._error("InvalidInput", "Missing or invalid request body.")

        expected = self._route53._text(root, "HealthCheckVersion")
        current = str(health_check["version"])
        if expected and expected != current:
            message = f"The health check has version {current}, the request expected {expected}."
            return self._error("HealthCheckVersionMismatch", message, 409)

        try:
            kept = self._reset(dict(health_check["config"]), root)
            changed = self._route53._parse_health_check_config(root)
            self._store.update(health_check, kept | changed)
        except HealthCheckRefused as refused:
            return self._error("InvalidInput", str(refused))
        return self._health_check("UpdateHealthCheckResponse", health_check)

    def _delete(self, health_check_id: str) -> Answer:
        if self._store.get(health_check_id) is None:
            return self._unknown(health_check_id)
        try:
            self._store.delete(health_check_id)
        except HealthCheckRefused as refused:
            return self._error("InvalidInput", str(refused))
        return self._answer("DeleteHealthCheckResponse", lambda _: None)

    def _reset(self, settings: dict[str, Any], root: Element) -> dict[str, Any]:
        """Remove the settings that the request's ResetElements names."""
        elements = self._route53._find(root, "ResetElements")
        if elements is None:  # an element without children is false
            return settings
        for element in elements:
            if element.text not in _RESETTABLE:
                raise HealthCheckRefused(f"ResetElements: {element.text} cannot be reset")
            settings.pop(element.text, None)
        return settings

    def _observations(
        self, health_check_id: str, response: str, read: Callable[[str], Sequence[TimedObservation]]
    ) -> Answer:
        health_check = self._store.get(health_check_id)
        if health_check is None:
            return self._unknown(health_check_id)

        # The API reference excludes calculated health checks. It does not say what the answer is
        # for one on an alarm, so the local cloud gives none.
        type_ = health_check["config"]["Type"]
        if type_ in (CALCULATED, CLOUDWATCH_METRIC):
            operation = response.removesuffix("Response")
            return self._error(
                "InvalidInput",
                f"Invalid parameter : {operation} is not supported for health checks of type {type_}.",
            )

        def build(root: Element) -> None:
            observations = SubElement(root, "HealthCheckObservations")
            for observation in read(health_check_id):
                element = SubElement(observations, "HealthCheckObservation")
                SubElement(element, "Region").text = observation.region
                SubElement(element, "IPAddress").text = observation.address
                report = SubElement(element, "StatusReport")
                SubElement(report, "Status").text = observation.status
                SubElement(report, "CheckedTime").text = self._timestamp(observation.at)

        return self._answer(response, build)

    def _timestamp(self, seconds: float) -> str:
        """Return the cloud's seconds as an ISO 8601 time in UTC with milliseconds."""
        moment = datetime.fromtimestamp(self._to_unix(seconds), UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _test_dns_answer(self, query: Query) -> Answer:
        zone_id = _first(query, "hostedzoneid")
        name = _first(query, "recordname")
        type_ = _first(query, "recordtype")
        if not self._route53._zones.get(zone_id):
            return self._error("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}", 404)
        try:
            question = dns.message.make_query(name, type_)
        except dns.exception.DNSException as error:
            return self._error("InvalidInput", f"{name} {type_}: {error}")

        response = self._respond(question)
        rdtype = dns.rdatatype.from_text(type_)
        answers = [rrset for rrset in response.answer if rrset.rdtype == rdtype]

        def build(root: Element) -> None:
            SubElement(root, "Nameserver").text = _NAME_SERVER
            SubElement(root, "RecordName").text = name
            SubElement(root, "RecordType").text = type_
            data = SubElement(root, "RecordData")
            for rrset in answers:
                for rdata in rrset:
                    SubElement(data, "RecordDataEntry").text = rdata.to_text()
            SubElement(root, "ResponseCode").text = dns.rcode.to_text(response.rcode())
            SubElement(root, "Protocol").text = "UDP"

        return self._answer("TestDNSAnswerResponse", build)

    def _health_check(
        self, response: str, health_check: Mapping[str, Any], status: int = 200
    ) -> Answer:
        def build(root: Element) -> None:
            self._route53._build_health_check_el(root, health_check)

        return self._answer(response, build, status)

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


def install(patcher: Patcher, api: Route53Api) -> None:
    """Let `api` answer first and MiniStack answer the rest."""

    async def handle_request(
        method: str, path: str, headers: Any, body: bytes, query_params: Query
    ) -> Answer:
        answer = api.handle(method, path, body, query_params)
        if answer is None:
            answer = await handle_original(method, path, headers, body, query_params)
        return answer

    handle_original = patcher.replace("route53.handle_request", handle_request)
