"""Parts of a Markdown document: tables, and text from outside that must keep its place."""

from collections.abc import Iterable, Iterator, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table and an empty line after it. The cells are Markdown already."""
    yield _row(head)
    yield _row(["---"] * len(head))
    for row in rows:
        yield _row(row)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def text(value: str) -> str:
    """Escape text: it stays on one line and has no meaning to HTML or to a table."""
    # A line break would end the row of a table
    one_line = " ".join(value.split())
    return one_line.replace("&", "&amp;").replace("<", "&lt;").replace("|", "&#124;")


def code(value: str) -> str:
    """Escape a value and show it as code. An empty value stays empty.

    The code is an HTML element, because a backtick in the value would end Markdown's own.
    """
    if not value:
        return ""
    escaped = text(value).replace("`", "&#96;").replace("*", "&#42;").replace("_", "&#95;")
    return f"<code>{escaped}</code>"
