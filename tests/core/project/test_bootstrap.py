"""The bootstrap's graph: one stack outside every stage, with its values checked before any call."""

from pathlib import Path

import pytest

from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.project.bootstrap import (
    bootstrap_graph,
    check_audiences,
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


@pytest.mark.parametrize(
    "name", ["octo-org/hello", "octo-org@123456/hello.world_1@456789", "a/b", "mona_octo/hello"]
)
def test_a_repository_as_its_tokens_name_it(name: str) -> None:
    """A repository is named plainly, or with both ids."""
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
    """Any other text is refused, above all one that would change the subject."""
    with pytest.raises(InputError):
        repository_checked(name)


def test_the_stack_belongs_to_no_stage(config: Config, template: Template) -> None:
    """No pattern of the stage that it serves matches its name or the name of its own stage."""
    graph = bootstrap_graph(
        config, config.stage("dev"), template, {"Repository": "a/b", "Branch": "main"}
    )
    [node] = graph.nodes.values()
    assert node.stack_name == "Bootstrap-hello-dev"
    assert not node.stack_name.startswith("hello")
    assert graph.stage not in config.stages
    assert node.parameters["DomainName"] == "dev.example.com"


def test_every_bad_value_is_reported_before_any_call(config: Config, template: Template) -> None:
    """Each problem names the parameter that has the value."""
    with pytest.raises(InputError) as caught:
        bootstrap_graph(
            config,
            config.stage("dev"),
            template,
            {"Branch": "a b", "OidcProviderArn": "arn:aws:iam::1:x"},
        )
    assert [problem.key for problem in caught.value.problems] == [
        "Parameters.Branch",
        "Parameters.OidcProviderArn",
    ]


@pytest.mark.parametrize(
    ("outputs", "given", "existing", "expected"),
    [
        ({}, None, None, ""),
        ({}, None, "arn:existing", "arn:existing"),
        ({}, "arn:given", "arn:existing", "arn:given"),
        ({"ProviderMadeHere": "false"}, None, "arn:existing", "arn:existing"),
        ({"ProviderMadeHere": "true"}, None, "arn:created", ""),
        ({"ProviderMadeHere": "true"}, "arn:created", "arn:created", ""),
    ],
)
def test_a_provider_is_created_only_where_there_is_none(
    outputs: dict[str, str], given: str | None, existing: str | None, expected: str
) -> None:
    """The stack that created the provider keeps it, so a second bootstrap changes nothing."""
    assert provider_parameter(outputs, given, existing) == expected


def test_a_provider_must_take_the_tokens_of_the_workflows() -> None:
    """Without the audience every job would end with "Incorrect token audience"."""
    check_audiences("arn:p", ["sigstore", "sts.amazonaws.com"])
    with pytest.raises(DeploytoolError) as caught:
        check_audiences("arn:p", ["sigstore"])
    assert "does not take tokens for sts.amazonaws.com (its audiences: sigstore)" in str(
        caught.value
    )
    assert "--open-id-connect-provider-arn arn:p --client-id sts.amazonaws.com" in caught.value.hint
    with pytest.raises(DeploytoolError, match="its audiences: none"):
        check_audiences("arn:p", [])


def test_each_role_has_its_own_subjects() -> None:
    """Pull requests and the branch can plan; the environment can do the rest."""
    assert subjects("a/b", "dev", "main") == {
        "plan": ("repo:a/b:pull_request", "repo:a/b:ref:refs/heads/main"),
        "deploy": ("repo:a/b:environment:dev",),
        "drill": ("repo:a/b:environment:dev",),
        "failover": ("repo:a/b:environment:dev",),
    }
