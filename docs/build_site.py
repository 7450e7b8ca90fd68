"""Lay out the pages for the site, and build it: `make site`.

The pages are written for GitHub, where a link may lead to any file of the repository. The site has the
pages of docs/ and those of the repository's root (below `project/`). A link to another file becomes one
to the repository, when GITHUB_REPOSITORY (OWNER/NAME, as GitHub Actions sets it) says which one that
is, and else its text alone.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAGED = ROOT / ".site"  # as docs_dir in mkdocs.yml
PROJECT_PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
ASSETS = (".png", ".svg")

_ITEM = re.compile(r"(?:-|\d+\.) ")
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


def staged_path(file: Path) -> Path | None:
    """Return where a file of the repository is in the site's source; None when it is not there."""
    if file.parent == ROOT and file.name in PROJECT_PAGES:
        return Path("project") / file.name.lower().replace("readme", "about")
    if not file.is_relative_to(ROOT / "docs"):
        return None
    path = file.relative_to(ROOT / "docs")
    if path == Path("README.md"):
        return Path("index.md")
    return path if file.suffix in (".md", *ASSETS) else None


def staged_text(page: Path, repository: str) -> str:
    """Return the text of a page with its links as the site needs them."""

    def replaced(link: re.Match[str]) -> str:
        target = link["target"]
        if "://" in target or target.startswith(("#", "mailto:")):
            return link[0]

        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve()
        place = staged_path(file)
        if place is None and not repository:
            return link["text"]
        if place is None:
            path = file.relative_to(ROOT)
            return f"[{link['text']}](https://github.com/{repository}/blob/HEAD/{path})"

        here = staged_path(page)
        assert here is not None  # noqa: S101  # every page is staged
        relative = os.path.relpath(place, here.parent)
        new = f"{relative}#{anchor}" if anchor else relative
        return f"{link['image']}[{link['text']}]({new})"

    return _with_lists(_LINK.sub(replaced, page.read_text(encoding="utf-8")))


def _with_lists(text: str) -> str:
    """Return a page with an empty line before each list: without one, Python-Markdown sees no list."""
    lines: list[str] = []
    is_code = False
    for line in text.splitlines():
        before = lines[-1] if lines else ""
        follows_text = before and not _ITEM.match(before) and not before.startswith(" ")
        if not is_code and follows_text and _ITEM.match(line):
            lines.append("")
        if line.lstrip().startswith("```"):
            is_code = not is_code
        lines.append(line)
    return "\n".join(lines) + "\n"


def stage(folder: Path, repository: str) -> None:
    """Write the source of the site into an empty folder."""
    files = [ROOT / name for name in PROJECT_PAGES]
    files += sorted(path for path in (ROOT / "docs").rglob("*") if path.is_file())
    for file in files:
        place = staged_path(file)
        if place is None:
            continue
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".md":
            (folder / place).write_text(staged_text(file, repository), encoding="utf-8")
        else:
            shutil.copy(file, folder / place)


def main() -> int:
    """Stage and build; return the builder's exit code. The argument is the program that builds."""
    shutil.rmtree(STAGED, ignore_errors=True)
    stage(STAGED, os.environ.get("GITHUB_REPOSITORY", ""))
    command = [sys.argv[1], "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
