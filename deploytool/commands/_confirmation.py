"""Asks the user to type what a command is about to change."""

import sys

from deploytool.core.errors import InputError
from deploytool.core.project.config import Stage
from deploytool.render.terminal import Terminal


def confirm(
    terminal: Terminal,
    what: str,
    expected: str,
    *,
    wrong: str,
    hint: str = "use --yes to run without the confirmation",
) -> None:
    """Ask the user to type `expected`, which is `what`, like "the domain".

    Raises InputError when standard input is not a terminal, or something else is typed.
    """
    if not sys.stdin.isatty():
        raise InputError(f"cannot ask for {what}: standard input is not a terminal", hint=hint)
    terminal.note(f"Type {what} to continue ({expected}): ")
    if input().strip() != expected:
        raise InputError(wrong)


def confirm_domain(
    terminal: Terminal, stage: Stage, effect: str, *, answer: str, yes: bool
) -> None:
    """Ask for the domain of a protected stage, unless --confirm (`answer`) or --yes answers.

    `effect` is the sentence that says what the command does to the stage. Raises InputError for
    another domain; a wrong --confirm is refused on any stage.
    """
    if answer:
        if answer.strip() != stage.domain:
            raise InputError(
                f"--confirm {answer}: the domain is {stage.domain}; nothing was changed"
            )
        return
    if yes or not stage.protected:
        return

    terminal.note(f"Stage {stage.name} is protected. {effect}")
    confirm(
        terminal,
        "the domain",
        stage.domain,
        wrong="that is not the domain; nothing was changed",
        hint=f"without a terminal, give it as an option: --confirm {stage.domain}",
    )
