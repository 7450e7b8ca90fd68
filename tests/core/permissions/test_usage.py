"""Whether a resource sets a property."""

from typing import Any

import pytest

from deploytool.core.permissions.usage import uses

NOTHING = {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize(
    ("properties", "path", "expected"),
    [
        ({}, "A", False),
        ({"A": 1}, "A", True),
        ({"A": None}, "A", False),
        ({"A": NOTHING}, "A", False),
        ({"A": {"Fn::If": ["C", "x", NOTHING]}}, "A", True),
        ({"A": {"Fn::If": ["C", NOTHING, NOTHING]}}, "A", False),
        ({"A": {"B": 1}}, "A.B", True),
        ({"A": {"C": 1}}, "A.B", False),
        ({"A": [{"C": 1}, {"B": 1}]}, "A.B", True),
        ({"A": {"Fn::If": ["C", {"B": 1}, {"D": 1}]}}, "A.B", True),
        ({"A": [{"Fn::If": ["C", {"B": 1}, NOTHING]}]}, "A.B", True),
        # What a function gives is not known, so it may have the property.
        ({"A": {"Ref": "P"}}, "A.B", True),
        ({"A": {"Fn::Transform": {"Name": "AWS::Include"}}}, "A.B", True),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "A", True),
        ({"A": "text"}, "A.B", False),
    ],
)
def test_a_property_counts_when_any_branch_may_set_it(
    properties: Any, path: str, expected: bool
) -> None:
    """A condition does not decide, as it can be true in another stage."""
    assert uses({"Properties": properties}, path) is expected


def test_a_resource_without_properties_uses_none() -> None:
    """`Properties` is optional in a template."""
    assert not uses({"Type": "AWS::S3::Bucket"}, "BucketName")
