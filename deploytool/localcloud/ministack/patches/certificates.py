"""ACM certificates that are issued once their DNS validation records resolve.

MiniStack issues each certificate at once. Source: CloudFormation template reference,
AWS::CertificateManager::Certificate (with HostedZoneId in DomainValidationOptions CloudFormation
creates the records; the stack waits until the certificate is issued; ValidationMethod defaults to
EMAIL). CloudFormation leaves the validation records when the certificate is deleted. The record's
TTL of 300 s is a guess.
"""

from collections.abc import Mapping
from typing import Any

from deploytool.core.route53.changes import Action
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.certificate_validation import (
    FAILED,
    ISSUED,
    ONLY_ISSUED,
    Certificate,
    Validation,
)
from deploytool.localcloud.ministack.patches.record_sets import RecordChanges, apply_in_stack
from deploytool.localcloud.ministack.patches.replace import Handler, Patcher

PATCHES = {
    "acm.handle_request": "the status of certificates is not refreshed before an answer",
    "acm._request_certificate": "certificates are issued at once; email validation is accepted",
    "acm._cert_shape": "a certificate that is not issued has times of its issue",
    "acm._list_certificates": "CertificateStatuses is ignored; further names and times are missing",
    "acm._validation_options": "the validation record differs between regions",
    "AWS::CertificateManager::Certificate.create": "the stack does not wait for the validation",
    "AWS::CertificateManager::Certificate.update": "a change to email validation is accepted",
    "provisioners._acm_certificate_create": "a replacement by an update does not wait either",
    "stacks._runs_on_worker_thread": "the wait for the validation would block the event loop",
}

_RESOURCE_TYPE = "AWS::CertificateManager::Certificate"
_RECORD_TTL = "300"

Properties = Mapping[str, Any]
# The physical id and the attributes of a resource
Created = tuple[str, dict[str, Any]]


def install(patcher: Patcher, validation: Validation, changes: RecordChanges) -> None:
    """Put validation into ACM's API and into CloudFormation."""
    _install_api(patcher, validation)
    _install_listing(patcher)
    _install_resource(patcher, validation, changes)


