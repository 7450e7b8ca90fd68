"""What a proof is: a claim that is tried many times, and the figures of one run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random


@dataclass(frozen=True)
class Run:
    """One run of a proof.

    `folder` is empty, belongs to this run, and is deleted afterwards. `say` prints a line of
    progress. A quick run tries a few cases in about ten seconds, for `make test`.
    """

    seed: int
    is_quick: bool
    folder: Path
    say: Callable[[str], None]

    def random(self) -> Random:
        """Return a generator that gives the same numbers in each run with this seed."""
        return Random(self.seed)  # noqa: S311  # chooses cases, keeps no secret


@dataclass(frozen=True)
class Figures:
    """What a run tried, and what was lost: a text for each case that broke the claim.

    `note` has further figures, like a percentile.
    """

    tried: int
    losses: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Proof:
    """A claim, and the function that tries it.

    `claim` is a sentence for the table in docs/reliability.md. `minutes` is the longest that a full
    run may take on two processors.
    """

    name: str
    claim: str
    minutes: float
    run: Callable[[Run], Figures]
