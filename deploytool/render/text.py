"""Text in every output: small helpers, and what text from outside must not do to a terminal or a log.

Answers of APIs, DNS and HTTP, files and arguments may have any character in them.
"""

import re

# Control characters without tab and line feed, the marks that reorder text (Unicode Standard Annex 9),
# and the line breaks of Unicode
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
# GitHub's runner takes a line that begins so for a command, also after spaces (actions/runner,
# ActionCommand.cs)
_COMMAND = re.compile(r"^(\s*)(::|##\[)", re.MULTILINE)


def visible(text: str) -> str:
    """Return text from outside so that it only shows: no character of it has an effect.

    A line that a CI system would take for a command begins with a backslash.
    """
    shown = _UNSEEN.sub(_escape_sequence, text)
    return _COMMAND.sub(r"\1\\\2", shown)


def escape(text: str) -> str:
    """Return text from outside for a line with rich's markup, of which it has none itself."""
    # `--help` and errors of the arguments stay fast
    from rich.markup import escape as escape_markup  # noqa: PLC0415

    return escape_markup(visible(text))


def _escape_sequence(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


def quantity(count: int, noun: str) -> str:
    """Return a number with its noun, which takes an `s` in the plural."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun}s"


def shortened(text: str, width: int) -> str:
    """Return the text, cut with an ellipsis when it is longer than `width` characters."""
    if len(text) <= width:
        return text
    return text[: width - 1] + "…"
