"""Record set protections, which MiniStack lacks.

Sources: Route 53 API reference, CreateResourceRecordSetProtections,
DeleteResourceRecordSetProtections and ResourceRecordSetProtection; Developer Guide, "Protecting
records from changes". A zone that has protections cannot be deleted. The code of that refusal and the
path of the creation are our reading. What a protection refuses is in `core.route53.guardrails`.
"""

import re
from collections.abc import Collection
from typing import Any

from deploytool.core.route53.zone import canonical
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "route53.handle_request": "record set protections are missing",
    "AWS::Route53::HostedZone.delete": "a zone with record set protections is deleted",
}

_ZONE = "AWS::Route53::HostedZone"
_PATH = re.compile(r"/2013-04-01/hostedzone/(?P<id>[^/]+)(?P<rest>/rrsetprotection(/delete)?)?/?")
# The key of a zone in MiniStack's store: the names and types that are protected
_PROTECTIONS = "protections"

# An HTTP answer as MiniStack has it
Answer = Any


class Protections:
    """The record set protections of each zone, which are kept with the zone."""

    def __init__(self, ministack: MiniStack) -> None:
        self._route53 = ministack.route53

    def of(self, zone_id: str) -> Collection[tuple[str, str]]:
        """Return the names and types that are protected in a zone."""
        zone = self._route53._zones.get(zone_id) or {}
        protected: Collection[tuple[str, str]] = zone.get(_PROTECTIONS, ())
        return protected

    def handle(self, method: str, path: str, body: bytes) -> Answer | None:
        """Return the answer to a request, or None for one that is not about protections."""
        match = _PATH.fullmatch(path)
        if match is None:
            return None

        zone_id, rest = match["id"], match["rest"]
        if method == "DELETE" and not rest and self.of(zone_id):
            return self._route53._error_response("InvalidInput", self.refusal(zone_id), 400)
        if method != "POST" or not rest:
            return None
        zone = self._route53._zones.get(zone_id)
        if not zone:
            message = f"No hosted zone found with ID: {zone_id}"
            return self._route53._error_response("NoSuchHostedZone", message, 404)
        return self._change(zone, body, is_deletion=rest.endswith("/delete"))

    def refusal(self, zone_id: str) -> str:
        """Return why a zone with protections cannot be deleted."""
        names = ", ".join(f"{name} {type_}" for name, type_ in sorted(self.of(zone_id)))
        return f"The hosted zone has record set protections: {names}"

    def _change(self, zone: dict[str, Any], body: bytes, *, is_deletion: bool) -> Answer:
        """Create or delete the protections of a request, all or none."""
        named = self._named(body)
        protected = set(zone.get(_PROTECTIONS, ()))
        wrong = named - protected if is_deletion else named & protected
        if wrong or not named:
            code = "InvalidResourceRecordSetProtectionBatch"
            if not is_deletion and wrong == named and named:
                code = "ProtectionAlreadyExists"
            return self._route53._error_response(code, f"{sorted(wrong)}", 400)

        zone[_PROTECTIONS] = protected - named if is_deletion else protected | named
        action = "Delete" if is_deletion else "Create"
        root = f"{action}ResourceRecordSetProtectionsResponse"
        return self._route53._xml_response(root, lambda _: None)

    def _named(self, body: bytes) -> set[tuple[str, str]]:
        root = self._route53._parse_body(body)
        elements = None if root is None else self._route53._find(root, "Protections")
        if elements is None:
            return set()
        text = self._route53._text
        return {
            (canonical(text(element, "RecordName")), text(element, "RecordType"))
            for element in elements
        }


def install(patcher: Patcher, protections: Protections) -> None:
    """Answer the API of protections, and keep zones that have some."""
    original = patcher.handler(_ZONE)

    async def handle_request(
        method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> Any:
        answer = protections.handle(method, path, body)
        if answer is None:
            answer = await handle_original(method, path, headers, body, query_params)
        return answer

    def delete(physical_id: str, properties: Any) -> None:
        if protections.of(physical_id):
            raise ValueError(protections.refusal(physical_id))
        original["delete"](physical_id, properties)

    handle_original = patcher.replace("route53.handle_request", handle_request)
    patcher.replace_operation(_ZONE, "delete", delete)
