"""`bootstrap` and the service role on the command line: what is wrong is told before anything is
touched.
"""

from pathlib import Path

import pytest

from deploytool.cli import main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "said"),
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
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the option that is wrong."""
    assert main([*words, "--config", str(ROOT / "deploytool.toml")]) == 2
    assert said in capsys.readouterr().err


def test_a_variable_that_is_no_role_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty one, as GitHub gives for a variable that is not set, is none."""
    monkeypatch.setenv("AWS_CFN_ROLE_ARN", "hello-dev-cloudformation")
    assert main(["deploy", "--stage", "dev", "--config", str(ROOT / "deploytool.toml")]) == 2
    assert "AWS_CFN_ROLE_ARN: 'hello-dev-cloudformation'" in capsys.readouterr().err
