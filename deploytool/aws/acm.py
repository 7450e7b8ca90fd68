"""ACM: the certificates of a region, and the DNS records that a pending one waits for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deploytool.aws.errors import ignored, translated
from deploytool.aws.sessions import Clients
from deploytool.core.certificates.certificate import (
    Certificate,
    CertificateStatus,
    ValidationRecord,
)

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient
    from mypy_boto3_acm.literals import KeyAlgorithmType
    from mypy_boto3_acm.type_defs import (
        CertificateDetailTypeDef,
        CertificateSummaryTypeDef,
        DomainValidationTypeDef,
    )

# Without this filter ListCertificates returns only RSA_2048 (API reference of ListCertificates).
KEY_TYPES: "Sequence[KeyAlgorithmType]" = [
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
]


class AcmCertificates:
    """The Certificates port on botocore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def list(self, region: str) -> Sequence[Certificate]:
        """ListCertificates, every page.

        A summary contains at most 100 names of a certificate.
        """
        paginator = self._client(region).get_paginator("list_certificates")
        summaries: list[CertificateSummaryTypeDef] = []
        with translated(f"listing the certificates of {region}"):
            for page in paginator.paginate(Includes={"keyTypes": KEY_TYPES}):
                summaries.extend(page["CertificateSummaryList"])
        summaries.sort(key=lambda summary: str(summary.get("CreatedAt", "")))
        return [_from_summary(summary) for summary in summaries]

    def get(self, region: str, arn: str) -> Certificate | None:
        """DescribeCertificate."""
        client = self._client(region)
        with translated(f"reading certificate {arn}"), ignored("ResourceNotFoundException"):
            answer = client.describe_certificate(CertificateArn=arn)
            return _from_detail(answer["Certificate"])
        return None

    def enabled_regions(self, region: str) -> Sequence[str]:
        """DescribeRegions of EC2: the regions that are enabled for the account."""
        with translated("listing the regions of the account"):
            answer = self._clients.get("ec2", region).describe_regions()
        return sorted(each["RegionName"] for each in answer["Regions"])

    def _client(self, region: str) -> "ACMClient":
        return self._clients.get("acm", region)


def _from_summary(summary: "CertificateSummaryTypeDef") -> Certificate:
    names = [summary["DomainName"], *summary.get("SubjectAlternativeNameSummaries", ())]
    return Certificate(
        summary["CertificateArn"],
        CertificateStatus(summary["Status"]),
        # The domain name is also in the summaries. A dictionary drops it there and keeps the order.
        tuple(dict.fromkeys(names)),
    )


def _from_detail(detail: "CertificateDetailTypeDef") -> Certificate:
    # ACM adds the record of a name some seconds after the request.
    options = detail.get("DomainValidationOptions", ())
    records = tuple(_validation_record(option) for option in options if "ResourceRecord" in option)
    return Certificate(
        detail["CertificateArn"],
        CertificateStatus(detail["Status"]),
        tuple(detail["SubjectAlternativeNames"]),
        records,
        detail.get("FailureReason", ""),
    )


def _validation_record(option: "DomainValidationTypeDef") -> ValidationRecord:
    record = option["ResourceRecord"]
    return ValidationRecord(
        option["DomainName"],
        record["Name"],
        record["Value"],
        proven=option.get("ValidationStatus") == "SUCCESS",
    )
