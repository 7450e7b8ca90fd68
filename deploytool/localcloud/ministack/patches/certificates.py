"""ACM certificates that are issued once their DNS validation records resolve.

MiniStack issues each certificate at once. Here the CNAME records must resolve as the public
resolves them, from the zones' parents down. Sources: ACM User Guide, "AWS Certificate Manager DNS validation"; "Certification Authority
Authorization (CAA) problems" (a record that keeps Amazon out makes the certificate FAILED with
CAA_ERROR); CloudFormation template reference, AWS::CertificateManager::Certificate (with
HostedZoneId in DomainValidationOptions CloudFormation creates the records; the stack waits until
the certificate is issued; ValidationMethod defaults to EMAIL). CloudFormation leaves the validation
records when the certificate is deleted. All regions ask for the same record for the same name. The
record's TTL of 300 s is a guess.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deploytool.core.route53.delegation import caa_problem
from deploytool.core.route53.zone import canonical
from deploytool.localcloud.dns.resolution import ResolutionFailed
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.replace import Patcher
from deploytool.localcloud.ministack.patches.zones import RecordSets

PATCHES = {
    "acm.handle_request": "no certificate is looked at before an answer",
    "acm._request_certificate": "certificates are issued at once; email validation is accepted",
    "acm._cert_shape": "a certificate that is not issued has times of its issue",
    "acm._list_certificates": "CertificateStatuses is ignored; further names and times are missing",
    "acm._validation_options": "the validation record differs between regions",
    "AWS::CertificateManager::Certificate.create": "the stack does not wait for the validation",
    "AWS::CertificateManager::Certificate.update": "a change to email validation is accepted",
    "provisioners._acm_certificate_create": "a replacement by an update does not wait either",
    "stacks._runs_on_worker_thread": "the wait for the validation would block the event loop",
}

# A certificate as MiniStack stores it
Certificate = dict[str, Any]
Resolve = Callable[[str, str], Sequence[str]]

_RESOURCE_TYPE = "AWS::CertificateManager::Certificate"
# Seconds of wall time between two looks for the records that a stack waits for
_POLL_SECONDS = 0.05
_RECORD_TTL = "300"
_ONLY_ISSUED = ("IssuedAt", "NotBefore", "NotAfter")
_PENDING = "PENDING_VALIDATION"
_ISSUED = "ISSUED"
_FAILED = "FAILED"


def validation_record(account: str, domain: str) -> tuple[str, str]:
    """Return the name and the value of the CNAME record that proves control of a domain.

    It is the same in all regions, and the same for a wildcard as for its base.
    """
    base = domain.removeprefix("*.").lower().rstrip(".")
    proof = hashlib.sha256(f"{account} {base}".encode()).hexdigest()
    return f"_{proof[:32]}.{base}.", f"_{proof[32:]}.acm-validations.aws."


class Validation:
    """Decides which certificates are issued.

    `resolve` returns the values of a name and type as the public sees them. `closing` is set when
    the cloud ends, so that no stack keeps waiting.
    """

    def __init__(self, ministack: MiniStack, resolve: Resolve, closing: threading.Event) -> None:
        self._acm = ministack.acm
        self._responses = ministack.responses
        self._resolve = resolve
        self._closing = closing

    def options(self, domain: str, method: str) -> dict[str, Any]:
        """Return a domain's entry of DomainValidationOptions before its validation."""
        options = {
            "DomainName": domain,
            "ValidationDomain": domain,
            "ValidationMethod": method,
            "ValidationStatus": _PENDING,
        }
        if method != "DNS":
            return options
        name, value = validation_record(self._responses.get_account_id(), domain)
        return {**options, "ResourceRecord": {"Name": name, "Type": "CNAME", "Value": value}}

    def make_pending(self, arn: str) -> Certificate:
        """Turn a certificate that MiniStack issued at once into a pending one."""
        certificate: Certificate = self._acm._certificates[arn]
        certificate["Status"] = _PENDING
        for name in _ONLY_ISSUED:
            certificate.pop(name, None)
        return certificate

    def refresh(self, certificate: Certificate) -> bool:
        """Look for the records that a certificate still lacks; return whether it is issued."""
        if certificate["Status"] == _PENDING:
            self._validate(certificate["DomainValidationOptions"])
            statuses = {
                options["ValidationStatus"] for options in certificate["DomainValidationOptions"]
            }
            if statuses == {"SUCCESS"}:
                self._decide(certificate)
        return bool(certificate["Status"] == _ISSUED)

    def refresh_all(self) -> None:
        """Look for the records of every certificate of every region."""
        for _, certificate in self._acm._certificates.all_items():
            self.refresh(certificate)

    def wait(self, arn: str) -> None:
        """Block this thread until the certificate is issued.

        Must not be called on the event loop's thread. Raises ValueError when the certificate is
        deleted, when it fails, and when the cloud ends.
        """
        while True:
            certificate = self._acm._certificates.get(arn)
            if certificate is None:
                raise ValueError(f"The certificate {arn} was deleted before it was issued")
            if self.refresh(certificate):
                return
            if certificate["Status"] == _FAILED:
                raise ValueError(f"The certificate {arn} failed: {certificate['FailureReason']}")
            if self._closing.wait(_POLL_SECONDS):
                raise ValueError(f"The local cloud ended before the certificate {arn} was issued")

    def _validate(self, domains: Sequence[dict[str, Any]]) -> None:
        """Mark each pending domain whose validation record resolves."""
        for options in domains:
            pending = options["ValidationStatus"] == _PENDING
            if pending and self._resolves(options.get("ResourceRecord")):
                options["ValidationStatus"] = "SUCCESS"

    def _decide(self, certificate: Certificate) -> None:
        """Issue a certificate whose names are all validated, unless CAA records forbid it."""
        for options in certificate["DomainValidationOptions"]:
            if caa_problem(options["DomainName"], lambda owner: self._values(owner, "CAA")):
                certificate.update({"Status": _FAILED, "FailureReason": "CAA_ERROR"})
                return

        now = self._responses.now_iso()
        # ACM's certificates are valid for 395 days.
        expiry = self._acm._future_iso(395 * 86_400)
        certificate.update(
            {"Status": _ISSUED, "IssuedAt": now, "NotBefore": now, "NotAfter": expiry}
        )

    def _resolves(self, record: Mapping[str, str] | None) -> bool:
        if record is None:
            return False
        values = self._values(record["Name"], "CNAME")
        return canonical(record["Value"]) in map(canonical, values)

    def _values(self, name: str, type_: str) -> Sequence[str]:
        try:
            return self._resolve(name, type_)
        except ResolutionFailed:
            return ()  # no name server answered: ACM tries again later


