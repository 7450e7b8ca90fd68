"""ACM certificates that wait for their DNS validation: issued once the CNAME records resolve, from
the zones' parents down.

Sources: ACM User Guide, "AWS Certificate Manager DNS validation"; "Certification Authority
Authorization (CAA) problems" (a record that keeps Amazon out makes the certificate FAILED with
CAA_ERROR); CloudFormation template reference, AWS::CertificateManager::Certificate (with
HostedZoneId in DomainValidationOptions CloudFormation creates the records; the stack waits until
the certificate is issued; ValidationMethod defaults to EMAIL). CloudFormation leaves the validation
records when the certificate goes. All regions ask for the same record for the same name. The
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
from deploytool.localcloud.ministack.patches.zones import RecordSets

Certificate = dict[str, Any]
Resolve = Callable[[str, str], Sequence[str]]

_RESOURCE_TYPE = "AWS::CertificateManager::Certificate"
_LOOK_SECONDS = 0.05  # of wall time between two looks for the records that a stack waits for
_RECORD_TTL = "300"
_ONLY_ISSUED = ("IssuedAt", "NotBefore", "NotAfter")
_PENDING = "PENDING_VALIDATION"
_ISSUED = "ISSUED"
_FAILED = "FAILED"


def validation_record(account: str, domain: str) -> tuple[str, str]:
    """Name and value of the CNAME that proves control of a domain: one for all regions, and for a
    wildcard as for its base.
    """
    base = domain.removeprefix("*.").lower().rstrip(".")
    proof = hashlib.sha256(f"{account} {base}".encode()).hexdigest()
    return f"_{proof[:32]}.{base}.", f"_{proof[32:]}.acm-validations.aws."


class Validation:
    """Decides which certificates are issued. `resolve` gives the values of a name and type as the
    public sees them.

    `closing` is set when the cloud ends, so that no stack keeps waiting.
    """

    def __init__(self, ministack: MiniStack, resolve: Resolve, closing: threading.Event) -> None:
        self._acm = ministack.acm
        self._responses = ministack.responses
        self._resolve = resolve
        self._closing = closing

    def options(self, domain: str, method: str) -> dict[str, Any]:
        """A domain's entry of DomainValidationOptions, not validated yet."""
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
        """Take back what MiniStack gave at once."""
        certificate: Certificate = self._acm._certificates[arn]
        certificate["Status"] = _PENDING
        for name in _ONLY_ISSUED:
            certificate.pop(name, None)
        return certificate

    def refresh(self, certificate: Certificate) -> bool:
        """Whether the certificate is issued, after looking for the records that it still lacks."""
        if certificate["Status"] == _PENDING:
            for options in certificate["DomainValidationOptions"]:
                if options["ValidationStatus"] == _PENDING and self._resolves(
                    options.get("ResourceRecord")
                ):
                    options["ValidationStatus"] = "SUCCESS"
            if all(
                options["ValidationStatus"] == "SUCCESS"
                for options in certificate["DomainValidationOptions"]
            ):
                self._decide(certificate)
        return bool(certificate["Status"] == _ISSUED)

    def refresh_all(self) -> None:
        """Look for the records of every certificate of every region."""
        for _, certificate in self._acm._certificates.all_items():
            self.refresh(certificate)

    def wait(self, arn: str) -> None:
        """Return once the certificate is issued. Blocks its thread, never the event loop's. Raises
        ValueError if it cannot be.
        """
        while True:
            certificate = self._acm._certificates.get(arn)
            if certificate is None:
                raise ValueError(f"The certificate {arn} was deleted before it was issued")
            if self.refresh(certificate):
                return
            if certificate["Status"] == _FAILED:
                raise ValueError(f"The certificate {arn} failed: {certificate['FailureReason']}")
            if self._closing.wait(_LOOK_SECONDS):
                raise ValueError(f"The local cloud ended before the certificate {arn} was issued")

    def _decide(self, certificate: Certificate) -> None:
        """Issue a certificate whose names are all proven, unless CAA records forbid it."""
        names = [options["DomainName"] for options in certificate["DomainValidationOptions"]]
        if any(caa_problem(name, lambda owner: self._found(owner, "CAA")) for name in names):
            certificate.update({"Status": _FAILED, "FailureReason": "CAA_ERROR"})
            return
        now = self._responses.now_iso()
        times = {"IssuedAt": now, "NotBefore": now, "NotAfter": self._acm._future_iso(395 * 86_400)}
        certificate.update({"Status": _ISSUED, **times})

    def _resolves(self, record: Mapping[str, str] | None) -> bool:
        if record is None:
            return False
        return any(
            canonical(value) == canonical(record["Value"])
            for value in self._found(record["Name"], "CNAME")
        )

    def _found(self, name: str, type_: str) -> Sequence[str]:
        try:
            return self._resolve(name, type_)
        except ResolutionFailed:
            return ()  # nobody could be asked: ACM looks again


