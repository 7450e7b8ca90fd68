"""Where a command works: the account, who calls, and the addresses of the APIs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# The domains of AWS's APIs in the partition `aws`: those of the services, which also hold interface
# endpoints of a VPC, and the dual-stack ones (AWS General Reference, "AWS service endpoints").
AWS_DOMAINS = ("amazonaws.com", "api.aws")


@dataclass(frozen=True)
class Caller:
    """The account and the ARN of the caller. `unknown` says why they are not known."""

    account: str = ""
    arn: str = ""
    unknown: str = ""

    @property
    def who(self) -> str:
        """Who calls, in words: the role and its session, or the user (IAM User Guide, "IAM ARNs")."""
        resource = self.arn.partition("::")[2].partition(":")[2]
        kind, _, path = resource.partition("/")
        names = path.split("/")
        match kind:
            case "root":
                return "the root user"
            case "assumed-role" if len(names) == 2:
                return f"role {names[0]} (session {names[1]})"
            case "user":
                return f"user {names[-1]}"
            case "federated-user":
                return f"federated user {names[-1]}"
            case _:
                return self.arn


@dataclass(frozen=True)
class Whereabouts:
    """Where a command works.

    `endpoints` has the address of each service whose address the user has set, by the service.
    `service_role` is the role with which CloudFormation changes resources, empty without one.
    """

    caller: Caller
    regions: tuple[str, ...]
    endpoints: Mapping[str, str] = field(default_factory=dict)
    service_role: str = ""

    def by_address(self) -> Mapping[str, tuple[str, ...]]:
        """Return the services of each address that the user has set."""
        services: dict[str, list[str]] = {}
        for service, address in sorted(self.endpoints.items()):
            services.setdefault(address, []).append(service)
        return {address: tuple(names) for address, names in services.items()}

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """The addresses that are not AWS's, such as that of a local cloud."""
        return tuple(address for address in self.by_address() if not is_of_aws(address))


def is_of_aws(address: str) -> bool:
    """Return whether the address of an API is one of AWS's."""
    host = urlsplit(address).hostname or ""
    return any(host == domain or host.endswith(f".{domain}") for domain in AWS_DOMAINS)
