"""What a pipeline needs of the command line: the target in a variable, the domain as an option."""

from contextlib import nullcontext
from io import StringIO
from pathlib import Path

import pytest

from deploytool import cli
from deploytool.commands._confirmation import confirm_domain
from deploytool.core.errors import InputError
from deploytool.core.project.config import Stage
from deploytool.render.terminal import Terminal


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
def test_a_protected_stage_is_moved_only_with_its_domain(
    monkeypatch: pytest.MonkeyPatch, typed: str, *, protected: bool
) -> None:
    """A wrong --confirm is refused on every stage, a missing one only on a protected stage.

    This is the confirmation of a drill, of a failover and of a failback.
    """
    stage = Stage("prod", "example.com", {}, protected=protected)
    monkeypatch.setattr("sys.stdin", StringIO())  # no terminal
    may_go_on = typed == "example.com" or (not typed and not protected)
    with nullcontext() if may_go_on else pytest.raises(InputError):
        confirm_domain(Terminal(), stage, "It moves.", answer=typed, yes=False)


def test_an_error_is_annotated_and_in_the_summary_of_the_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The page of a run shows a wrong input without its log; no text adds a command of its own."""
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert cli.main(["plan", "--config", f"{tmp_path}/no\n::set-output name=x::y"]) == 2
    lines = capsys.readouterr().err.splitlines()
    (annotation,) = [line for line in lines if line.startswith("::")]
    assert annotation.startswith("::error title=deploytool plan::")
    assert "no such file" in annotation
    text = summary.read_text()
    assert text.startswith("**deploytool plan**: ")
    assert "\n::" not in text
