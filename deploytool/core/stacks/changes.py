"""The changes of an update to a stack's resources, and which of them clients may notice. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# The types through which requests reach a service, each with the properties that cannot be updated
# in place ("Update requires: Replacement" in the template reference). A dot separates the levels of
# a nested property.
SERVING: Mapping[str, frozenset[str]] = {
    "AWS::ApiGateway::BasePathMapping": frozenset({"BasePath", "DomainName"}),
    "AWS::ApiGateway::DomainName": frozenset({"DomainName"}),
    "AWS::ApiGateway::RestApi": frozenset(),
    "AWS::ApiGateway::Stage": frozenset({"RestApiId", "StageName"}),
    "AWS::ApiGatewayV2::Api": frozenset({"ProtocolType"}),
    "AWS::ApiGatewayV2::ApiMapping": frozenset({"DomainName"}),
    "AWS::ApiGatewayV2::DomainName": frozenset({"DomainName"}),
    "AWS::ApiGatewayV2::Integration": frozenset({"ApiId"}),
    "AWS::ApiGatewayV2::Route": frozenset({"ApiId"}),
    "AWS::ApiGatewayV2::Stage": frozenset({"ApiId", "StageName"}),
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
    """A property that changes, by its path with dots.

    A value is None when it is not known or must not be shown.
    """

    path: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class ResourceChange:
    """What happens to one resource, and the properties that cause it."""

    effect: Effect
    logical_id: str
    type: str
    properties: tuple[PropertyChange, ...] = ()

    @property
    def interrupts(self) -> bool:
        """Whether the resource serves traffic and is, or may be, deleted or replaced."""
        removing = (Effect.REPLACE, Effect.PERHAPS_REPLACE, Effect.DELETE)
        return self.type in SERVING and self.effect in removing


class Source(StrEnum):
    """Where the changes of a stack come from."""

    TEMPLATE = "template"
    CHANGE_SET = "change set"
    ESTIMATE = "estimate"


@dataclass(frozen=True)
class StackChanges:
    """The changes of one stack.

    An estimate compares templates. It is made when an unknown input or the stack's status does not
    allow a change set yet.
    """

    source: Source
    resources: tuple[ResourceChange, ...]

    @property
    def interrupting(self) -> tuple[ResourceChange, ...]:
        """The changes that clients may notice."""
        return tuple(change for change in self.resources if change.interrupts)


@dataclass(frozen=True)
class DeployedTemplate:
    """The template and the parameters of a deployed stack.

    Short tags of the template are in their long form. CloudFormation masks NoEcho parameters.
    """

    document: Mapping[str, object]
    parameters: Mapping[str, str]
