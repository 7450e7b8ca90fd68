"""Every command while the API throttles, fails and loses answers."""

from benchmarks import storms
from benchmarks.soak.proof import Figures, Proof, Run


def _run(run: Run) -> Figures:
    cycles = [storms.QUICK_CYCLE] if run.is_quick else list(range(storms.CYCLES))
    steps = storms.QUICK_STEPS if run.is_quick else storms.STEPS
    ran = storms.run_all(run.folder, run.seed, cycles, run.say, steps)
    return Figures(ran.tried, tuple(ran.losses), ran.note)


PROOF = Proof(
    name="storms",
    claim="A command in a storm ends done, or with an error after which a re-run converges.",
    minutes=30,
    run=_run,
)
