"""Every command that changes something, killed at seeded moments by four signals."""

from benchmarks import kills, storms
from benchmarks.soak.proof import Figures, Proof, Run


def _run(run: Run) -> Figures:
    cycles = 1 if run.is_quick else kills.CYCLES
    local_runs = 1 if run.is_quick else kills.LOCAL_RUNS
    local_ups = 1 if run.is_quick else kills.LOCAL_UPS
    bootstraps = 1 if run.is_quick else kills.BOOTSTRAPS
    steps = storms.QUICK_STEPS if run.is_quick else kills.STEPS
    ran = kills.run_all(
        run.folder, run.seed, cycles, local_runs, local_ups, bootstraps, run.say, steps
    )
    return Figures(ran.tried, tuple(ran.losses))


PROOF = Proof(
    name="kills",
    claim="A command that is killed at any moment is finished or undone by one more run.",
    minutes=5,
    run=_run,
)
