"""Asks the user to type what a command is about to change."""

import sys

from deploytool.core.errors import InputError
from deploytool.core.project.config import Stage
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape


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
    question = f"Stage {stage.name} is protected. {effect}"
    ask = not yes and stage.protected
    _confirm(terminal, stage.domain, question, answer=answer, ask=ask)


def confirm_foreign(
    terminal: Terminal, domain: str, effect: str, *, answer: str, yes: bool
) -> None:
    """Ask for a domain that deploytool did not deploy, as for that of a protected stage."""
    question = f"deploytool did not deploy {escape(domain)}. {effect}"
    _confirm(terminal, domain, question, answer=answer, ask=not yes)


def _confirm(terminal: Terminal, domain: str, question: str, *, answer: str, ask: bool) -> None:
    if answer:
        if answer.strip() != domain:
            raise InputError(f"--confirm {answer}: the domain is {domain}; nothing was changed")
        return
    if not ask:
        return

    terminal.note(question)
    confirm(
        terminal,
        "the domain",
        domain,
        wrong="that is not the domain; nothing was changed",
        hint=f"without a terminal, give it as an option: --confirm {domain}",
    )
