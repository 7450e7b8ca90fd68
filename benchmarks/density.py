"""Measure how densely the code is written, folder by folder. It informs; nothing depends on it.

Run `python -m benchmarks.density [FOLDER]`. The folder is `deploytool` unless one is named.
"""

import argparse
import ast
import io
import statistics
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LONG_LINE = 100  # characters
LONG_FUNCTION = 40  # lines
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Density:
    """Counts of one or more modules; `functions` and `modules` hold lengths in lines.

    `filled` counts the lines that are not blank: the shares are shares of these, so that blank lines
    between steps do not flatter them.
    """

    modules: list[int] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    code: int = 0
    filled: int = 0
    comments: int = 0
    long_lines: int = 0
    conditionals: int = 0
    comprehensions: int = 0
    parameters: int = 0
    annotated: int = 0

    @property
    def lines(self) -> int:
        """All lines, blank ones too."""
        return sum(self.modules)

    def __add__(self, other: "Density") -> "Density":
        return Density(
            self.modules + other.modules,
            self.functions + other.functions,
            self.code + other.code,
            self.filled + other.filled,
            self.comments + other.comments,
            self.long_lines + other.long_lines,
            self.conditionals + other.conditionals,
            self.comprehensions + other.comprehensions,
            self.parameters + other.parameters,
            self.annotated + other.annotated,
        )


def measure(path: Path) -> Density:
    """Count one module. Raises SyntaxError when it is not Python."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    density = Density(modules=[len(lines)])
    density.filled = sum(bool(line.strip()) for line in lines)
    density.long_lines = sum(len(line) > LONG_LINE for line in lines)
    density.comments, density.code = _comments_and_code(text)

    for node in ast.walk(ast.parse(text)):
        if isinstance(node, FUNCTIONS):
            density.functions.append((node.end_lineno or node.lineno) - node.lineno + 1)
            _count_annotations(node, density)
        elif isinstance(node, ast.IfExp):
            density.conditionals += 1
        elif isinstance(node, COMPREHENSIONS):
            density.comprehensions += 1
    return density


def _comments_and_code(text: str) -> tuple[int, int]:
    """How many lines carry a comment, and how many carry code."""
    comments: set[int] = set()
    code: set[int] = set()
    layout = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}

    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in layout:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(comments), len(code)


def _count_annotations(node: ast.FunctionDef | ast.AsyncFunctionDef, density: Density) -> None:
    """Count the parameters, apart from `self` and `cls`, and those that have a type."""
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    for argument in arguments:
        if argument.arg not in ("self", "cls"):
            density.parameters += 1
            density.annotated += argument.annotation is not None


def by_folder(root: Path) -> Iterator[tuple[str, Density]]:
    """Yield the counts of each folder directly below `root`, and of the modules in `root` itself."""
    folders: dict[str, Density] = {}
    for path in sorted(root.rglob("*.py")):
        below = path.relative_to(root).parts
        name = below[0] if len(below) > 1 else "."
        folders[name] = folders.get(name, Density()) + measure(path)
    yield from folders.items()


def row(name: str, density: Density) -> str:
    """One row of the table, in Markdown."""
    thousands = max(density.filled, 1) / 1_000
    functions = density.functions or [0]
    long_functions = sum(length > LONG_FUNCTION for length in functions)
    cells = (
        name,
        f"{len(density.modules)}",
        f"{density.lines}",
        f"{statistics.median(density.modules):.0f} / {max(density.modules)}",
        f"{statistics.median(functions):.0f} / {max(functions)}; {long_functions}",
        f"{100 * density.annotated / max(density.parameters, 1):.0f} %",
        f"{100 * density.comments / max(density.code, 1):.1f} %",
        f"{100 * density.long_lines / max(density.filled, 1):.1f} %",
        f"{density.conditionals / thousands:.1f}",
        f"{density.comprehensions / thousands:.1f}",
    )
    return f"| {' | '.join(cells)} |"


HEADINGS = (
    "folder",
    "modules",
    "lines",
    "module lines, median / max",
    f"function lines, median / max; over {LONG_FUNCTION}",
    "annotated",
    "comment lines of code",
    f"lines over {LONG_LINE} characters",
    "conditional expressions per 1,000 lines",
    "comprehensions per 1,000 lines",
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("deploytool"))
    root: Path = parser.parse_args().folder

    print(f"| {' | '.join(HEADINGS)} |")  # noqa: T201  # the table is the result
    print(f"|---{'|--:' * (len(HEADINGS) - 1)}|")  # noqa: T201  # the same
    total = Density()
    for name, density in by_folder(root):
        total += density
        print(row(name, density))  # noqa: T201  # the same
    print(row("all", total))  # noqa: T201  # the same


if __name__ == "__main__":
    main()
