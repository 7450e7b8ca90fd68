"""The DNS validation of ACM certificates: which are issued, and when.

A certificate is issued once its CNAME records resolve as the public resolves them, from the zones'
parents down. All regions ask for the same record for the same name. Sources: ACM User Guide, "AWS
Certificate Manager DNS validation"; "Certification Authority Authorization (CAA) problems" (a record
that keeps Amazon out makes the certificate FAILED with CAA_ERROR).
"""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deploytool.core.route53.delegation import caa_problem
from deploytool.core.route53.zone import canonical
from deploytool.localcloud.dns.resolution import ResolutionFailed
from deploytool.localcloud.ministack.emulator import MiniStack

# A certificate as MiniStack stores it
Certificate = dict[str, Any]
Resolve = Callable[[str, str], Sequence[str]]

PENDING = "PENDING_VALIDATION"
ISSUED = "ISSUED"
FAILED = "FAILED"

# What a certificate has only once it is issued
ONLY_ISSUED = ("IssuedAt", "NotBefore", "NotAfter")

# Seconds of wall time between two polls for the records that a stack waits for
_POLL_SECONDS = 0.05
# Seconds for which a certificate is valid: 395 days, as ACM's
_VALIDITY = 395 * 86_400


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
            "ValidationStatus": PENDING,
        }
        if method != "DNS":
            return options
        name, value = validation_record(self._responses.get_account_id(), domain)
        return {**options, "ResourceRecord": {"Name": name, "Type": "CNAME", "Value": value}}

    def make_pending(self, arn: str) -> Certificate:
        """Turn a certificate that MiniStack issued at once into a pending one."""
        certificate: Certificate = self._acm._certificates[arn]
        certificate["Status"] = PENDING
        for name in ONLY_ISSUED:
            certificate.pop(name, None)
        return certificate

    def refresh(self, certificate: Certificate) -> bool:
        """Look up the records that a certificate still lacks; return whether it is issued."""
        if certificate["Status"] == PENDING:
            domains = certificate["DomainValidationOptions"]
            self._validate(domains)
            if all(options["ValidationStatus"] == "SUCCESS" for options in domains):
                self._decide(certificate)
        return bool(certificate["Status"] == ISSUED)

    def refresh_all(self) -> None:
        """Look up the records of every certificate of every region."""
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
            if certificate["Status"] == FAILED:
                raise ValueError(f"The certificate {arn} failed: {certificate['FailureReason']}")
            if self._closing.wait(_POLL_SECONDS):
                raise ValueError(f"The local cloud ended before the certificate {arn} was issued")

    def _validate(self, domains: Sequence[dict[str, Any]]) -> None:
        """Mark each pending domain whose validation record resolves."""
        for options in domains:
            pending = options["ValidationStatus"] == PENDING
            if pending and self._resolves(options.get("ResourceRecord")):
                options["ValidationStatus"] = "SUCCESS"

    def _decide(self, certificate: Certificate) -> None:
        """Issue a certificate whose names are all validated, unless CAA records forbid it."""
        for options in certificate["DomainValidationOptions"]:
            if caa_problem(options["DomainName"], lambda owner: self._values(owner, "CAA")):
                certificate.update({"Status": FAILED, "FailureReason": "CAA_ERROR"})
                return

        now = self._responses.now_iso()
        expiry = self._acm._future_iso(_VALIDITY)
        certificate.update(
            {"Status": ISSUED, "IssuedAt": now, "NotBefore": now, "NotAfter": expiry}
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
