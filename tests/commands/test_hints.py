"""Every command that a message advises exists, with the options that the message gives it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from deploytool import cli

ROOT = Path(__file__).resolve().parents[2] / "deploytool"
# What a placeholder of an f-string becomes. An option may come from one.
VALUE = "VALUE"
WORDS = r"(?P<words>(?: (?:--[a-z-]+|[A-Z][A-Z_]*|\.\.\.))*)"
OURS = re.compile(rf"deploytool (?P<command>[a-z]+){WORDS}")
AWS = re.compile(rf"aws (?P<service>[a-z0-9]+) (?P<operation>[a-z]+-[a-z-]+){WORDS}")
# Options of every command of the AWS CLI (AWS CLI User Guide, "Command line options")
GLOBAL = {"region", "profile", "output", "query", "endpoint-url"}
# Commands that the AWS CLI has beside the operations of the APIs
OF_THE_CLI = {("configure", "export-credentials")}


def texts() -> Iterator[tuple[str, str]]:
    """The texts of the package that are no docstrings, each with its place."""
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        parts = {
            id(value)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for value in node.values
        }
        for node in ast.walk(tree):
            text = text_of(node)
            if text and id(node) not in docstrings | parts:
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", text


def text_of(node: ast.AST) -> str:
    """The text of a string or an f-string; "" for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(value) or VALUE for value in node.values)
    return ""


def advised(pattern: re.Pattern[str]) -> list[tuple[str, re.Match[str]]]:
    return [(place, found) for place, text in texts() for found in pattern.finditer(text)]


def options_of(found: re.Match[str]) -> list[str]:
    return re.findall(r"--([a-z-]+)", found["words"])


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        cli.build_parser([command]).parse_args([command, "--help"])
    return capsys.readouterr().out


def test_our_commands_have_the_options_that_messages_give_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A message that names an option of an older version leads nowhere."""
    found = [(place, each) for place, each in advised(OURS) if options_of(each)]
    assert len(found) > 20
    wrong = []
    for place, each in found:
        if each["command"] == "local":
            continue  # its actions have the options
        known = set(re.findall(r"--([a-z-]+)", help_of(each["command"], capsys)))
        lacking = set(options_of(each)) - known
        wrong += [f"{place}: deploytool {each['command']} --{name}" for name in sorted(lacking)]
    assert wrong == []


def test_the_operations_of_aws_have_the_parameters_that_messages_give_them() -> None:
    """The AWS CLI names commands and options after the operations and parameters of an API."""
    session = botocore.session.get_session()
    found = advised(AWS)
    assert len(found) > 5
    wrong = []
    for place, each in found:
        if (each["service"], each["operation"]) in OF_THE_CLI:
            continue
        model = session.get_service_model(each["service"])
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        if each["operation"] not in operations:
            wrong.append(f"{place}: aws {each['service']} {each['operation']}")
            continue
        shape = model.operation_model(operations[each["operation"]]).input_shape
        known = GLOBAL | {xform_name(name, "-") for name in (shape.members if shape else ())}
        for option in options_of(each):
            # A boolean has a negation
            if option not in known and option.removeprefix("no-") not in known:
                wrong.append(f"{place}: aws {each['operation']} --{option}")
    assert wrong == []
