"""Domain names: what hosted zones and certificates take, and how a region's name is formed."""

import re

# RFC 1035 section 2.3.1: letters, digits and hyphens, no hyphen at the ends, at most 63 characters.
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

# Characters. ACM's limit for a certificate's first name (API reference of RequestCertificate).
DOMAIN_LENGTH = 64


def domain_problem(domain: str) -> str | None:
    """Return what is wrong with a domain name, or None.

    The rules are those of RFC 1035, and ACM's limit for the length.
    """
    if len(domain) > DOMAIN_LENGTH:
        return (
            f"'{domain}' is longer than {DOMAIN_LENGTH} characters,"
            " ACM's limit for a certificate's name"
        )

    labels = domain.split(".")
    if len(labels) < 2 or not all(LABEL.fullmatch(label) for label in labels):
        return (
            f"'{domain}' is not a domain name;"
            " write it like api.example.com: lower case, no scheme, no final dot"
        )
    return None


def regional_name(region: str, domain: str) -> str:
    """Return the name of one region's own endpoint, which takes no part in the failover."""
    return f"{region}.{domain}"


# A region's name as a label of a DNS name, or at the end of a label: s3-website-us-east-1. Sources:
# AWS General Reference, "AWS service endpoints"; ELB and API Gateway name a region the same way.
_REGION = re.compile(
    r"(?:^|[.-])((?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-gov|-isob?)?-"
    r"(?:north|south|central|northeast|northwest|southeast|southwest|east|west)-\d)(?=\.|$)"
)


def region_in(name: str) -> str:
    """Return the AWS region that a DNS name has in it, "" when it has none or several."""
    regions = set(_REGION.findall(name.lower()))
    return regions.pop() if len(regions) == 1 else ""


# RFC 1035 section 2.3.4. Underscores are no part of a host's name, but DNS allows them.
_ANY_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NAME_LENGTH = 253


def host_problem(domain: str) -> str | None:
    """Return why a text is not the name of a host in DNS, or None.

    A name of an existing record may be longer than what ACM takes (see `domain_problem`).
    """
    parts = domain.split(".")
    if (
        len(domain) > _NAME_LENGTH
        or len(parts) < 2
        or not all(map(_ANY_LABEL.fullmatch, parts))
        or parts[-1].isdigit()
    ):
        return (
            f"'{domain[:_NAME_LENGTH]}' is not a domain name; write it like api.example.com: no"
            " scheme, no path, and other letters in their ASCII form (xn--...)"
        )
    return None
