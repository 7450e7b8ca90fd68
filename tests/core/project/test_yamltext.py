"""YAML keeps its meaning on the way to CloudFormation: text, numbers, aliases and merges."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.errors import InputError
from deploytool.core.project.graphfile import LiteralSource
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.limits import may_be_too_large
from deploytool.core.project.template import parse_template, render_body
from deploytool.core.project.yamltext import dump_yaml, load_yaml

# What a reader of YAML may take for a number, a date or a boolean. CloudFormation takes more for
# numbers than PyYAML does (aws-cli issue 3991).
AMBIGUOUS = re.compile(r"[-+.]?[0-9].*|[yY]|[nN]|(?i:yes|no|on|off|true|false|null|nan|inf)|~|")


@pytest.mark.parametrize(
    "text",
    ["098765432109", "012345670123", "1e3", "09e3", "1.10", "10:30", "yes", "Y", "off", "~", "",
     "2012-10-17", "0x1F", "+1", "1_000", ".5", ".inf", "null", "=", "<<"],
)  # fmt: skip
def test_text_in_quotes_is_sent_in_quotes(text: str) -> None:
    """CloudFormation reads an account id without quotes as a number, also one with an 8 or a 9."""
    template = parse_template(
        f'Resources: {{A: {{Type: "x", Properties: {{Value: "{text}", "{text}": 1}}}}}}', "t.yaml"
    )
    body = render_body(template.document, "0" * 16, "t.yaml")
    assert f"Value: '{text}'" in body
    assert f"'{text}': 1" in body


@given(st.text())
def test_all_text_stays_text(text: str) -> None:
    """Whatever a text is, it is read as the same text again, and is ambiguous only in quotes."""
    written = dump_yaml({"Value": text}).removeprefix("Value: ").rstrip("\n")
    if AMBIGUOUS.fullmatch(text):
        assert written[0] in "'\""
    assert yaml.safe_load(dump_yaml({"Value": text})) == {"Value": text}


@pytest.mark.parametrize("number", ["012", "1.10", "1_000", "10:30", "0x1F", "8080", "1.5", "-3"])
def test_a_number_is_sent_as_it_is_written(number: str) -> None:
    """Without quotes CloudFormation decides what it is, as it would for the file itself."""
    assert dump_yaml(load_yaml(f"Value: {number}", "t.yaml")) == f"Value: {number}\n"


@pytest.mark.parametrize("number", ["012345670123", "3.10", "10:30", "8080"])
def test_a_literal_of_the_graph_file_is_the_text_that_is_written(number: str) -> None:
    """A parameter's value is always text: 3.10 is not 3.1, and 012 is not 10."""
    text = f"stacks: {{a: {{template: a.yaml, scope: global, parameters: {{A: {number}}}}}}}"
    file = parse_graph_file(text, "stacks.yaml")
    [source] = file.stacks["a"].parameters["A"]
    assert source.source == LiteralSource(number)


def test_aliases_and_merged_mappings_are_resolved() -> None:
    """CloudFormation refuses aliases and has no merges (coverage-roadmap issue 613)."""
    template = parse_template(
        """
        Resources:
          First:
            Type: AWS::SNS::Topic
            Properties: &common {DisplayName: Orders, Tags: &tags [{Key: a, Value: !Ref X}]}
          Second: {Type: 'AWS::SNS::Topic', Properties: *common}
          Third:
            Type: AWS::SNS::Topic
            Properties: {<<: *common, DisplayName: Other}
        """,
        "t.yaml",
    )
    body = render_body(template.document, "0" * 16, "t.yaml")
    assert re.search(r"[&*]\w", body) is None
    assert "<<" not in body
    resources = yaml.safe_load(body)["Resources"]
    assert resources["Second"] == resources["First"]
    assert resources["Third"]["Properties"] == {
        "DisplayName": "Other",
        "Tags": [{"Key": "a", "Value": {"Ref": "X"}}],
    }


def test_a_template_that_aliases_make_large_is_measured_before_it_is_sent() -> None:
    """A small file can have a body over CloudFormation's limit."""
    lines = "".join(f"  T{n}: *topic\n" for n in range(300))
    text = f"Resources:\n  A: &topic {{Type: x, Properties: {{Text: {'y' * 200}}}}}\n{lines}"
    template = parse_template(text, "t.yaml")
    assert template.size < 12_000
    assert may_be_too_large(template)
    with pytest.raises(InputError, match="51,200"):
        render_body(template.document, "0" * 16, "t.yaml")


def test_aliases_of_aliases_that_make_a_huge_document_are_refused() -> None:
    """Such a file would keep the command busy for hours ("billion laughs")."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 9):
        before = f"*a{number - 1}"
        lines.append(f"a{number}: &a{number} [{', '.join([before] * 9)}]")
    with pytest.raises(InputError, match=r"t\.yaml: .*aliases make it"):
        load_yaml("\n".join(lines), "t.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x {b: *x}", "recursive"),
        ("a: &x [*x]", "recursive"),
        ("a: {<<: 3}", "merging"),
        ("a: {<<: {b: 1}, c: 1, c: 2}", "'c' is listed twice"),
        ("a: !!set {x, y}", "does not support !!set"),
        ("a: !!binary aGVsbG8=", "does not support !!binary"),
    ],
)
def test_yaml_that_cannot_be_resolved_is_refused(text: str, message: str) -> None:
    """The error names the file and the line."""
    with pytest.raises(InputError, match=rf"t\.yaml: .*{message}.*line 1"):
        load_yaml(text, "t.yaml")


@pytest.mark.parametrize(
    "text",
    [
        '{\n\t"Description": "A topic.",\n\t"Resources": {\n\t\t"T": {"Type": "AWS::SNS::Topic"}\n\t}\n}\n',
        "\ufeffDescription: A topic.\r\nResources:\r\n  T:\r\n    Type: AWS::SNS::Topic\r\n",
    ],
)
def test_tabs_in_json_a_byte_order_mark_and_crlf_are_no_obstacle(text: str) -> None:
    """Editors write such files, and CloudFormation takes them (aws-cli issue 2663)."""
    template = parse_template(text, "t")
    assert template.document["Description"] == "A topic."
    assert template.resources == {"T": "AWS::SNS::Topic"}


@pytest.mark.parametrize(
    "text",
    ["[" * 65 + "]" * 65, '{"a":' * 300 + "1" + "}" * 300, "[" * 100_000 + "]" * 100_000],
)
def test_a_document_that_is_nested_too_deeply_is_refused(text: str) -> None:
    """What reads a document goes down level by level, and Python's stack is limited."""
    with pytest.raises(InputError, match=r"t\.yaml: .*(nested too deeply|maximum nesting depth)"):
        load_yaml(text, "t.yaml")


def test_a_number_of_too_many_digits_is_refused() -> None:
    """Python converts no text of more than 4,300 digits."""
    with pytest.raises(InputError, match=r"t\.yaml: not valid YAML: a number of 5,000 digits"):
        load_yaml(f"a: {'9' * 5000}", "t.yaml")


def test_keys_are_texts() -> None:
    """CloudFormation's keys are, as in a mapping of account ids: 012 keeps its zero."""
    assert load_yaml("{012: a, 1.10: b, true: c, null: d, 10: e}", "t.yaml") == {
        "012": "a", "1.10": "b", "true": "c", "null": "d", "10": "e",
    }  # fmt: skip
    with pytest.raises(InputError, match="a key must be a text"):
        load_yaml("{[a]: b}", "t.yaml")
    with pytest.raises(InputError, match="key '1' is listed twice"):
        load_yaml('{1: a, "1": b}', "t.yaml")
