"""Pages that name tests name tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["docs/explanation/degraded-worlds.md"]


@pytest.mark.parametrize("page", PAGES)
def test_every_row_names_a_test_that_exists(page: str) -> None:
    """A claim without a test is none."""
    rows = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("| ")][1:]
    assert rows
    for row in rows:
        names = re.findall(r"`((?:tests|failover_tests)/[\w/]+\.py)`", row)
        assert names, row
        for name in names:
            assert (ROOT / name).is_file(), name
