"""The table of known differences between the local cloud and AWS, and the tests that show them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "local-cloud.md"
MARKER = "pytest.mark.difference"

# | kind | on the local cloud | on AWS | [name of the test](path of its file) |
ROW = re.compile(r"\| (?P<kind>[^|]+) \| [^|]+ \| [^|]+ \| \[(?P<name>\S+)\]\((?P<file>\S+)\) \|")
KINDS = {"refused", "different", "on request"}


def rows() -> list[str]:
    """The rows of the table, without its head."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition("## Known differences")[2].partition("\n## ")[0]
    return [line for line in table.splitlines() if line.startswith("|")][2:]


def marked_tests() -> Iterator[tuple[Path, str]]:
    """The file and the name, with its class, of each test that has the marker."""
    for folder in ("tests", "failover_tests"):
        for path in (ROOT / folder).rglob("test_*.py"):
            text = path.read_text(encoding="utf-8")
            if MARKER not in text:
                continue
            for name, decorators in decorated(ast.parse(text)):
                if MARKER in decorators:
                    yield path, name


def decorated(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """The functions of a module and of its classes, each with its decorators as text."""
    scopes: list[tuple[str, list[ast.stmt]]] = [("", module.body)]
    for scope, body in scopes:
        for statement in body:
            if isinstance(statement, ast.ClassDef):
                scopes.append((f"{statement.name}.", statement.body))
            elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                decorators = [ast.unparse(decorator) for decorator in statement.decorator_list]
                yield scope + statement.name, decorators


def test_every_row_has_the_form_of_the_table() -> None:
    """A row has a kind, what happens locally and on AWS, and a link to a test."""
    assert rows()
    for row in rows():
        found = ROW.fullmatch(row)
        assert found, row
        assert found["kind"] in KINDS, row


def test_the_table_and_the_marked_tests_are_the_same() -> None:
    """Every test that shows a remaining difference is in the table, and nothing else is."""
    in_table = []
    for row in rows():
        found = ROW.fullmatch(row)
        assert found, row
        in_table.append(((PAGE.parent / found["file"]).resolve(), found["name"]))

    assert sorted(in_table) == sorted(marked_tests())
