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
