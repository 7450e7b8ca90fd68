"""Templates: short tags, dates, sizes, and the fingerprint that a deployed stack carries."""

import pytest
import yaml

from deploytool.core.errors import InputError
from deploytool.core.project.package import build_package
from deploytool.core.project.template import fingerprint_in, parse_template, render_body

TEXT = """
AWSTemplateFormatVersion: 2010-09-09
Description: A role
Parameters: {Secret: {Type: String, NoEcho: true}, Name: {Type: String, Default: x}}
Conditions: {Named: !Equals [!Ref Name, x]}
Resources:
  Role:
    Type: AWS::IAM::Role
    Condition: Named
    Properties:
      Arn: !GetAtt Role.Arn
      Joined: !Join [",", [!Ref Name, !Sub "${Name}-b"]]
      Picked: !If [Named, !Select [0, !GetAZs ""], !Ref AWS::NoValue]
      Policy: {Version: 2012-10-17}
Outputs: {Arn: {Value: !GetAtt Role.Arn}}
"""


def test_short_tags_become_their_long_form_and_dates_stay_text() -> None:
    """The document is what CloudFormation reads: it has no date objects and no tags."""
    template = parse_template(TEXT, "role.yaml")
    properties = template.document["Resources"]["Role"]["Properties"]
    assert properties["Arn"] == {"Fn::GetAtt": ["Role", "Arn"]}
    assert properties["Joined"] == {"Fn::Join": [",", [{"Ref": "Name"}, {"Fn::Sub": "${Name}-b"}]]}
    assert properties["Policy"] == {"Version": "2012-10-17"}
    assert template.document["Conditions"]["Named"] == {"Fn::Equals": [{"Ref": "Name"}, "x"]}
    assert template.parameters["Secret"].no_echo
    assert not template.parameters["Secret"].has_default
    assert template.parameters["Name"].has_default
    assert template.outputs == {"Arn"}


def test_the_body_carries_the_fingerprint_and_means_the_same() -> None:
    """The body differs from the file only in its description."""
    template = parse_template(TEXT, "role.yaml")
    body = render_body(template.document, "0123456789abcdef", "role.yaml")
    sent = parse_template(body, "sent").document
    assert fingerprint_in(sent["Description"]) == "0123456789abcdef"
    assert sent["Description"].startswith("A role ")
    assert {**sent, "Description": "A role"} == template.document


def test_a_description_at_its_limit_makes_room_for_the_fingerprint() -> None:
    """CloudFormation takes a description of 1,024 bytes."""
    body = render_body({"Description": "é" * 512, "Resources": {"A": {}}}, "0123456789abcdef", "x")
    described = yaml.safe_load(body)["Description"]
    assert len(described.encode()) <= 1024
    assert fingerprint_in(described) == "0123456789abcdef"


def test_a_body_over_the_limit_is_refused_with_its_size() -> None:
    """CloudFormation takes a TemplateBody of 51,200 bytes."""
    with pytest.raises(InputError, match="51,200"):
        render_body({"Resources": {"A": {"Metadata": "x" * 52_000}}}, "0" * 16, "big.yaml")


@pytest.mark.parametrize(
    "text", ["", "just text", "Resources: {}", "Resources: [1]", "a: [", "a: 1\na: 2"]
)
def test_a_text_that_is_no_template_is_refused(text: str) -> None:
    """The error names the file."""
    with pytest.raises(InputError, match=r"t\.yaml"):
        parse_template(text, "t.yaml")


def test_a_package_does_not_depend_on_the_order_of_its_files() -> None:
    """The key is the hash of the content, so the same code is stored once."""
    one = build_package("function", {"b.py": b"2", "a/a.py": b"1"})
    two = build_package("function", {"a/a.py": b"1", "b.py": b"2"})
    assert one.data == two.data
    assert one.key == f"function/{one.sha256}.zip"
    assert build_package("function", {"b.py": b"3", "a/a.py": b"1"}).sha256 != one.sha256


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("Parameters: x", "Parameters"),
        ("Parameters: [a]", "Parameters"),
        ("Parameters: {Name: String}", "Parameters.Name"),
        ("Parameters: {Name: {Type: [String]}}", "Parameters.Name.Type"),
        ("Parameters: {Name: {Type: String, MaxLength: {a: 1}}}", "Parameters.Name.MaxLength"),
        ("Parameters: {Name: {Type: Number, MinValue: .nan}}", "Parameters.Name.MinValue"),
        ("Parameters: {Name: {Type: String, AllowedValues: x}}", "Parameters.Name.AllowedValues"),
        ("Parameters: {Name: {Type: String, Default: [a]}}", "Parameters.Name.Default"),
        ("Outputs: {Out: x}", "Outputs.Out"),
        ("Conditions: [x]", "Conditions"),
        ("Mappings: {Map: x}", "Mappings.Map"),
        ("Description: {a: b}", "Description"),
        ("Resources: {A: x}", "Resources.A"),
        ("Resources: {A: {Type: 1}}", "Resources.A.Type"),
        ("Resources: {A: {Type: 'A::B::C', Properties: [x]}}", "Resources.A.Properties"),
        ("Resources: {A: {Type: 'A::B::C', DependsOn: {x: y}}}", "Resources.A.DependsOn"),
    ],
)
def test_a_part_of_another_shape_is_named(section: str, key: str) -> None:
    """What reads a template relies on its shape, so it is checked once."""
    rest = "" if section.startswith("Resources") else "\nResources: {A: {Type: 'A::B::C'}}"
    with pytest.raises(InputError) as caught:
        parse_template(section + rest, "t.yaml")
    [problem] = caught.value.problems
    assert (problem.file, problem.key) == ("t.yaml", key)


def test_what_cloudformation_replaces_may_have_any_shape() -> None:
    """A loop is a list, and a section may be empty."""
    text = "Resources: {A: {Type: 'A::B::C'}, 'Fn::ForEach::L': [N, [a], {}]}\nOutputs:\n"
    assert parse_template(text, "t.yaml").resources == {"A": "A::B::C"}
