"""What a pipeline needs of the command line: the target in a variable, the domain as an option."""

from argparse import Namespace
from io import StringIO
from typing import Any

import pytest

from deploytool import cli
from deploytool.commands import drill
from deploytool.commands.arguments.drill import DrillArguments
from deploytool.core.errors import InputError


def test_an_unknown_target_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typing error in DEPLOYTOOL_TARGET does not select AWS."""
    monkeypatch.setenv("DEPLOYTOOL_TARGET", "lokal")
    assert cli.main(["status", "--stage", "dev"]) == 2
    assert "DEPLOYTOOL_TARGET=lokal: the targets are aws and local" in capsys.readouterr().err


@pytest.mark.parametrize(("target", "local"), [("", False), ("aws", False), ("local", True)])
def test_the_target_can_be_named_by_a_variable(
    monkeypatch: pytest.MonkeyPatch, target: str, *, local: bool
) -> None:
    """DEPLOYTOOL_TARGET=local has the effect of --local."""
    monkeypatch.setenv("DEPLOYTOOL_TARGET", target)
    words = ["deploy", "--stage", "dev"]
    assert cli.build_parser(words).parse_args(words).local is local


@pytest.mark.parametrize("protected", [True, False])
@pytest.mark.parametrize("typed", ["example.org", "", "example.com"])
def test_a_protected_stage_is_drilled_only_with_its_domain(
    make_context: Any, typed: str, *, protected: bool
) -> None:
    """A wrong --confirm is refused on every stage, a missing one only on a protected stage."""
    context = make_context(protected=protected)
    words = ["drill", "--confirm", typed]
    arguments = DrillArguments.parse(cli.build_parser(words).parse_args(words))
    if typed == "example.com" or (not typed and not protected):
        drill._confirm(arguments, context)
    else:
        with pytest.raises(InputError):
            drill._confirm(arguments, context)


@pytest.fixture
def make_context(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes a command's context; standard input is not a terminal."""

    def make_context(*, protected: bool) -> Namespace:
        config = Namespace(stage=lambda _: Namespace(protected=protected))
        terminal = Namespace(note=lambda _: None)
        return Namespace(
            project=Namespace(config=config),
            graph=Namespace(stage="prod"),
            domain="example.com",
            terminal=terminal,
        )

    monkeypatch.setattr("sys.stdin", StringIO())
    return make_context
