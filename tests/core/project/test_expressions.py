"""CloudFormation's functions with known, absent and unknown values."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.project.expressions import (
    ABSENT,
    UNKNOWN,
    Evaluator,
    conjunction,
    disjunction,
    is_known,
    known_parts,
    negation,
    references,
    rename_reference,
)
from deploytool.core.project.template import load_yaml

TEMPLATE = """
Parameters:
  Mode: {Type: String, Default: plain}
  Flag: {Type: String, Default: true}
  Name: {Type: String}
  Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /images/latest}
Conditions:
  Plain: !Equals [!Ref Mode, plain]
  Flagged: !Equals [!Ref Flag, true]
  Named: !Equals [!Ref Name, api]
  NotNamed: !Not [!Condition Named]
  Both: !And [!Condition Plain, !Condition Named]
  Either: !Or [!Condition Plain, !Condition Named]
  Here: !Equals [!Ref 'AWS::Region', us-east-1]
  Circle: !Not [!Condition Circle]
Resources: {}
"""
TRUTH = [True, False, None]


def evaluator(**parameters: str | None) -> Evaluator:
    return Evaluator(load_yaml(TEMPLATE, "t"), parameters)


def evaluate(expression: str, **parameters: str | None) -> Any:
    return evaluator(**parameters).value(load_yaml(expression, "t"))


@pytest.mark.parametrize(("left", "right"), list(itertools.product(TRUTH, TRUTH)))
def test_conditions_follow_kleenes_tables(left: bool | None, right: bool | None) -> None:
    """AND is the minimum and OR the maximum of false < unknown < true."""
    order = {False: 0, None: 1, True: 2}
    assert order[conjunction([left, right])] == min(order[left], order[right])
    assert order[disjunction([left, right])] == max(order[left], order[right])
    assert order[negation(left)] == 2 - order[left]


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("Plain", {}, True),
        ("Plain", {"Mode": "other"}, False),
        ("Plain", {"Mode": None}, None),
        ("Flagged", {}, True),
        ("Flagged", {"Flag": "false"}, False),
        ("NotNamed", {"Name": "api"}, False),
        ("NotNamed", {}, None),
        ("Both", {"Name": None}, None),
        ("Both", {"Name": None, "Mode": "other"}, False),
        ("Either", {"Name": None}, True),
        ("Either", {"Name": None, "Mode": "other"}, None),
        ("Here", {}, None),
        ("Circle", {}, None),
        ("Missing", {}, None),
    ],
)
def test_conditions(name: str, parameters: dict[str, str | None], expected: bool | None) -> None:
    """A condition is unknown only where an unknown value can decide it."""
    assert evaluator(**parameters).condition(name) is expected


@pytest.mark.parametrize(
    ("expression", "parameters", "expected"),
    [
        ("!Ref Mode", {}, "plain"),
        ("!Ref Name", {}, UNKNOWN),
        ("!Ref Mode", {"Mode": None}, UNKNOWN),
        ("!Ref Image", {}, UNKNOWN),
        ("!Ref Image", {"Image": "/images/other"}, UNKNOWN),
        ("!Ref AWS::NoValue", {}, ABSENT),
        ("!Ref AWS::Region", {}, UNKNOWN),
        ("!Sub '${Mode}-${!Name}'", {}, "plain-${Name}"),
        ("!Sub '${Name}'", {}, UNKNOWN),
        ("!Sub '${Api.Arn}'", {}, UNKNOWN),
        ("!Sub ['${X}-${Mode}', {X: !Ref Flag}]", {}, "true-plain"),
        ("!Sub ['${X}', {X: !GetAtt A.B}]", {}, UNKNOWN),
        ("!If [Plain, 1, 2]", {}, 1),
        ("!If [Plain, 1, 2]", {"Mode": "other"}, 2),
        ("!If [Named, 1, 2]", {}, UNKNOWN),
        ("!If [Named, [1], [1]]", {}, [1]),
        ("!If [Named, !Ref Name, !Ref Name]", {}, UNKNOWN),
        ("!Join [',', [a, b]]", {}, "a,b"),
        ("[a, !Ref AWS::NoValue, !ImportValue x]", {}, ["a", UNKNOWN]),
        ("{a: !Ref AWS::NoValue, b: 1, c: !GetAtt X.Y}", {}, {"b": 1, "c": UNKNOWN}),
    ],
)
def test_values(expression: str, parameters: dict[str, str | None], expected: object) -> None:
    """A value is known, absent or unknown, and a list or mapping may be unknown in part."""
    assert evaluate(expression, **parameters) == expected


def test_the_known_parts_of_a_value() -> None:
    """Unknown parts are left out at every depth; an unknown or absent value is None."""
    assert known_parts({"a": [UNKNOWN, 1], "b": UNKNOWN, "c": {"d": UNKNOWN}}) == {
        "a": [1],
        "c": {},
    }
    assert known_parts(UNKNOWN) is None
    assert known_parts(ABSENT) is None


NAMES = st.sampled_from(["Mode", "Name", "Flag"])
LITERALS = st.sampled_from(["plain", "api", "true", ""])
OPERANDS = st.one_of(LITERALS, NAMES.map(lambda name: {"Ref": name}))
CONDITIONS = st.recursive(
    st.tuples(OPERANDS, OPERANDS).map(lambda pair: {"Fn::Equals": list(pair)}),
    lambda inner: st.one_of(
        inner.map(lambda operand: {"Fn::Not": [operand]}),
        st.lists(inner, min_size=2, max_size=3).map(lambda operands: {"Fn::And": operands}),
        st.lists(inner, min_size=2, max_size=3).map(lambda operands: {"Fn::Or": operands}),
    ),
    max_leaves=6,
)
EXPRESSIONS = st.recursive(
    st.one_of(
        OPERANDS,
        NAMES.map(lambda name: {"Fn::Sub": "x-${" + name + "}"}),
        st.just({"Ref": "AWS::NoValue"}),
    ),
    lambda inner: st.one_of(
        st.tuples(CONDITIONS, inner, inner).map(lambda parts: {"Fn::If": list(parts)}),
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=2),
    ),
    max_leaves=6,
)
PARAMETERS = st.fixed_dictionaries(dict.fromkeys(["Mode", "Name", "Flag"], LITERALS))
HIDDEN = st.sets(NAMES)


def hide(parameters: dict[str, str], hidden: set[str]) -> dict[str, str | None]:
    return {name: None if name in hidden else value for name, value in parameters.items()}


@given(CONDITIONS, PARAMETERS, HIDDEN)
def test_a_known_condition_never_depends_on_what_is_unknown(
    condition: dict[str, Any], parameters: dict[str, str], hidden: set[str]
) -> None:
    """Replacing an unknown parameter by any value never contradicts a known condition."""
    before = Evaluator({}, hide(parameters, hidden)).condition(condition)
    after = Evaluator({}, parameters).condition(condition)
    assert after is not None
    assert before in (None, after)


@given(EXPRESSIONS, PARAMETERS, HIDDEN)
def test_a_known_value_never_depends_on_what_is_unknown(
    expression: Any, parameters: dict[str, str], hidden: set[str]
) -> None:
    """Replacing an unknown parameter by any value never contradicts a known value."""
    before = Evaluator({}, hide(parameters, hidden)).value(expression)
    after = Evaluator({}, parameters).value(expression)
    assert is_known(after)
    if is_known(before):
        assert before == after


def test_references_are_found_in_every_function() -> None:
    """Ref, GetAtt in both forms, Sub with and without variables, If, and what is nested in them."""
    text = (
        "[!Ref A, !GetAtt B.Arn, {'Fn::GetAtt': [C, Arn]}, !Sub '${D}${E.Arn}${!No}', "
        "!Sub ['${F}', {F: !Ref G}], !If [H, !Ref I, 1]]"
    )
    assert set(references(load_yaml(text, "t"))) == set("ABCDEFGHI")


def test_a_reference_is_renamed_in_every_function() -> None:
    """A rename reaches Ref, GetAtt, Sub and DependsOn, and leaves names that only begin alike."""
    text = (
        "[!Ref {0}, !Ref Other, !GetAtt {0}.Arn, !Sub '${{{0}}}${{{0}.Arn}}${{Old2}}', "
        "!Sub ['${{{0}}}', {{X: !Ref {0}}}], {{DependsOn: {0}}}, {{DependsOn: [{0}, Other]}}]"
    )
    before, after = (load_yaml(text.format(name), "t") for name in ("Old", "New"))
    assert rename_reference(before, "Old", "New") == after
