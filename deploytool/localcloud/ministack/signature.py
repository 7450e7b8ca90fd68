"""The region and the service that a request of the AWS API is signed for.

Both are in the credential scope of Signature Version 4, which is in the Authorization header or,
when the URL is presigned, in the query parameter X-Amz-Credential (IAM User Guide, "Create a signed
AWS API request").

The API of a global service is in us-east-1, and its requests are signed for that region (AWS
General Reference, "Service endpoints"). The AWS SDKs sign them for the client's own region when
they have a local cloud's endpoint, so the service decides.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

GLOBAL_REGION = "us-east-1"
# The services with their control plane there, by the names in a signature (AWS whitepaper "AWS
# Fault Isolation Boundaries", "Global services").
_GLOBAL_SERVICES = {"cloudfront", "iam", "route53"}

_HEADER = re.compile(r"Credential=[^/,]*/\d{8}/([^/]*)/([^/]+)/aws4_request")
_QUERY = re.compile(r"(?:^|&)X-Amz-Credential=[^/&]*/\d{8}/([^/&]*)/([^/&]+)/aws4_request")


@dataclass(frozen=True)
class CredentialScope:
    """The region and the service of a signature; for a global service the region of its API."""

    region: str
    service: str


def scope_of(headers: Mapping[str, str], query: str = "") -> CredentialScope | None:
    """Return the scope of a request's signature, None when it has no such signature.

    `headers` have names in lower case; `query` is the query string as it was sent.
    """
    found = _HEADER.search(headers.get("authorization", ""))
    if found is None:
        found = _QUERY.search(unquote_plus(query))
    if found is None:
        return None
    region, service = found.groups()
    return CredentialScope(GLOBAL_REGION if service in _GLOBAL_SERVICES else region, service)
