"""What changes between two templates: for sure, perhaps, not at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.project.template import load_yaml
from deploytool.core.stacks.changes import DeployedTemplate, Effect, PropertyChange, ResourceChange
from deploytool.core.stacks.templatediff import creations, estimate, references, settled_outputs

BEFORE = """
Parameters:
  Name: {Type: String}
  Size: {Type: Number, Default: 1}
  Mode: {Type: String, Default: plain}
  Key: {Type: String, NoEcho: true, Default: k}
Conditions: {Failover: !Equals [!Ref Mode, failover], Plain: !Not [{Condition: Failover}]}
Resources:
  Domain: {Type: 'AWS::ApiGateway::DomainName', Properties: {DomainName: !Ref Name, SecurityPolicy: TLS_1_2}}
  Mapping: {Type: 'AWS::ApiGateway::BasePathMapping', Properties: {DomainName: !Ref Domain, Stage: live}}
  Function: {Type: 'AWS::Lambda::Function', Properties: {MemorySize: !Ref Size, Environment: {Variables: {A: '1'}}}}
  Secret: {Type: 'AWS::SSM::Parameter', Properties: {Value: !Sub '${Key}'}}
  Check: {Type: 'AWS::Route53::HealthCheck', Condition: Failover}
Outputs:
  Target: {Value: !GetAtt Domain.RegionalDomainName}
  Function: {Value: !Ref Function}
  Arn: {Value: !GetAtt Function.Arn}
  Size: {Value: !Ref Size}
