"""Which changes of resources clients may notice."""

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # cfn-lint ships no types

from deploytool.core.stacks.changes import SERVING, Effect, ResourceChange


@pytest.mark.parametrize("kind", SERVING)
def test_the_table_has_each_property_that_cannot_be_updated_in_place(kind: str) -> None:
    """It includes every create-only property of CloudFormation's own schema of the type."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    paths = {
        path.removeprefix("/properties/").replace("/", ".")
        for path in schema.get("createOnlyProperties", [])
    }
    assert paths <= SERVING[kind]


@pytest.mark.parametrize(
    ("effect", "kind", "noticed"),
    [
        (Effect.REPLACE, "AWS::ApiGateway::DomainName", True),
        (Effect.PERHAPS_REPLACE, "AWS::Route53::RecordSet", True),
        (Effect.DELETE, "AWS::Lambda::Function", True),
        (Effect.UPDATE, "AWS::Lambda::Function", False),
        (Effect.CREATE, "AWS::Route53::RecordSet", False),
        (Effect.REPLACE, "AWS::Logs::LogGroup", False),
    ],
)
def test_only_the_removal_of_what_serves_interrupts(
    effect: Effect, kind: str, *, noticed: bool
) -> None:
    """A replacement or deletion of a serving type interrupts; an update in place or another type
    does not.
    """
    assert ResourceChange(effect, "X", kind).interrupts is noticed
