"""Commands in messages name the target and the configuration of the run that advises them."""

from pathlib import Path

import pytest

from deploytool import cli
from deploytool.render.advice import advised, options_of_run

DEFAULT = Path("deploytool.toml")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run deploytool check", "run deploytool check --local"),
        (
            "deploytool restore --stage dev undoes it; deploytool status shows it",
            "deploytool restore --stage dev --local undoes it; deploytool status --local shows it",
        ),
        ("`deploytool check`", "`deploytool check --local`"),
        ("[red]deploytool restore --stage a1[/]", "[red]deploytool restore --stage a1 --local[/]"),
        ("deploytool deploy --local --stage dev", "deploytool deploy --local --stage dev"),
        ("deploytool check --stage dev --local", "deploytool check --stage dev --local"),
        ("deploytool report DIR", "deploytool report DIR"),
        ("deploytool local up", "deploytool local up"),
        ("deploytool checks", "deploytool checks"),
        ("the folder .deploytool/local", "the folder .deploytool/local"),
    ],
)
def test_a_run_with_local_advises_commands_with_local(text: str, shown: str) -> None:
    """Without it the command that a user copies would work on AWS."""
    assert advised(text, ("--local",)) == shown
    assert advised(shown, ("--local",)) == shown
    assert advised(text, ()) == text


def test_another_configuration_is_named() -> None:
    """Its name is quoted for a shell."""
    options = options_of_run(local=True, config=Path("my app.toml"), default_config=DEFAULT)
    assert options == ("--config 'my app.toml'", "--local")
    assert advised("deploytool plan", options) == "deploytool plan --config 'my app.toml' --local"
    assert options_of_run(local=False, config=DEFAULT, default_config=DEFAULT) == ()


def test_an_error_of_a_run_advises_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the next run prints does not take over the options of this one."""
    config = tmp_path / "other.toml"
    assert cli.main(["status", "--local", "--config", str(config)]) == 2
    capsys.readouterr()
    assert cli.main(["history", "--report-dir", str(tmp_path / "none")]) == 2
    assert "--local" not in capsys.readouterr().err
