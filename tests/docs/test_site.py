"""The site has every page, in its navigation too, and each of its links leads to a page of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import build_site as site
from tests.docs.pages import ROOT, links

CONFIG = yaml.safe_load((ROOT / "mkdocs.yml").read_text())


def listed(nav: Any) -> Iterator[str]:
    """The pages of a navigation, in order."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        for value in nav.values():
            yield from listed(value)
    else:
        for value in nav:
            yield from listed(value)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    site.stage(folder, "")
    return folder


def test_the_navigation_lists_every_page_once(staged: Path) -> None:
    """A new page needs a line in mkdocs.yml."""
    pages = {str(path.relative_to(staged)) for path in staged.rglob("*.md")}
    names = list(listed(CONFIG["nav"]))
    assert set(names) == pages
    assert len(names) == len(pages)


def test_the_four_kinds_of_pages_have_a_section_each() -> None:
    """Tutorials, how-tos, reference and explanation."""
    sections = [name for entry in CONFIG["nav"] for name in entry]
    assert sections[:5] == ["Home", "Tutorials", "How to", "Reference", "Explanation"]


def test_every_link_of_the_site_leads_to_a_file_of_it(staged: Path) -> None:
    """A link to a file that is not there becomes text, or a link to the repository."""
    wrong = []
    for page in staged.rglob("*.md"):
        for _, target in links(page):
            name = target.partition("#")[0]
            if name and "://" not in target and not (page.parent / name).is_file():
                wrong.append(f"{page.relative_to(staged)}: {target}")
    assert wrong == []


def test_a_link_to_a_file_of_the_repository_names_it() -> None:
    """Where GitHub builds the site it is known which repository that is."""
    page = ROOT / "docs/how-to/test-the-templates.md"
    assert "https://github.com/octo-org/hello/blob/HEAD/.taskcat.yml" in site.staged_text(
        page, "octo-org/hello"
    )
    assert "](../../.taskcat.yml)" not in site.staged_text(page, "")


def test_a_list_after_a_line_of_text_is_one() -> None:
    """GitHub sees a list there, and Python-Markdown only after an empty line."""
    text = "a\n- b\n- c\n  d\n- e\n```\nx\n- y\n```\n"
    assert site._with_lists(text) == "a\n\n- b\n- c\n  d\n- e\n```\nx\n- y\n```\n"