def _install_api(patcher: Patcher, validation: Validation) -> None:
    acm = patcher.ministack.acm

    async def handle_request(
        method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> Any:
        validation.refresh_all()
        return await handle_original(method, path, headers, body, query_params)

    def request_certificate(data: dict[str, Any]) -> Any:
        if data.get("ValidationMethod", "EMAIL") != "DNS":
            message = "The local cloud sends no email: use ValidationMethod DNS."
            return acm.error_response_json("InvalidParameterException", message, 400)

        before = set(acm._certificates)
        answer = request_original(data)
        for arn in set(acm._certificates) - before:
            validation.make_pending(arn)
        return answer

    def validation_options(domain: str, method: str) -> dict[str, Any]:
        return validation.options(domain, method)

    handle_original = patcher.replace("acm.handle_request", handle_request)
    request_original = patcher.replace("acm._request_certificate", request_certificate)
    patcher.replace("acm._validation_options", validation_options)


def _install_listing(patcher: Patcher) -> None:
    acm = patcher.ministack.acm
    json_response = patcher.ministack.responses.json_response

    def shape(cert: Certificate) -> dict[str, Any]:
        """Return a certificate as DescribeCertificate shows it."""
        shown: dict[str, Any] = shape_original(cert)
        if cert["Status"] == ISSUED:
            return shown

        for name in ONLY_ISSUED:
            shown.pop(name, None)
        if cert["Status"] == FAILED:
            shown["FailureReason"] = cert["FailureReason"]
        return shown

    def list_certificates(data: dict[str, Any]) -> Any:
        statuses = data.get("CertificateStatuses") or ()
        summaries = []
        for certificate in acm._certificates.values():
            if not acm._is_local_certificate_arn(certificate["CertificateArn"]):
                continue
            if not statuses or certificate["Status"] in statuses:
                summaries.append(_summary(shape(certificate)))
        return json_response({"CertificateSummaryList": summaries})

    shape_original = patcher.replace("acm._cert_shape", shape)
    patcher.replace("acm._list_certificates", list_certificates)


def _summary(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of ListCertificates (ACM API reference, CertificateSummary)."""
    kept = (
        "CertificateArn",
        "DomainName",
        "Status",
        "Type",
        "CreatedAt",
        "IssuedAt",
        "NotBefore",
        "NotAfter",
    )
    names = {
        "SubjectAlternativeNameSummaries": shown["SubjectAlternativeNames"],
        "HasAdditionalSubjectAlternativeNames": False,
    }
    return {name: shown[name] for name in kept if name in shown} | names


class CertificateResource:
    """`AWS::CertificateManager::Certificate`: the creation waits until it is issued.

    `original` is MiniStack's handler of the resource type.
    """

    def __init__(
        self,
        ministack: MiniStack,
        validation: Validation,
        changes: RecordChanges,
        original: Handler,
    ) -> None:
        self._acm = ministack.acm
        self._changes = changes
        self._validation = validation
        self._original = original

    def create(self, logical_id: str, props: Properties, stack_name: str) -> Created:
        """Request a certificate, write its records into the named zones, and wait.

        Raises ValueError, which MiniStack reports as the resource's failure, when the certificate
        is to be validated by email, when a zone cannot have the record, and when it is not issued.
        """
        if props.get("ValidationMethod", "EMAIL") != "DNS":
            raise ValueError(
                "ValidationMethod: the local cloud sends no email (which is the default): use DNS"
            )

        arn, attributes = self._original["create"](logical_id, props, stack_name)
        certificate = self._validation.make_pending(arn)
        try:
            self._put_records(certificate, props)
            self._validation.wait(arn)
        except ValueError:
            # The resource gets no physical id, so CloudFormation would not delete the certificate.
            self._acm._certificates.pop(arn, None)
            raise
        return arn, attributes

    def update(self, *arguments: Any) -> Any:
        """Update a certificate. Raises ValueError when its validation method changes."""
        _, old, new = arguments[:3]
        if old.get("ValidationMethod") != new.get("ValidationMethod"):
            raise ValueError("ValidationMethod: the local cloud validates by DNS only")
        return self._original["update"](*arguments)

    def _put_records(self, certificate: Certificate, props: Properties) -> None:
        """Write the validation records of the domains for which the template names a zone."""
        zones: dict[str, str] = {}
        for options in props.get("DomainValidationOptions") or ():
            if options.get("HostedZoneId"):
                zones[options["DomainName"]] = options["HostedZoneId"]

        for options in certificate["DomainValidationOptions"]:
            zone_id = zones.get(options["DomainName"])
            if zone_id:
                self._put_record(zone_id, options["ResourceRecord"])

    def _put_record(self, zone_id: str, validation: Mapping[str, str]) -> None:
        """Write a validation record. Raises ValueError when Route 53 would refuse it."""
        record = {
            "Name": validation["Name"],
            "Type": "CNAME",
            "TTL": _RECORD_TTL,
            "ResourceRecords": [validation["Value"]],
        }
        apply_in_stack(self._changes, zone_id, [(Action.UPSERT, record)])


def _install_resource(patcher: Patcher, validation: Validation, changes: RecordChanges) -> None:
    original = patcher.handler(_RESOURCE_TYPE)
    resource = CertificateResource(patcher.ministack, validation, changes, original)

    def runs_on_worker_thread(resource_type: str) -> bool:
        return resource_type == _RESOURCE_TYPE or bool(blocks_original(resource_type))

    patcher.replace_operation(_RESOURCE_TYPE, "create", resource.create)
    patcher.replace_operation(_RESOURCE_TYPE, "update", resource.update)
    # MiniStack's update calls the creation by this name when the certificate is replaced.
    patcher.replace("provisioners._acm_certificate_create", resource.create)
    blocks_original = patcher.replace("stacks._runs_on_worker_thread", runs_on_worker_thread)
