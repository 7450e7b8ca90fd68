"""The ports of the checks that no other command needs: quotas of the account and its clock."""

from typing import Protocol

from deploytool.core.doctor.quotas import Concurrency, Usage


class Quotas(Protocol):
    """Quotas of the account, each with its use.

    Every method raises CloudRefused when AWS refuses the call, ApiUnavailable when it does not
    answer.
    """

    def domain_names(self, region: str) -> Usage:
        """Return that of API Gateway's public custom domain names in a region."""
        ...

    def hosted_zones(self) -> Usage:
        """Return that of Route 53's hosted zones."""
        ...

    def health_checks(self) -> Usage:
        """Return that of Route 53's health checks."""
        ...

    def concurrency(self, region: str) -> Concurrency:
        """Return how many functions may run at once in a region."""
        ...