"""
NAMES = {"Name": "a.example.com", "Mode": "plain", "Size": "1", "Key": "****"}


def changed(
    replace: tuple[str, str] = ("", ""), parameters: dict[str, str | None] | None = None
) -> dict[str, ResourceChange]:
    """The estimate by logical id, of the template with a text replaced and other parameters; the
    secret left out.
    """
    after = load_yaml(BEFORE.replace(*replace) if replace[0] else BEFORE, "t.yaml")
    known: dict[str, str | None] = {**NAMES, "Key": "k", **(parameters or {})}
    found = estimate(DeployedTemplate(load_yaml(BEFORE, "t.yaml"), NAMES), after, known)
    return {each.logical_id: each for each in found if each.logical_id != "Secret"}


def test_nothing_changes_between_the_same_templates_and_parameters() -> None:
    """The estimate is empty."""
    assert changed() == {}


def test_a_changed_property_is_named_by_its_path() -> None:
    """A nested property of a resource that is updated in place."""
    assert changed(("A: '1'", "A: '2'")) == {
        "Function": ResourceChange(
            Effect.UPDATE,
            "Function",
            "AWS::Lambda::Function",
            (PropertyChange("Environment.Variables.A"),),
        )
    }


def test_a_known_parameter_that_moves_is_an_update_of_what_uses_it() -> None:
    """The property that refers to it is the reason."""
    assert changed(parameters={"Size": "2"})["Function"].properties == (
        PropertyChange("MemorySize"),
    )


def test_a_replacement_reaches_what_refers_to_the_resource() -> None:
    """A domain name under another name is made anew, and the mapping that takes it perhaps."""
    found = changed(parameters={"Name": "b.example.com"})
    assert found["Domain"].effect is Effect.REPLACE
    assert found["Mapping"].effect is Effect.PERHAPS_REPLACE


def test_an_unknown_input_makes_a_change_that_is_perhaps() -> None:
    """What uses it is replaced or updated perhaps, and the rest not at all."""
    found = changed(parameters={"Name": None})
    assert {name: each.effect for name, each in found.items()} == {
        "Domain": Effect.PERHAPS_REPLACE,
        "Mapping": Effect.PERHAPS_REPLACE,
    }
    assert changed(parameters={"Size": None})["Function"].effect is Effect.PERHAPS_UPDATE


def test_a_condition_that_turns_creates_and_deletes() -> None:
    """A resource under a condition comes and goes with the parameter."""
    assert changed(parameters={"Mode": "failover"})["Check"].effect is Effect.CREATE
    assert "Check" not in {
        each.logical_id for each in creations(load_yaml(BEFORE, "t"), {"Mode": "plain"})
    }
    assert "Check" in {
        each.logical_id for each in creations(load_yaml(BEFORE, "t"), {"Mode": None})
    }


@pytest.mark.parametrize(
    ("policy", "effect"), [("", Effect.DELETE), (", DeletionPolicy: Retain", Effect.RETAIN)]
)
def test_a_resource_that_leaves_the_template(policy: str, effect: Effect) -> None:
    """It is deleted, or left behind when its policy says so."""
    before = load_yaml(f"Resources: {{A: {{Type: X{policy}}}, B: {{Type: Y}}}}", "t")
    after = load_yaml("Resources: {B: {Type: Y}, C: {Type: Z}}", "t")
    found = estimate(DeployedTemplate(before, {}), after, {})
    assert found == (ResourceChange(Effect.CREATE, "C", "Z"), ResourceChange(effect, "A", "X"))


def test_another_type_under_the_same_name_is_a_replacement() -> None:
    """CloudFormation would refuse or replace; it is never an update in place."""
    found = estimate(
        DeployedTemplate({"Resources": {"A": {"Type": "X"}}}, {}),
        {"Resources": {"A": {"Type": "Y"}}},
        {},
    )
    assert [each.effect for each in found] == [Effect.REPLACE]


def test_a_masked_parameter_is_never_taken_as_the_same() -> None:
    """CloudFormation shows **** for NoEcho: whether it changed is not known, and the estimate says
    so.
    """
    found = estimate(
        DeployedTemplate(load_yaml(BEFORE, "t"), NAMES),
        load_yaml(BEFORE, "t"),
        {**NAMES, "Key": "new"},
    )
    assert [(each.logical_id, each.effect) for each in found] == [("Secret", Effect.PERHAPS_UPDATE)]


def test_outputs_settle_where_nothing_in_them_moves() -> None:
    """An update in place leaves a Ref, perhaps not an attribute; a replacement and a moved
    parameter settle nothing.
    """
    before, after = DeployedTemplate(load_yaml(BEFORE, "t"), NAMES), load_yaml(BEFORE, "t")
    update = ResourceChange(Effect.UPDATE, "Function", "AWS::Lambda::Function")
    anew = ResourceChange(Effect.PERHAPS_REPLACE, "Domain", "AWS::ApiGateway::DomainName")
    assert settled_outputs(before, after, {**NAMES}, []) == {"Target", "Function", "Arn", "Size"}
    assert settled_outputs(before, after, {**NAMES}, [update]) == {"Target", "Function", "Size"}
    assert settled_outputs(before, after, {**NAMES, "Size": "2"}, [update, anew]) == {"Function"}


def test_an_output_with_another_expression_is_not_settled() -> None:
    """Its value may be another one although no resource changes."""
    before, after = DeployedTemplate(load_yaml(BEFORE, "t"), NAMES), load_yaml(BEFORE, "t")
    after["Outputs"]["Arn"] = {"Value": "x"}
    assert "Arn" not in settled_outputs(before, after, {**NAMES}, [])


def test_references_are_found_in_every_function() -> None:
    """Ref, GetAtt in both forms, Sub with and without variables, If, and what is nested in them."""
    text = (
        "[!Ref A, !GetAtt B.Arn, {'Fn::GetAtt': [C, Arn]}, !Sub '${D}${E.Arn}${!No}', "
        "!Sub ['${F}', {F: !Ref G}], !If [H, !Ref I, 1]]"
    )
    assert set(references(load_yaml(text, "t"))) == set("ABCDEFGHI")


VALUES = st.recursive(
    st.one_of(
        st.text(max_size=3),
        st.integers(),
        st.builds(lambda name: {"Ref": name}, st.sampled_from(["P", "A"])),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, max_size=2),
    ),
    max_leaves=5,
)
RESOURCES = st.dictionaries(
    st.sampled_from(["A", "B", "C"]),
    st.fixed_dictionaries(
        {
            "Type": st.sampled_from(["AWS::Lambda::Function", "AWS::Logs::LogGroup"]),
            "Properties": st.dictionaries(st.sampled_from(["FunctionName", "X"]), VALUES),
        }
    ),
)


@given(RESOURCES, RESOURCES)
def test_an_estimate_names_each_difference_and_nothing_else(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    """With the same parameters: nothing for the same template; else every resource that differs,
    each once.
    """
    parameters = {"P": "1"}
    documents = [
        {"Parameters": {"P": {"Type": "String"}}, "Resources": each} for each in (before, after)
    ]
    assert estimate(DeployedTemplate(documents[0], parameters), documents[0], {**parameters}) == ()
    found = [
        each.logical_id
        for each in estimate(
            DeployedTemplate(documents[0], parameters), documents[1], {**parameters}
        )
    ]
    differing = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert differing <= set(found)
    assert len(found) == len(set(found))
