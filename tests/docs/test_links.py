"""The links of the documentation lead somewhere: to files that exist, and to headings of pages."""

from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import ROOT, anchors, links, pages

# A page in a folder of its own that lists the others
INDEX = ROOT / "docs/README.md"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    """Relative links name files of the repository, and headings that exist."""
    wrong = []
    for line, target in links(page):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.is_relative_to(ROOT) or not file.exists():
            wrong.append(f"line {line}: {target}: no such file")
        elif anchor and (file.suffix != ".md" or anchor not in anchors(file)):
            wrong.append(f"line {line}: {target}: no such heading")
    assert wrong == []


def test_the_index_lists_every_page() -> None:
    """A page that no list names is not found."""
    listed = {(INDEX.parent / target).resolve() for _, target in links(INDEX)}
    everything = {page for page in pages() if page.is_relative_to(INDEX.parent)}
    assert everything - listed == {INDEX}
