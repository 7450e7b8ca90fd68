"""Runs proofs one after the other, and describes what they found."""

import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.soak.proof import Figures, Proof, Run

_SHOWN_LOSSES = 20


@dataclass(frozen=True)
class Result:
    """A proof that has run. `seconds` are of wall time; `error` is why it did not end."""

    proof: Proof
    seed: int
    is_quick: bool
    seconds: float
    figures: Figures
    error: str = ""

    @property
    def is_proved(self) -> bool:
        """Whether something was tried, the run ended by itself, and nothing was lost."""
        return bool(self.figures.tried) and not self.figures.losses and not self.error

    @property
    def command(self) -> str:
        """The command that repeats this run."""
        return command(self.proof, self.seed, is_quick=self.is_quick)


def command(proof: Proof, seed: int, *, is_quick: bool = False) -> str:
    """Return the command that runs a proof with a seed."""
    quick = " --quick" if is_quick else ""
    return f"python -m benchmarks.soak {proof.name} --seed {seed}{quick}"


def run_all(
    proofs: Iterable[Proof], seed: int, *, is_quick: bool, say: Callable[[str], None]
) -> Iterator[Result]:
    """Run proofs. One that fails does not keep the next from running."""
    for proof in proofs:
        say(f"{proof.name}: {proof.claim}")
        yield run_one(proof, seed, is_quick=is_quick, say=say)


def run_one(proof: Proof, seed: int, *, is_quick: bool, say: Callable[[str], None]) -> Result:
    """Run a proof in a folder of its own."""
    started = time.monotonic()
    error = ""
    figures = Figures(tried=0)
    with tempfile.TemporaryDirectory(prefix="deploytool-soak-") as folder:
        try:
            figures = proof.run(Run(seed, is_quick, Path(folder), say))
        except Exception:  # noqa: BLE001  # the other proofs are run all the same
            error = traceback.format_exc()
    seconds = time.monotonic() - started
    return Result(proof, seed, is_quick, seconds, figures, error)


def describe(result: Result) -> str:
    """Return the line of figures, and below it what was lost."""
    figures = result.figures
    counts = f"tried {figures.tried}, lost {len(figures.losses)}, {result.seconds:.0f} s"
    note = f" ({figures.note})" if figures.note else ""
    lines = [f"{result.proof.name}: {counts}{note}: {result.command}"]

    for loss in figures.losses[:_SHOWN_LOSSES]:
        lines.append(f"  lost: {loss}")
    hidden = len(figures.losses) - _SHOWN_LOSSES
    if hidden > 0:
        lines.append(f"  and {hidden} more")

    if result.error:
        lines.append(f"  did not end: {result.error.strip()}")
    elif not figures.tried:
        lines.append("  tried nothing, so nothing is proved")
    return "\n".join(lines)


def table_row(result: Result) -> str:
    """Return the row of docs/reliability.md."""
    figures = result.figures
    cells = (
        result.proof.name,
        f"{result.proof.claim} {figures.note}".strip(),
        str(figures.tried),
        str(len(figures.losses)),
        f"{result.seconds:.0f}",
        f"`{result.command}`",
    )
    return f"| {' | '.join(cells)} |"
