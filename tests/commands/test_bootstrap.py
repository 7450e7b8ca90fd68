"""Bad arguments of `bootstrap` and of the service role are refused before the first AWS call."""

from pathlib import Path

import pytest

from deploytool.cli import main
from deploytool.core.project.starter import Answers, config_text

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path: Path) -> str:
    """The configuration of a project of its own, with the shipped templates."""
    answers = Answers("hello", "example.com", ("us-east-1", "us-west-2"))
    (tmp_path / "deploytool.toml").write_text(config_text(answers))
    (tmp_path / "infra").symlink_to(ROOT / "infra")
    (tmp_path / "lambda").symlink_to(ROOT / "lambda")
    return str(tmp_path / "deploytool.toml")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bootstrap", "--stage", "dev"], "--repository"),
        (["bootstrap", "--stage", "dev", "--repository", "hello"], "OWNER/REPOSITORY"),
        (
            ["bootstrap", "--stage", "dev", "--repository", "a/b", "--region", "us-east-1"],
            "--region",
        ),
        (
            ["bootstrap", "--stage", "dev", "--repository", "a/b", "--branch", "a b"],
            "Parameters.Branch",
        ),
        (
            ["bootstrap", "--stage", "dev", "--repository", "a/b", "--oidc-provider-arn", "arn:x"],
            "Parameters.OidcProviderArn",
        ),
        (["bootstrap", "--repository", "a/b"], "choose one with --stage"),
        (
            ["deploy", "--stage", "dev", "--role-arn", "deployer"],
            "--role-arn: 'deployer' is not the ARN of a role",
        ),
        (
            ["destroy", "--stage", "dev", "--yes", "--role-arn", "arn:aws:iam::1:role/x"],
            "--role-arn",
        ),
    ],
)
def test_bad_input_ends_with_2(
    words: list[str], message: str, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, and the message names the wrong option."""
    assert main([*words, "--config", config]) == 2
    assert message in capsys.readouterr().err


def test_a_variable_without_a_role_arn_is_named(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names AWS_CFN_ROLE_ARN, where the value comes from."""
    monkeypatch.setenv("AWS_CFN_ROLE_ARN", "hello-dev-cloudformation")
    assert main(["deploy", "--stage", "dev", "--config", config]) == 2
    assert "AWS_CFN_ROLE_ARN: 'hello-dev-cloudformation'" in capsys.readouterr().err
