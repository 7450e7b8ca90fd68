"""ACM: which certificates there are, and what one that is pending waits for."""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from deploytool.aws.errors import code_of, translated
from deploytool.aws.sessions import Clients
from deploytool.core.certificates.certificate import (
    Certificate,
    CertificateStatus,
    ValidationRecord,
)

# Without this filter ListCertificates shows RSA_2048 alone (API reference of ListCertificates).
KEY_TYPES = [
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
]


class AcmCertificates:
    """The Certificates port on boto3."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def list(self, region: str) -> Sequence[Certificate]:
        """ListCertificates, every page. Of a certificate with more than 100 names only these are
        shown.
        """
        with translated(f"listing the certificates of {region}"):
            pages = (
                self._client(region)
                .get_paginator("list_certificates")
                .paginate(Includes={"keyTypes": KEY_TYPES})
            )
            found = [summary for page in pages for summary in page["CertificateSummaryList"]]
        return [
            _summary(each)
            for each in sorted(found, key=lambda each: str(each.get("CreatedAt", "")))
        ]

    def get(self, region: str, arn: str) -> Certificate | None:
        """DescribeCertificate."""
        with translated(f"reading certificate {arn}"):
            try:
                found = self._client(region).describe_certificate(CertificateArn=arn)["Certificate"]
            except ClientError as error:
                if code_of(error) == "ResourceNotFoundException":
                    return None
                raise
        options = found.get("DomainValidationOptions", ())
        records = tuple(_record(each) for each in options if "ResourceRecord" in each)
        status, names = CertificateStatus(found["Status"]), tuple(found["SubjectAlternativeNames"])
        return Certificate(
            found["CertificateArn"], status, names, records, found.get("FailureReason", "")
        )

    def _client(self, region: str) -> Any:  # noqa: ANN401  # a boto3 client
        return self._clients.get("acm", region)


def _summary(found: Mapping[str, Any]) -> Certificate:
    names = (found["DomainName"], *found.get("SubjectAlternativeNameSummaries", ()))
    return Certificate(
        found["CertificateArn"], CertificateStatus(found["Status"]), tuple(dict.fromkeys(names))
    )


def _record(options: Mapping[str, Any]) -> ValidationRecord:
    record = options["ResourceRecord"]
    return ValidationRecord(
        options["DomainName"],
        record["Name"],
        record["Value"],
        proven=options.get("ValidationStatus") == "SUCCESS",
    )
