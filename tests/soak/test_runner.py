"""The frame of `make soak`: what counts as proved, and what is printed."""

import re
from pathlib import Path

import pytest

from benchmarks.soak.__main__ import SEED
from benchmarks.soak.processes import Held
from benchmarks.soak.proof import Figures, Proof, Run
from benchmarks.soak.proofs import all_proofs, drills
from benchmarks.soak.proofs.drills import Drilled, growth
from benchmarks.soak.runner import Result, command, describe, run_all, run_one, table_row

ROOT = Path(__file__).resolve().parents[2]


def _proof(figures: Figures) -> Proof:
    return Proof("name", "A claim.", minutes=1, run=lambda run: figures)


def _ran(figures: Figures) -> Result:
    return run_one(_proof(figures), 7, is_quick=False, say=lambda line: None)


@pytest.mark.parametrize(
    ("figures", "is_proved"),
    [
        (Figures(3), True),
        (Figures(0), False),
        (Figures(3, ("a stack is left",)), False),
    ],
)
def test_a_claim_is_proved_when_something_was_tried_and_nothing_lost(
    figures: Figures, is_proved: bool
) -> None:
    """A run that tried nothing proves nothing."""
    assert _ran(figures).is_proved is is_proved


def test_a_proof_that_fails_does_not_stop_the_next() -> None:
    """Its error is told, and it counts as not proved."""

    def fail(run: Run) -> Figures:
        raise RuntimeError("no cloud")

    broken = Proof("broken", "A claim.", minutes=1, run=fail)
    results = list(run_all([broken, _proof(Figures(1))], 1, is_quick=True, say=lambda line: None))
    assert [each.is_proved for each in results] == [False, True]
    assert "did not end" in describe(results[0])
    assert "RuntimeError: no cloud" in describe(results[0])


def test_the_line_has_the_figures_and_the_command() -> None:
    """What was lost stands below the line, and long lists are cut with their number."""
    losses = tuple(f"case {number}" for number in range(25))
    text = describe(_ran(Figures(30, losses, "p99 31 ms")))
    assert text.startswith(
        "name: tried 30, lost 25, 0 s (p99 31 ms): python -m benchmarks.soak name --seed 7"
    )
    assert "lost: case 19\n" in text
    assert "case 20" not in text
    assert text.endswith("and 5 more")
    assert table_row(_ran(Figures(30))).startswith("| name | A claim. | 30 | 0 | 0 |")


def test_a_seed_gives_the_same_cases_and_the_folder_is_deleted() -> None:
    """A run can be repeated, and leaves no files."""
    seen: list[tuple[float, Path]] = []

    def remember(run: Run) -> Figures:
        (run.folder / "file").touch()
        seen.append((run.random().random(), run.folder))
        return Figures(1)

    proof = Proof("name", "A claim.", minutes=1, run=remember)
    for seed in (1, 1, 2):
        run_one(proof, seed, is_quick=True, say=lambda line: None)
    assert seen[0][0] == seen[1][0] != seen[2][0]
    assert not any(folder.exists() for _, folder in seen)


def test_all_proofs_take_less_than_an_hour() -> None:
    """`make soak` runs them one after the other."""
    assert sum(each.minutes for each in all_proofs()) < 60


def test_the_table_of_proofs_has_each_proof_with_its_command() -> None:
    """docs/reliability.md names no other proof, and none is missing."""
    page = (ROOT / "docs" / "reliability.md").read_text()
    rows = re.findall(
        r"^\| ([a-z-]+) \|.*`(python -m benchmarks\.soak [^`]*)` \|$", page, re.MULTILINE
    )
    assert rows == [(each.name, command(each, SEED)) for each in all_proofs()]


def _drills(growing: bool) -> list[Drilled]:
    added = range(drills.DRILLS)
    return [
        Drilled(5.0, Held(6, 19, 100 + (number if growing else number % 9), 320.0, 150.0))
        for number in added
    ]


@pytest.mark.parametrize(
    ("growing", "names"), [(False, []), (True, ["open files"])], ids=["flat", "leaking"]
)
def test_a_leak_of_one_file_a_drill_is_growth(growing: bool, names: list[str]) -> None:
    """What goes up and down is none."""
    assert [each.partition(":")[0] for each in growth(_drills(growing))] == names
