"""What CloudFormation needs for the resources of a template."""

from typing import Any

from deploytool.core.permissions.needs import missing, needs_of
from deploytool.core.permissions.policy import Permission, parse_statements
from deploytool.core.permissions.published import Published, parse_schema

SCHEMA: dict[str, Any] = {
    "handlers": {
        "create": {"permissions": ["things:Create", "iam:PassRole", "things:REST.PUT"]},
        "read": {"permissions": ["things:Get"]},
        "update": {"permissions": ["things:Update"]},
        "delete": {"permissions": ["things:Delete"]},
        "list": {"permissions": ["things:List"]},
    },
    "tagging": {"permissions": ["things:Tag"]},
}


class Schemas:
    """Schemas of a few types."""

    def __init__(self, **kinds: Published) -> None:
        self.kinds = {name.replace("__", "::"): published for name, published in kinds.items()}

    def published(self, kind: str) -> Published | None:
        return self.kinds.get(kind)

    def takes(self, action: str, arn: str) -> bool:
        return action.partition(":")[0] == arn.split(":")[2]


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


def needed(resource: dict[str, Any], schemas: Schemas, **options: bool) -> set[str]:
    needs = needs_of("x.yaml", template(X=resource), schemas, **options)
    return {str(need.permission) for need in needs}


def test_a_schema_publishes_what_its_handlers_and_its_tags_need() -> None:
    """Listing is no part of an operation on a stack, and what IAM does not know is left out."""
    published = parse_schema(SCHEMA, lambda action: "." not in action)
    assert published.all == {
        "things:Create",
        "things:Get",
        "things:Update",
        "things:Delete",
        "things:Tag",
        "iam:PassRole",
    }
    assert published.read == {"things:Get"}
    assert published.unknown == {"things:REST.PUT"}


def test_a_schema_may_publish_nothing() -> None:
    """Old types have no handlers."""
    assert parse_schema({}, lambda action: True) == Published(frozenset(), frozenset())


def test_the_service_that_gets_a_role_follows_from_the_type() -> None:
    """The policy names it in a condition."""
    published = Published(frozenset({"iam:PassRole"}), frozenset())
    schemas = Schemas(AWS__StepFunctions__StateMachine=published, My__Own__Type=published)
    machine = {"Type": "AWS::StepFunctions::StateMachine"}
    assert needed(machine, schemas) == {"iam:PassRole (states.amazonaws.com)"}
    assert needed({"Type": "My::Own::Type"}, schemas) == {"iam:PassRole"}


def test_an_unused_property_needs_nothing() -> None:
    """The rows of the table are about properties; any of two rows is enough."""
    published = Published(frozenset({"iam:PassRole", "events:PutRule"}), frozenset())
    schemas = Schemas(AWS__Events__Rule=published)
    plain = {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"Id": "a"}]}}
    assert needed(plain, schemas) == {"events:PutRule"}
    using = {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"RoleArn": "arn"}]}}
    assert needed(using, schemas) == {"events:PutRule", "iam:PassRole (events.amazonaws.com)"}


def test_a_zone_that_is_retained_is_not_deleted() -> None:
    """`RetainExceptOnCreate` deletes it when its creation fails, which needs the permission."""
    published = Published(frozenset({"route53:DeleteHostedZone"}), frozenset())
    schemas = Schemas(AWS__Route53__HostedZone=published)
    for policy, expected in [
        ("Retain", set()),
        ("RetainExceptOnCreate", {"route53:DeleteHostedZone"}),
        ("Delete", {"route53:DeleteHostedZone"}),
    ]:
        zone = {"Type": "AWS::Route53::HostedZone", "DeletionPolicy": policy}
        assert needed(zone, schemas) == expected


def test_a_domain_name_needs_what_no_schema_publishes() -> None:
    """API Gateway creates its service-linked role with the caller's permission."""
    schemas = Schemas(AWS__ApiGateway__DomainName=Published(frozenset(), frozenset()))
    role = {"iam:CreateServiceLinkedRole (ops.apigateway.amazonaws.com)"}
    domain = {"Type": "AWS::ApiGateway::DomainName"}
    assert needed(domain, schemas) == role
    assert needed(domain, schemas, reading=True) == set()


def test_reading_needs_less() -> None:
    """Drift detection reads the resources and changes none."""
    schemas = Schemas(My__Own__Type=parse_schema(SCHEMA, lambda action: True))
    assert needed({"Type": "My::Own::Type"}, schemas, reading=True) == {"things:Get"}


def test_what_a_role_lacks_names_the_resource() -> None:
    """A type without a schema, such as a custom resource's, needs nothing."""
    published = Published(frozenset({"things:Create", "things:Get"}), frozenset())
    document = template(A={"Type": "My::Own::Type"}, B={"Type": "Custom::Thing"}, C={})
    needs = needs_of("x.yaml", document, Schemas(My__Own__Type=published))
    allowed = parse_statements(
        {"Statement": {"Effect": "Allow", "Action": "things:Get", "Resource": "*"}}
    )
    [need] = missing(needs, allowed)
    assert (need.template, need.kind, need.resource) == ("x.yaml", "My::Own::Type", "A")
    assert need.permission == Permission("things:Create")
