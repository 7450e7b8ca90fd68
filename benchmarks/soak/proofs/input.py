"""Bad files, arguments and variables: each gets one clear answer."""

import multiprocessing
from collections import Counter

from benchmarks.fuzz.worker import Tried, try_cases, try_special_cases
from benchmarks.soak.proof import Figures, Proof, Run

CASES = 10_000
QUICK_CASES = 200
WORKERS = 3  # the cases that call an endpoint mostly wait
CHUNK = 500  # cases of one process, which go on from each other
QUICK_SPECIAL = 8  # every nth special case is tried


def _run(run: Run) -> Figures:
    count = QUICK_CASES if run.is_quick else CASES
    chunk = min(CHUNK, count // 2)
    jobs = [(f"{run.seed} {number}", chunk) for number in range(count // chunk)]
    parts = QUICK_SPECIAL if run.is_quick else 1
    special = (run.random().randrange(parts), parts)

    losses: list[str] = []
    kinds: Counter[str] = Counter()
    codes: Counter[int] = Counter()
    # A process that forks must have one thread, so it is started anew
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        waiting = [pool.apply_async(try_special_cases, special)]
        waiting += [pool.apply_async(try_cases, job) for job in jobs]
        for number, job in enumerate(waiting):
            tried: Tried = job.get()
            losses += tried.losses
            kinds += tried.kinds
            codes += tried.codes
            run.say(
                f"{number + 1} of {len(waiting)}: {sum(tried.codes.values())} cases,"
                f" {tried.answers} different answers, {len(tried.losses)} lost"
            )
            for loss in tried.losses:
                run.say(f"  {loss}")

    ended = ", ".join(f"{codes[code]} with {code}" for code in sorted(codes))
    return Figures(sum(kinds.values()), tuple(losses), f"exit codes: {ended}")


PROOF = Proof(
    name="input",
    claim="Bad input ends with a documented exit code and one clear error that names the place.",
    minutes=6,
    run=_run,
)
