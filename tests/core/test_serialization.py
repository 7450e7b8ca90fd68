"""Documents of dataclasses: what is none of them is a problem, and no other error."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.serialization import by_type_name, decode_typed


@dataclass(frozen=True)
class Thing:
    size: int


KINDS = by_type_name([Thing])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(JSON)
def test_any_type_is_a_problem_or_a_value(kind: object) -> None:
    """The type of an event may be a list or an object."""
    with pytest.raises(ValueError, match="unknown type"):
        decode_typed(KINDS, {"type": kind, "size": 1})
    assert decode_typed(KINDS, {"type": "thing", "size": 1}) == Thing(1)
