"""Which changes of resources clients would notice."""

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # cfn-lint ships no types

from deploytool.core.stacks.changes import SERVING, Effect, ResourceChange


@pytest.mark.parametrize("kind", SERVING)
def test_what_cannot_be_updated_in_place_is_known_of_each_serving_type(kind: str) -> None:
    """CloudFormation's own schema of the type names no create-only property that the table
    lacks.
    """
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
def test_only_taking_away_what_serves_is_marked(
    effect: Effect, kind: str, *, noticed: bool
) -> None:
    """A replacement or deletion of a serving type interrupts; an update in place or another type
    does not.
    """
    assert ResourceChange(effect, "X", kind).interrupts is noticed