def install(patcher: Patcher, validation: Validation) -> None:
    """Put validation into ACM's API and into CloudFormation."""
    _install_api(patcher, validation)
    _install_listing(patcher)
    _install_resource(patcher, validation)


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
        if cert["Status"] == _ISSUED:
            return shown

        for name in _ONLY_ISSUED:
            shown.pop(name, None)
        if cert["Status"] == _FAILED:
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


def _install_resource(patcher: Patcher, validation: Validation) -> None:
    ministack = patcher.ministack
    records = RecordSets(ministack.route53)
    original = patcher.handler(_RESOURCE_TYPE)

    def create(
        logical_id: str, props: Mapping[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        if props.get("ValidationMethod", "EMAIL") != "DNS":
            raise ValueError(
                "ValidationMethod: the local cloud sends no email (which is the default): use DNS"
            )

        arn, attributes = original["create"](logical_id, props, stack_name)
        certificate = validation.make_pending(arn)
        zones = {
            options["DomainName"]: options.get("HostedZoneId")
            for options in props.get("DomainValidationOptions") or ()
        }
        try:
            for options in certificate["DomainValidationOptions"]:
                zone_id = zones.get(options["DomainName"])
                if zone_id:
                    _put_record(ministack, records, zone_id, options["ResourceRecord"])
            validation.wait(arn)
        except ValueError:
            # The resource gets no physical id, so CloudFormation would not delete the certificate.
            ministack.acm._certificates.pop(arn, None)
            raise
        return arn, attributes

    def update(*arguments: Any) -> Any:
        _, old, new = arguments[:3]
        if old.get("ValidationMethod") != new.get("ValidationMethod"):
            raise ValueError("ValidationMethod: the local cloud validates by DNS only")
        return original["update"](*arguments)

    def runs_on_worker_thread(resource_type: str) -> bool:
        return resource_type == _RESOURCE_TYPE or bool(blocks_original(resource_type))

    patcher.replace_operation(_RESOURCE_TYPE, "create", create)
    patcher.replace_operation(_RESOURCE_TYPE, "update", update)
    # MiniStack's update calls the creation by this name when the certificate is replaced.
    patcher.replace("provisioners._acm_certificate_create", create)
    blocks_original = patcher.replace("stacks._runs_on_worker_thread", runs_on_worker_thread)


def _put_record(
    ministack: MiniStack, records: RecordSets, zone_id: str, validation: Mapping[str, str]
) -> None:
    """Write a validation record into a zone. Raises ValueError when the zone has no such names."""
    name = validation["Name"]
    zone = ministack.route53._zones.get(zone_id)
    if zone is not None and not canonical(name).endswith(f".{canonical(zone['name'])}"):
        raise ValueError(f"RRSet with DNS name {name} is not permitted in zone {zone['name']}")

    record = {
        "Name": name,
        "Type": "CNAME",
        "TTL": _RECORD_TTL,
        "ResourceRecords": [validation["Value"]],
    }
    with records.change(zone_id) as draft:
        records.upsert(draft, record)
