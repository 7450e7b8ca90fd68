"""The long proofs try a few cases each, on a local cloud of their own."""

import pytest

from benchmarks.soak.__main__ import SEED
from benchmarks.soak.proof import Proof
from benchmarks.soak.proofs import all_proofs
from benchmarks.soak.runner import describe, run_one


@pytest.mark.timeout(600)
@pytest.mark.parametrize("proof", all_proofs(), ids=lambda proof: proof.name)
def test_nothing_is_lost(proof: Proof, capsys: pytest.CaptureFixture[str]) -> None:
    """`make soak` tries many more."""
    result = run_one(proof, SEED, is_quick=True, say=print)
    assert result.is_proved, f"{capsys.readouterr().out}\n{describe(result)}"
