"""Text from outside shows, and has no effect on a terminal or a log."""

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from deploytool import cli
from deploytool.render.text import escape, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [text]", "plain [text]"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[2J", r"\x1b[2J"),
        ("back\rto the start", r"back\rto the start"),
        ("\x9b31m", r"\x9b31m"),
        ("abc\u202ecba", r"abc\u202ecba"),
        ("::set-output name=a::b", r"\::set-output name=a::b"),
        ("a body\n::error::b", "a body\n\\::error::b"),
        ("a body\n  ##[error]b", "a body\n  \\##[error]b"),
        ("in the middle ::a::", "in the middle ::a::"),
    ],
)
def test_what_has_an_effect_is_shown_instead(text: str, shown: str) -> None:
    """Control characters, marks that reorder text, and what a CI system takes for a command."""
    assert visible(text) == shown


@given(st.text())
def test_no_character_has_an_effect(text: str) -> None:
    """Whatever the text is, no line is a command and no character controls anything."""
    shown = visible(text)
    controls = {char for char in shown if unicodedata.category(char) == "Cc"}
    assert controls <= {"\n", "\t"}
    assert not any(line.strip().startswith(("::", "##[")) for line in shown.split("\n"))
    assert visible(shown) == shown


@given(st.text(alphabet="[]/ab\x1b:\n", max_size=20))
def test_rich_prints_it_as_it_is(text: str) -> None:
    """The text has no markup of rich: what is printed is what `visible` returns."""
    out = io.StringIO()
    console = Console(file=out, width=1000, soft_wrap=True, highlight=False, emoji=False)
    console.print(f"[bold]{escape(text)}[/]", end="")
    assert out.getvalue() == visible(text)


def test_an_argument_reaches_no_terminal_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """The name of a stage may come from anywhere, for instance from the name of a branch."""
    assert (
        cli.main(["lint", "--stage", "x\x1b[31m\n::error::y", "--config", "/missing\x1b[0m"]) == 2
    )
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert r"/missing\x1b[0m" in shown


@pytest.mark.parametrize("word", ["\x1b]0;title\x07", "\u202e", "a\n::error::x"])
def test_an_argument_that_nobody_knows_reaches_no_terminal_as_it_is(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message of argparse repeats it."""
    with pytest.raises(SystemExit):
        cli.main(["restore", word])
    shown = capsys.readouterr().err
    assert visible(shown) == shown
    assert not any(line.startswith("::") for line in shown.splitlines())
