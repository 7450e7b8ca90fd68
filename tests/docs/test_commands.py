"""Every deploytool command of the documentation is one that the parser takes."""

import contextlib
import io
from pathlib import Path

import pytest

from deploytool import cli
from tests.docs.pages import ROOT, Command, commands, ours, pages


def problem(command: Command) -> str:
    """Return why the parser does not take a command; empty when it does."""
    words = list(command.words[1:])
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            cli.build_parser(words).parse_args(words)
    except SystemExit as end:
        if end.code:
            return errors.getvalue().strip().splitlines()[-1]
    return ""


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_is_taken_by_the_parser(page: Path) -> None:
    """A page that names an option of an older version leads nowhere."""
    wrong = [
        f"{each.place}: {' '.join(each.words)}: {problem(each)}"
        for each in ours(page)
        if problem(each)
    ]
    assert wrong == []


def test_commands_are_found_in_every_form() -> None:
    """Assignments, continued lines, pipes, substitutions and comments are those of a shell."""
    text = (
        'A=1 deploytool plan \\\n  --stage "x y"   # a comment\n'
        "deploytool check && deploytool status | head &\n"
        'eval "$(deploytool local env)"\n'
    )
    found = [each.words for each in commands(text, "here")]
    assert found == [
        ("deploytool", "local", "env"),
        ("deploytool", "plan", "--stage", "x y"),
        ("deploytool", "check"),
        ("deploytool", "status"),
        ("head",),
        ("eval", "$(deploytool local env)"),
    ]


def test_the_pages_have_commands() -> None:
    """Otherwise the test above shows nothing."""
    assert sum(len(ours(page)) for page in pages()) > 80
