"""What a deployment would do to the resources of a stack, and which of these changes clients would
notice. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# Types through which requests reach a service, with the properties that cannot be updated in place
# ("Update requires: Replacement" in the template reference). A dot leads into a property.
SERVING: Mapping[str, frozenset[str]] = {
    "AWS::ApiGateway::BasePathMapping": frozenset({"BasePath", "DomainName"}),
    "AWS::ApiGateway::DomainName": frozenset({"DomainName"}),
    "AWS::ApiGateway::RestApi": frozenset(),
    "AWS::ApiGateway::Stage": frozenset({"RestApiId", "StageName"}),
    "AWS::CertificateManager::Certificate": frozenset(
        {
            "CertificateAuthorityArn",
            "CertificateExport",
            "DomainName",
            "DomainValidationOptions",
            "KeyAlgorithm",
            "SubjectAlternativeNames",
            "ValidationMethod",
        }
    ),
    "AWS::Lambda::Function": frozenset({"FunctionName", "PackageType", "TenancyConfig"}),
    "AWS::Route53::HealthCheck": frozenset(
        f"HealthCheckConfig.{name}" for name in ("MeasureLatency", "RequestInterval", "Type")
    ),
    "AWS::Route53::HostedZone": frozenset({"DelegationSetId", "Name"}),
    "AWS::Route53::RecordSet": frozenset({"HostedZoneId", "HostedZoneName", "Name"}),
}


class Effect(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    PERHAPS_UPDATE = "perhaps update"
    REPLACE = "replace"
    PERHAPS_REPLACE = "perhaps replace"
    DELETE = "delete"
    RETAIN = "leave behind"
    IMPORT = "import"


@dataclass(frozen=True)
class PropertyChange:
    """A property that changes: its path with dots; the values when they are known and may be
    shown.
    """

    path: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class ResourceChange:
    """What happens to one resource, and the properties that are the reason."""

    effect: Effect
    logical_id: str
    type: str
    properties: tuple[PropertyChange, ...] = ()

    @property
    def interrupts(self) -> bool:
        """It serves traffic now and is, or may be, taken away or made anew."""
        return self.type in SERVING and self.effect in (
            Effect.REPLACE,
            Effect.PERHAPS_REPLACE,
            Effect.DELETE,
        )


class Source(StrEnum):
    """How a stack's changes are known."""

    TEMPLATE = "template"
    CHANGE_SET = "change set"
    ESTIMATE = "estimate"


@dataclass(frozen=True)
class StackChanges:
    """A stack's changes. An estimate compares templates: where an input, or the stack's own state,
    allows no change set yet.
    """

    source: Source
    resources: tuple[ResourceChange, ...]

    @property
    def interrupting(self) -> tuple[ResourceChange, ...]:
        """Those that clients may notice."""
        return tuple(each for each in self.resources if each.interrupts)


@dataclass(frozen=True)
class DeployedTemplate:
    """A deployed stack's template (short tags in their long form) and parameters. CloudFormation
    masks those marked NoEcho.
    """

    document: Mapping[str, object]
    parameters: Mapping[str, str]
