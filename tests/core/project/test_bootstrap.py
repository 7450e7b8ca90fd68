"""The bootstrap's graph: one stack, out of every stage's reach, its values checked before any
call.
"""

from pathlib import Path

import pytest

from deploytool.core.errors import InputError
from deploytool.core.project.bootstrap import (
    bootstrap_graph,
    provider_parameter,
    repository_checked,
    subjects,
)
from deploytool.core.project.config import Config, parse_config
from deploytool.core.project.template import Template, parse_template

CONFIG = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
[stages.prod]
"""


@pytest.fixture
def config() -> Config:
    return parse_config(CONFIG, "deploytool.toml")


@pytest.fixture
def template() -> Template:
    path = Path(__file__).parents[3] / "infra" / "github-oidc.yaml"
    return parse_template(path.read_text(encoding="utf-8"), path.name)


@pytest.mark.parametrize("name", ["octo-org/hello", "octo-org@123456/hello.world_1@456789", "a/b"])
def test_a_repository_as_its_tokens_name_it(name: str) -> None:
    """Plain, or with both ids."""
    assert repository_checked(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "hello",
            "octo-org/",
            "/hello",
            "octo-org/hello/x",
            "octo-org@1/hello",
            "octo-org/hello@2",
            "octo org/hello",
        ),
        *(
            "*/hello",
            "octo-org/*",
            "octo-org/hello:environment:dev",
            "https://github.com/octo-org/hello",
            "octo-org/hello\n",
        ),
    ],
)
def test_no_other_text_is_a_repository(name: str) -> None:
    """Least of all one that would make the subject another one."""
    with pytest.raises(InputError):
        repository_checked(name)


def test_the_stack_is_none_of_any_stage(config: Config, template: Template) -> None:
    """Neither its name, nor its stage's, fits a pattern of the stage that it serves."""
    graph = bootstrap_graph(
        config, config.stage("dev"), template, {"Repository": "a/b", "Branch": "main"}
    )
    [node] = graph.nodes.values()
    assert node.stack_name == "Bootstrap-hello-dev"
    assert not node.stack_name.startswith("hello")
    assert graph.stage not in config.stages
    assert node.parameters["DomainName"] == "dev.example.com"


def test_every_bad_value_is_told_before_any_call(config: Config, template: Template) -> None:
    """With the parameter that it is for."""
    with pytest.raises(InputError) as caught:
        bootstrap_graph(
            config,
            config.stage("dev"),
            template,
            {"Branch": "a b", "OidcProviderArn": "arn:aws:iam::1:x"},
        )
    assert [fault.key for fault in caught.value.problems] == [
        "Parameters.Branch",
        "Parameters.OidcProviderArn",
    ]


@pytest.mark.parametrize(
    ("outputs", "given", "found", "wanted"),
    [
        ({}, None, None, ""),
        ({}, None, "arn:found", "arn:found"),
        ({}, "arn:given", "arn:found", "arn:given"),
        ({"ProviderMadeHere": "false"}, None, "arn:found", "arn:found"),
        ({"ProviderMadeHere": "true"}, None, "arn:made", ""),
        ({"ProviderMadeHere": "true"}, "arn:made", "arn:made", ""),
    ],
)
def test_a_provider_is_made_only_where_there_is_none(
    outputs: dict[str, str], given: str | None, found: str | None, wanted: str
) -> None:
    """And kept by the stack that made it: bootstrapping again changes nothing."""
    assert provider_parameter(outputs, given, found) == wanted


def test_who_may_be_whom() -> None:
    """Pull requests and the branch plan; the environment deploys and drills."""
    assert subjects("a/b", "dev", "main") == {
        "plan": ("repo:a/b:pull_request", "repo:a/b:ref:refs/heads/main"),
        "deploy": ("repo:a/b:environment:dev",),
        "drill": ("repo:a/b:environment:dev",),
    }