def install(ministack: MiniStack, validation: Validation) -> None:
    """Put validation into ACM's API and into CloudFormation."""
    _install_api(ministack, validation)
    _install_resource(ministack, validation)


def _install_api(ministack: MiniStack, validation: Validation) -> None:
    acm = ministack.acm
    their_handler, their_request, their_shape = (
        acm.handle_request,
        acm._request_certificate,
        acm._cert_shape,
    )

    async def handle_request(
        method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> Any:
        validation.refresh_all()
        return await their_handler(method, path, headers, body, query_params)

    def request_certificate(data: dict[str, Any]) -> Any:
        if data.get("ValidationMethod", "EMAIL") != "DNS":
            message = "The local cloud sends no email: use ValidationMethod DNS."
            return acm.error_response_json("InvalidParameterException", message, 400)
        before = set(acm._certificates)
        answer = their_request(data)
        for arn in set(acm._certificates) - before:
            validation.make_pending(arn)
        return answer

    def shape(certificate: Certificate) -> dict[str, Any]:
        shown: dict[str, Any] = their_shape(certificate)
        if certificate["Status"] == _ISSUED:
            return shown
        reason = (
            {"FailureReason": certificate["FailureReason"]}
            if certificate["Status"] == _FAILED
            else {}
        )
        return {k: v for k, v in shown.items() if k not in _ONLY_ISSUED} | reason

    def list_certificates(data: dict[str, Any]) -> Any:
        wanted = data.get("CertificateStatuses") or ()
        held = [
            each
            for each in acm._certificates.values()
            if acm._is_local_certificate_arn(each["CertificateArn"])
        ]
        shown = [_summary(shape(each)) for each in held if not wanted or each["Status"] in wanted]
        return ministack.responses.json_response({"CertificateSummaryList": shown})

    acm.handle_request = handle_request
    acm._request_certificate = request_certificate
    acm._cert_shape = shape
    acm._list_certificates = list_certificates
    acm._validation_options = validation.options


def _summary(shown: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of ListCertificates (API reference of CertificateSummary): MiniStack leaves out
    further names and times.
    """
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


def _install_resource(ministack: MiniStack, validation: Validation) -> None:
    provisioners, stacks = ministack.provisioners, ministack.stacks
    records = RecordSets(ministack.route53)
    handler = provisioners._RESOURCE_HANDLERS[_RESOURCE_TYPE]
    their_create, their_update, their_choice = (
        handler["create"],
        handler["update"],
        stacks._runs_on_worker_thread,
    )

    def create(
        logical_id: str, properties: Mapping[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        if properties.get("ValidationMethod", "EMAIL") != "DNS":
            raise ValueError(
                "ValidationMethod: the local cloud sends no email (which is the default): use DNS"
            )
        arn, attributes = their_create(logical_id, properties, stack_name)
        certificate = validation.make_pending(arn)
        asked = properties.get("DomainValidationOptions") or ()
        zones = {each["DomainName"]: each.get("HostedZoneId") for each in asked}
        try:
            for options in certificate["DomainValidationOptions"]:
                if zone_id := zones.get(options["DomainName"]):
                    _put_record(ministack, records, zone_id, options["ResourceRecord"])
            validation.wait(arn)
        except ValueError:
            # Nobody else would: the resource gets no physical id
            ministack.acm._certificates.pop(arn, None)
            raise
        return arn, attributes

    def update(*arguments: Any) -> Any:
        if arguments[2].get("ValidationMethod") != arguments[1].get("ValidationMethod"):
            raise ValueError("ValidationMethod: the local cloud validates by DNS only")
        return their_update(*arguments)

    handler.update({"create": create, "update": update})
    provisioners._acm_certificate_create = create
    stacks._runs_on_worker_thread = lambda kind: kind == _RESOURCE_TYPE or their_choice(kind)


def _put_record(
    ministack: MiniStack, records: RecordSets, zone_id: str, wanted: Mapping[str, str]
) -> None:
    zone = ministack.route53._zones.get(zone_id)
    if zone is not None and not canonical(wanted["Name"]).endswith(f".{canonical(zone['name'])}"):
        raise ValueError(
            f"RRSet with DNS name {wanted['Name']} is not permitted in zone {zone['name']}"
        )
    record = {
        "Name": wanted["Name"],
        "Type": "CNAME",
        "TTL": _RECORD_TTL,
        "ResourceRecords": [wanted["Value"]],
    }
    with records.change(zone_id) as draft:
        records.upsert(draft, record)
