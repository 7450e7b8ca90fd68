"""What works on AWS only: lint says so, and `--local` refuses it before anything is made."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploytool import cli

CONFIG = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
"""
GRAPH = "stacks: {mine: {template: mine.yaml, scope: global}}\n"
MACRO = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: Mine
Resources:
  Topic: {Type: AWS::SNS::Topic}
"""
LOOP = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Topics:
    - Kind
    - [Orders, Alarms]
    - Topic${Kind}: {Type: AWS::SNS::Topic}
"""
INCLUDE = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://bucket/more.yaml}}
"""
NESTED = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties: {TemplateURL: child.yaml}
"""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Return a function that runs a command on a project with one template."""

    def call(template: str, *words: str) -> tuple[int, str, str]:
        (tmp_path / "infra").mkdir()
        (tmp_path / "infra" / "mine.yaml").write_text(template, encoding="utf-8")
        (tmp_path / "infra" / "stacks.yaml").write_text(GRAPH, encoding="utf-8")
        config = tmp_path / "deploytool.toml"
        config.write_text(CONFIG, encoding="utf-8")
        code = cli.main([*words, "--config", str(config)])
        output = capsys.readouterr()
        return code, output.out, output.err

    return call


def test_lint_says_that_a_macro_works_on_aws_only(run: Callable[..., Any]) -> None:
    """It is no problem of the template, so the exit code is 0; JSON has it too."""
    code, out, err = run(MACRO, "lint", "--output", "json")
    assert (code, json.loads(out)["only_on_aws"]) == (0, {"mine.yaml": ["Mine"]})
    assert "mine.yaml: Mine works on AWS only" in err


@pytest.mark.parametrize("command", ["deploy", "plan"])
def test_the_local_cloud_refuses_a_macro_first(run: Callable[..., Any], command: str) -> None:
    """It is bad input, before the local cloud is looked for; no stack is made."""
    code, _, err = run(MACRO, command, "--local", "--stage", "dev")
    assert code == 2
    assert "mine.yaml: Transform: the local cloud cannot apply Mine, which works on AWS only" in err


@pytest.mark.parametrize("template", [LOOP, INCLUDE], ids=["loop", "include"])
def test_lint_takes_what_cloudformation_takes(run: Callable[..., Any], template: str) -> None:
    """A loop and a transform beside the resources are valid, as for cfn-lint."""
    code, out, _ = run(template, "lint")
    assert (code, out) == (0, "1 stages and 1 templates: no problem found.\n")


def test_lint_names_a_nested_template_of_this_machine(run: Callable[..., Any]) -> None:
    """CloudFormation would refuse it after other stacks were made."""
    code, _, err = run(NESTED, "lint")
    assert code == 2
    assert "mine.yaml: Resources.Child.Properties.TemplateURL: 'child.yaml' is no https" in err
