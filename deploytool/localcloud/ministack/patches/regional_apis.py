"""What CloudFormation needs of the API of another region: the control planes of global services.

A stack of any region that creates, changes or deletes a resource of Route 53, IAM or CloudFront
calls an API in us-east-1 (AWS whitepaper "AWS Fault Isolation Boundaries", "Global services" and
appendix B: zones, records and health checks of Route 53 cannot be changed then, and go on working).
MiniStack changes these resources within its process, where `api_gate` does not see it. A
certificate whose validation records CloudFormation writes needs Route 53 when it is created
(CloudFormation template reference, AWS::CertificateManager::Certificate, DomainValidationOption).

The message is that of a resource handler whose service answers 5xx; its error code is from the
CloudFormation CLI User Guide, "Resource type handler error codes". That the operation fails at once
when the API hangs is our reading: AWS repeats the call for a while. How the stack then rolls back
is MiniStack's, which does it as AWS does.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from deploytool.localcloud.ministack.api_state import ApiCondition
from deploytool.localcloud.ministack.patches.replace import Patcher
from deploytool.localcloud.ministack.signature import GLOBAL_REGION

_REASON = "the control planes of Route 53, IAM and CloudFront never fail"
PATCHES = {
    "stacks._provision_resource": _REASON,
    "stacks._update_resource": _REASON,
    "stacks._delete_resource": _REASON,
}

# The services whose control planes are in us-east-1, by the beginning of their resource types
_GLOBAL_SERVICES = {
    "AWS::Route53::": "Route 53",
    "AWS::IAM::": "IAM",
    "AWS::CloudFront::": "CloudFront",
}
_CERTIFICATE = "AWS::CertificateManager::Certificate"

Properties = Mapping[str, Any]


def install(patcher: Patcher, api_condition: Callable[[str], ApiCondition]) -> None:
    """Fail the operations on resources of global services while us-east-1's API is broken."""

    def provision(resource_type: str, logical_id: str, props: Properties, stack_name: str) -> Any:
        check(_service_of(resource_type, props))
        return provision_original(resource_type, logical_id, props, stack_name)

    def update(
        resource_type: str,
        physical_id: str,
        old_props: Properties,
        new_props: Properties,
        stack_name: str,
        logical_id: str | None = None,
        old_attrs: Mapping[str, Any] | None = None,
    ) -> Any:
        # MiniStack calls this also for a resource that the update leaves as it is.
        if old_props != new_props:
            check(_service_of(resource_type, new_props))
        return update_original(
            resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs
        )

    def delete(
        resource_type: str,
        physical_id: str,
        props: Properties,
        stack_name: str | None = None,
        logical_id: str | None = None,
    ) -> Any:
        # CloudFormation leaves the validation records of a certificate.
        if resource_type != _CERTIFICATE:
            check(_service_of(resource_type, props))
        return delete_original(resource_type, physical_id, props, stack_name, logical_id)

    def check(service: str | None) -> None:
        """Raise ValueError, which MiniStack reports as the resource's failure."""
        if service is None or api_condition(GLOBAL_REGION) == "answering":
            return
        raise ValueError(
            f'Resource handler returned message: "Service Unavailable (Service: {service}, '
            f'Status Code: 503, Request ID: {uuid.uuid4()})" (RequestToken: {uuid.uuid4()}, '
            "HandlerErrorCode: ServiceInternalError)"
        )

    provision_original = patcher.replace("stacks._provision_resource", provision)
    update_original = patcher.replace("stacks._update_resource", update)
    delete_original = patcher.replace("stacks._delete_resource", delete)


def _service_of(resource_type: str, props: Properties) -> str | None:
    """Return the global service that creates and changes a resource, None for any other."""
    if resource_type == _CERTIFICATE:
        options = props.get("DomainValidationOptions") or ()
        writes_records = any(option.get("HostedZoneId") for option in options)
        return "Route 53" if writes_records else None

    for beginning, service in _GLOBAL_SERVICES.items():
        if resource_type.startswith(beginning):
            return service
    return None
