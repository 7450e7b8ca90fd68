"""The changes between two templates: certain, possible or none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.project.template import load_yaml
from deploytool.core.stacks.changes import DeployedTemplate, Effect, PropertyChange, ResourceChange
from deploytool.core.stacks.templatediff import creations, estimate, settled_outputs

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
    """The estimate by logical id, for the template with a text replaced and other parameters.

    The resource with the secret is left out.
    """
    after = load_yaml(BEFORE.replace(*replace) if replace[0] else BEFORE, "t.yaml")
    known: dict[str, str | None] = {**NAMES, "Key": "k", **(parameters or {})}
    changes = estimate(DeployedTemplate(load_yaml(BEFORE, "t.yaml"), NAMES), after, known)
    return {change.logical_id: change for change in changes if change.logical_id != "Secret"}


def test_nothing_changes_between_the_same_templates_and_parameters() -> None:
    """The estimate is empty."""
    assert changed() == {}


def test_a_changed_property_is_named_by_its_path() -> None:
    """The property is a nested one, of a resource that is updated in place."""
    assert changed(("A: '1'", "A: '2'")) == {
        "Function": ResourceChange(
            Effect.UPDATE,
            "Function",
            "AWS::Lambda::Function",
            (PropertyChange("Environment.Variables.A"),),
        )
    }


def test_a_known_parameter_that_changes_is_an_update_of_what_uses_it() -> None:
    """The change names the property that refers to it."""
    assert changed(parameters={"Size": "2"})["Function"].properties == (
        PropertyChange("MemorySize"),
    )


def test_a_replacement_reaches_what_refers_to_the_resource() -> None:
    """A domain name with another name is replaced, and the mapping that uses it may be."""
    changes = changed(parameters={"Name": "b.example.com"})
    assert changes["Domain"].effect is Effect.REPLACE
    assert changes["Mapping"].effect is Effect.PERHAPS_REPLACE


def test_an_unknown_input_makes_a_possible_change() -> None:
    """What uses it may be replaced or updated. Nothing else changes."""
    changes = changed(parameters={"Name": None})
    assert {name: change.effect for name, change in changes.items()} == {
        "Domain": Effect.PERHAPS_REPLACE,
        "Mapping": Effect.PERHAPS_REPLACE,
    }
    assert changed(parameters={"Size": None})["Function"].effect is Effect.PERHAPS_UPDATE


def created(mode: str | None) -> set[str]:
    """The logical ids of the resources of a new stack in this mode."""
    changes = creations(load_yaml(BEFORE, "t"), {"Mode": mode})
    return {change.logical_id for change in changes}


def test_a_resource_with_a_condition_depends_on_the_parameter() -> None:
    """It is created when the condition is true or not known."""
    assert changed(parameters={"Mode": "failover"})["Check"].effect is Effect.CREATE
    assert "Check" not in created("plain")
    assert "Check" in created(None)


@pytest.mark.parametrize(
    ("policy", "effect"), [("", Effect.DELETE), (", DeletionPolicy: Retain", Effect.RETAIN)]
)
def test_a_resource_that_leaves_the_template(policy: str, effect: Effect) -> None:
    """It is deleted, or left behind if that is its deletion policy."""
    before = load_yaml(f"Resources: {{A: {{Type: X{policy}}}, B: {{Type: Y}}}}", "t")
    after = load_yaml("Resources: {B: {Type: Y}, C: {Type: Z}}", "t")
    changes = estimate(DeployedTemplate(before, {}), after, {})
    assert changes == (ResourceChange(Effect.CREATE, "C", "Z"), ResourceChange(effect, "A", "X"))


def test_another_type_with_the_same_name_is_a_replacement() -> None:
    """CloudFormation refuses or replaces it. It is never an update in place."""
    changes = estimate(
        DeployedTemplate({"Resources": {"A": {"Type": "X"}}}, {}),
        {"Resources": {"A": {"Type": "Y"}}},
        {},
    )
    assert [change.effect for change in changes] == [Effect.REPLACE]


def test_a_masked_parameter_makes_a_possible_change() -> None:
    """CloudFormation shows **** for NoEcho, so it is not known whether the value changed."""
    changes = estimate(
        DeployedTemplate(load_yaml(BEFORE, "t"), NAMES),
        load_yaml(BEFORE, "t"),
        {**NAMES, "Key": "new"},
    )
    (change,) = changes
    assert (change.logical_id, change.effect) == ("Secret", Effect.PERHAPS_UPDATE)


def test_outputs_are_settled_when_nothing_in_them_changes() -> None:
    """An update in place keeps a Ref, but perhaps not an attribute. A replacement and a changed
    parameter settle nothing.
    """
    before, after = DeployedTemplate(load_yaml(BEFORE, "t"), NAMES), load_yaml(BEFORE, "t")
    update = ResourceChange(Effect.UPDATE, "Function", "AWS::Lambda::Function")
    replacement = ResourceChange(Effect.PERHAPS_REPLACE, "Domain", "AWS::ApiGateway::DomainName")
    assert settled_outputs(before, after, {**NAMES}, []) == {"Target", "Function", "Arn", "Size"}
    assert settled_outputs(before, after, {**NAMES}, [update]) == {"Target", "Function", "Size"}
    assert settled_outputs(before, after, {**NAMES, "Size": "2"}, [update, replacement]) == {
        "Function"
    }


def test_an_output_with_another_expression_is_not_settled() -> None:
    """Its value may change although no resource does."""
    before, after = DeployedTemplate(load_yaml(BEFORE, "t"), NAMES), load_yaml(BEFORE, "t")
    after["Outputs"]["Arn"] = {"Value": "x"}
    assert "Arn" not in settled_outputs(before, after, {**NAMES}, [])


@pytest.mark.parametrize("mode", [None, "failover"])
def test_a_resource_with_an_unknown_condition_counts_as_created(mode: str | None) -> None:
    """A preview of a creation names a resource unless its condition is known to be false."""
    created = creations(load_yaml(BEFORE, "t"), {"Mode": mode})
    assert "Check" in {change.logical_id for change in created}


def test_an_update_to_an_unknown_condition_creates_and_never_deletes() -> None:
    """A resource that is missing counts as created, and one that is there as kept."""
    assert changed(parameters={"Mode": None})["Check"].effect is Effect.CREATE

    document = load_yaml(BEFORE, "t")
    deployed = DeployedTemplate(document, {**NAMES, "Mode": "failover"})
    changes = estimate(deployed, document, {**NAMES, "Key": "k", "Mode": None})
    assert "Check" not in {change.logical_id for change in changes}


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
    """With the same parameters, the same template has no changes. In another template each resource
    that differs is named once.
    """
    declared = {"P": {"Type": "String"}}
    old = {"Parameters": declared, "Resources": before}
    new = {"Parameters": declared, "Resources": after}
    deployed = DeployedTemplate(old, {"P": "1"})
    assert estimate(deployed, old, {"P": "1"}) == ()

    changed_ids = [change.logical_id for change in estimate(deployed, new, {"P": "1"})]
    differing = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert differing <= set(changed_ids)
    assert len(changed_ids) == len(set(changed_ids))
