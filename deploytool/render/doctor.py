"""What the checks of a setup found, as JSON and as text."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from deploytool.core.doctor.finding import Finding, Status
from deploytool.render.advice import advised
from deploytool.render.marks import ABSENT, ATTENTION, BAD, GOOD
from deploytool.render.text import escape, quantity
from deploytool.work.doctor.run import Checked

MARKS = {
    Status.OK: GOOD,
    Status.WARNING: ATTENTION,
    Status.PROBLEM: BAD,
    Status.NOT_CHECKED: ABSENT,
}
MARK_WIDTH = 4  # columns, with its margins
GAP = 2  # columns after the longest subject
WIDEST_SUBJECT = 30  # columns; a longer one pushes its message to the right
WIDEST = 100  # columns of a message; longer lines are hard to read in a wide log

# What a hint begins with when it is a command: it is not broken into lines, so that it can be copied
COMMANDS = ("aws ", "deploytool ", "export ", "pip ", "sudo ")


def doctor_document(checked: Sequence[Checked], options: tuple[str, ...]) -> dict[str, Any]:
    """Return every finding, and how many there are of each status.

    `options` are added to the commands of ours that a hint names.
    """
    findings = _findings(checked)
    return {
        "checks": [
            {
                "id": finding.id,
                "subject": finding.subject,
                "status": finding.status.value,
                "message": finding.message,
                "hint": advised(finding.hint, options) if finding.hint else None,
            }
            for finding in findings
        ],
        "counts": _counts(findings),
    }


def doctor_lines(checked: Sequence[Checked], width: int, options: tuple[str, ...]) -> Iterator[str]:
    """Yield the findings below a heading for each part of the setup, then what they sum up to.

    `width` is that of the terminal, in columns. The lines have rich's markup.
    """
    longest = max((len(finding.subject) for finding in _findings(checked)), default=0)
    columns = min(longest, WIDEST_SUBJECT) + GAP
    group = None
    shown: set[str] = set()
    for each in checked:
        if each.findings and each.check.group is not group:
            yield from [""] if group else []
            group = each.check.group
            yield f"[bold]{group.value}[/]"
        for finding in each.findings:
            hint = advised(finding.hint, options)
            # One fix often lets many checks run; it is said once
            is_repeated = finding.status is Status.NOT_CHECKED and hint in shown
            yield from _lines(finding, "" if is_repeated else hint, columns, min(width, WIDEST))
            shown.add(hint)
    yield ""
    yield _summary(_findings(checked))


def _lines(finding: Finding, hint: str, columns: int, width: int) -> Iterator[str]:
    indent = " " * (MARK_WIDTH + columns)
    text, style = finding.message, ""
    if finding.status is Status.NOT_CHECKED:
        text, style = f"not checked: {text}", "dim"

    message = _wrapped(text, width - len(indent))
    mark = MARKS[finding.status].markup
    first, *more = message or [""]
    yield f"  {mark} {escape(finding.subject):{columns - 1}} {_styled(first, style)}"
    for line in more:
        yield f"{indent}{_styled(line, style)}"
    if hint:
        yield from _hint_lines(hint, width)


def _hint_lines(hint: str, width: int) -> Iterator[str]:
    indent = " " * MARK_WIDTH
    if hint.startswith(COMMANDS):
        yield f"{indent}[cyan]→ {escape(hint)}[/]"
        return
    for number, line in enumerate(_wrapped(hint, width - MARK_WIDTH - 2)):
        arrow = "→ " if number == 0 else "  "
        yield f"{indent}[cyan]{arrow}{escape(line)}[/]"


def _wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text. A word, such as a name or an address, is never broken."""
    return textwrap.wrap(text, max(width, 20), break_long_words=False, break_on_hyphens=False)


def _styled(text: str, style: str) -> str:
    escaped = escape(text)
    return f"[{style}]{escaped}[/]" if style and escaped else escaped


def _summary(findings: Sequence[Finding]) -> str:
    counts = _counts(findings)
    problems, warnings = counts[Status.PROBLEM.value], counts[Status.WARNING.value]
    rest = f"{counts[Status.OK.value]} ok"
    if counts[Status.NOT_CHECKED.value]:
        rest += f", {counts[Status.NOT_CHECKED.value]} not checked"
    if problems:
        return f"{BAD.markup} [bold]{quantity(problems, 'problem')}, {quantity(warnings, 'warning')}[/], {rest}"
    if warnings:
        return f"{ATTENTION.markup} [bold]no problem, {quantity(warnings, 'warning')}[/], {rest}"
    return f"{GOOD.markup} [bold]no problem[/], {rest}"


def _findings(checked: Sequence[Checked]) -> list[Finding]:
    return [finding for each in checked for finding in each.findings]


def _counts(findings: Sequence[Finding]) -> dict[str, int]:
    counts = Counter(finding.status for finding in findings)
    return {status.value: counts[status] for status in Status}
