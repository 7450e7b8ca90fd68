"""Accelerated recovery of hosted zones: in the API, and for CloudFormation.

Sources: Route 53 API reference, UpdateHostedZoneFeatures and HostedZoneFeatures; CloudFormation
template reference, AWS::Route53::HostedZone (HostedZoneFeatures). A zone that has it cannot be
deleted (Terraform's AWS provider, pull request 45302). AWS takes a while to enable it; the local
cloud has it at once. It has no effect here: the local control plane is one process.
"""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "route53.handle_request": "UpdateHostedZoneFeatures is missing, and DeleteHostedZone allows too much",
    "route53._build_hosted_zone_el": "a zone has no features",
    "AWS::Route53::HostedZone.create": "HostedZoneFeatures is dropped",
    "AWS::Route53::HostedZone.update": "HostedZoneFeatures is dropped",
}

Properties = Mapping[str, Any]
# The physical id and the attributes of a resource
Created = tuple[str, dict[str, Any]]

_ZONE = "AWS::Route53::HostedZone"
_PATH = re.compile(r"/2013-04-01/hostedzone/(?P<id>[^/]+)/features")
_ZONE_PATH = re.compile(r"/2013-04-01/hostedzone/(?P<id>[^/]+)")
# The key of a zone in MiniStack's store: whether accelerated recovery is on; absent if never set
_ACCELERATED = "accelerated_recovery"


def install(patcher: Patcher) -> None:
    """Keep and answer whether a zone has accelerated recovery."""
    _install_api(patcher)
    _install_resource(patcher)


def _install_api(patcher: Patcher) -> None:
    route53 = patcher.ministack.route53

    async def handle_request(
        method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> Any:
        features_path = _PATH.fullmatch(path)
        if method == "POST" and features_path:
            return update(features_path["id"], body)
        deleted_path = _ZONE_PATH.fullmatch(path)
        if method == "DELETE" and deleted_path:
            zone = route53._zones.get(deleted_path["id"], {})
            if zone.get(_ACCELERATED):
                # The code of the error is our reading: DeleteHostedZone documents no other for it.
                message = "Accelerated recovery must be disabled before the zone is deleted"
                return route53._error_response("InvalidInput", message, 400)
        return await handle_original(method, path, headers, body, query_params)

    def update(zone_id: str, body: bytes) -> Any:
        zone = route53._zones.get(zone_id)
        if not zone:
            message = f"No hosted zone found with ID: {zone_id}"
            return route53._error_response("NoSuchHostedZone", message, 404)

        root = route53._parse_body(body)
        enabled = "" if root is None else route53._text(root, "EnableAcceleratedRecovery")
        if enabled:
            zone[_ACCELERATED] = enabled.lower() == "true"
        return route53._xml_response("UpdateHostedZoneFeaturesResponse", lambda _: None, 200)

    def build_hosted_zone_element(parent: Element, zone: Mapping[str, Any]) -> None:
        build_original(parent, zone)
        if _ACCELERATED in zone:
            features = SubElement(parent[-1], "Features")
            status = "ENABLED" if zone[_ACCELERATED] else "DISABLED"
            SubElement(features, "AcceleratedRecoveryStatus").text = status

    handle_original = patcher.replace("route53.handle_request", handle_request)
    build_original = patcher.replace("route53._build_hosted_zone_el", build_hosted_zone_element)


def _install_resource(patcher: Patcher) -> None:
    route53 = patcher.ministack.route53
    original = patcher.handler(_ZONE)

    def keep(created: Created, properties: Properties) -> Created:
        features = properties.get("HostedZoneFeatures") or {}
        zone = route53._zones[created[0]]
        if "EnableAcceleratedRecovery" in features:
            # A template may have a boolean as text.
            enabled = str(features["EnableAcceleratedRecovery"]).lower() == "true"
            zone[_ACCELERATED] = enabled
        return created

    def create(logical_id: str, properties: Properties, stack_name: str) -> Created:
        return keep(original["create"](logical_id, properties, stack_name), properties)

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str = ""
    ) -> Created:
        return keep(original["update"](physical_id, old, new, stack_name, logical_id), new)

    patcher.replace_operation(_ZONE, "create", create)
    patcher.replace_operation(_ZONE, "update", update)
