"""The pages of the documentation: their blocks of code, the commands in them, links and anchors."""

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
SHELLS = ("sh", "bash", "shell", "console")

# A comment above a block says how the tests treat it.
NOT_RUN = re.compile(r"<!-- not run by the tests: .+ -->")
RUN_LOCALLY = (
    "<!-- run by the tests on a local cloud -->",
    "<!-- run by the tests on a local cloud; ",
)
RUN_APART = "<!-- run by the tests on a local cloud of its own -->"
EXITS_WITH = re.compile(r"exits with (\d+) -->$")

_MARKDOWN = MarkdownIt("commonmark").enable("table")
# What ends a command in a line of a shell
_SEPARATORS = {"&&", "||", ";", "|", "&", "(", ")"}
_ASSIGNMENT = re.compile(r"[A-Z_][A-Z0-9_]*=.*")


@dataclass(frozen=True)
class Block:
    """A block of code: fenced with the language that the fence names, or indented without one."""

    page: str  # relative to the root
    line: int
    language: str
    text: str
    comment: str  # the HTML comment right above it

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_shell(self) -> bool:
        """Whether it can hold commands. An indented block can, among others."""
        return self.language in ("", *SHELLS)

    @property
    def runs_locally(self) -> bool:
        return self.comment.startswith(RUN_LOCALLY)

    @property
    def starts_a_cloud(self) -> bool:
        return self.comment == RUN_APART

    @property
    def is_run(self) -> bool:
        return not NOT_RUN.fullmatch(self.comment)

    @property
    def exit_code(self) -> int:
        """The exit code of its last command."""
        found = EXITS_WITH.search(self.comment)
        return int(found[1]) if found else 0


@dataclass(frozen=True)
class Command:
    """A command of a page, as words of a shell."""

    place: str
    words: tuple[str, ...]


def pages() -> list[Path]:
    """Every page for users and contributors."""
    return [
        *sorted((ROOT / "docs").rglob("*.md")),
        *(
            ROOT / name
            for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md")
        ),
    ]


def blocks(page: Path) -> list[Block]:
    """Return the blocks of code of a page, in order."""
    name = str(page.relative_to(ROOT))
    found = []
    comment = ""
    for token in _MARKDOWN.parse(page.read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            assert token.map
            line = token.map[0] + 1
            found.append(Block(name, line, token.info.strip(), token.content, comment))
        comment = token.content.strip() if token.type == "html_block" else ""
    return found


def commands(text: str, place: str) -> Iterator[Command]:
    """Yield the commands of a text of a shell, those in $(...) too."""
    for substituted in re.findall(r"\$\(([^()]+)\)", text):
        yield from commands(substituted, place)

    # A line that ends in a backslash goes on in the next one
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        try:
            words = list(lexer)
        except ValueError:
            continue  # no line of a shell: a template, a message
        command: list[str] = []
        for word in [*words, ";"]:
            if word not in _SEPARATORS:
                command.append(word)
                continue
            command = _without_redirections(command)
            while command and _ASSIGNMENT.fullmatch(command[0]):
                command.pop(0)
            if command:
                yield Command(place, tuple(command))
            command = []


def _without_redirections(words: list[str]) -> list[str]:
    """Return the words of a command without `> FILE`."""
    for number, word in enumerate(words):
        if word in (">", ">>", "<"):
            return words[:number] + _without_redirections(words[number + 2 :])
    return words


def ours(page: Path) -> list[Command]:
    """Return the deploytool commands of a page: of its blocks, and of the text."""
    name = str(page.relative_to(ROOT))
    found = []
    for block in blocks(page):
        if block.is_shell:
            found += [each for each in commands(block.text, str(block)) if _is_ours(each)]
    for token in _inline(page):
        for child in token.children or []:
            if child.type == "code_inline":
                line = (token.map or [0])[0] + 1
                for each in commands(child.content, f"{name}:{line}"):
                    if _is_ours(each) and _has_options(each):
                        found.append(each)
    return found


def _is_ours(command: Command) -> bool:
    return command.words[0] in ("deploytool", ".venv/bin/deploytool")


def _has_options(command: Command) -> bool:
    """Return whether a command in a sentence is more than the name of one, as `deploytool report`.

    `deploytool COMMAND --help` is about any command.
    """
    options = [word for word in command.words if word.startswith("-")]
    return bool(options) and command.words[1] != "COMMAND"


def _inline(page: Path) -> list[Token]:
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    return [token for token in tokens if token.type == "inline"]


def links(page: Path) -> list[tuple[int, str]]:
    """Return the targets of the links and images of a page, each with its line."""
    found = []
    for token in _inline(page):
        line = (token.map or [0])[0] + 1
        for child in token.children or []:
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                found.append((line, str(target)))
    return found


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub forms them."""
    found: set[str] = set()
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    for heading, token in itertools.pairwise(tokens):
        if heading.type != "heading_open":
            continue
        children = token.children or []
        text = "".join(child.content for child in children if child.type in ("text", "code_inline"))
        anchor = base = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        number = 0
        while anchor in found:
            number += 1
            anchor = f"{base}-{number}"
        found.add(anchor)
    return found
