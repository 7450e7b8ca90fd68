"""What a pipeline relies on in the command line: the target by a variable, and a domain that was
typed beforehand.
"""

from argparse import Namespace
from io import StringIO
from typing import Any

import pytest

from deploytool import cli
from deploytool.commands import drill
from deploytool.core.errors import InputError


def test_a_target_that_there_is_not_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt DEPLOYTOOL_TARGET does not end up on AWS."""
    monkeypatch.setenv("DEPLOYTOOL_TARGET", "lokal")
    assert cli.main(["status", "--stage", "dev"]) == 2
    assert "DEPLOYTOOL_TARGET=lokal: the targets are aws and local" in capsys.readouterr().err


@pytest.mark.parametrize(("target", "local"), [("", False), ("aws", False), ("local", True)])
def test_the_target_can_be_named_by_a_variable(
    monkeypatch: pytest.MonkeyPatch, target: str, *, local: bool
) -> None:
    """DEPLOYTOOL_TARGET=local is --local."""
    monkeypatch.setenv("DEPLOYTOOL_TARGET", target)
    assert cli.build_parser().parse_args(["deploy", "--stage", "dev"]).local is local


@pytest.mark.parametrize("protected", [True, False])
@pytest.mark.parametrize("typed", ["example.org", "", "example.com"])
def test_a_protected_stage_is_drilled_only_with_its_domain(
    found: Any, typed: str, *, protected: bool
) -> None:
    """--confirm is an answer to the question: a wrong one counts on any stage, none on a stage that
    is not protected.
    """
    run = found(protected=protected)
    arguments = Namespace(confirm=typed, yes=False)
    if typed == "example.com" or (not typed and not protected):
        drill._confirm(arguments, run)
    else:
        with pytest.raises(InputError):
            drill._confirm(arguments, run)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a command has opened, as far as the question goes; nobody is at the terminal."""

    def opened(*, protected: bool) -> Namespace:
        config = Namespace(stage=lambda _: Namespace(protected=protected))
        terminal = Namespace(note=lambda _: None)
        return Namespace(
            project=Namespace(config=config),
            graph=Namespace(stage="prod"),
            domain="example.com",
            terminal=terminal,
        )

    monkeypatch.setattr("sys.stdin", StringIO())
    return opened
