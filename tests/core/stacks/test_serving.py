"""The properties that replace a resource which serves traffic, against AWS's published schemas."""

import pytest

from deploytool.core.stacks.changes import SERVING
from deploytool.localcloud.ministack.resource_schemas import schema_of


@pytest.mark.parametrize("resource_type", SERVING)
def test_no_replacing_property_is_missing(resource_type: str) -> None:
    """An estimate warns of each property that the schema does not let change in place.

    The table may have more: the template reference names some as "Update requires: Replacement" that
    the schema does not list, such as the name of a record set.
    """
    schema = schema_of(resource_type)
    assert schema is not None
    assert {".".join(path) for path in schema.create_only} <= SERVING[resource_type]
