"""`python -m benchmarks.soak`: run the long proofs, each with a line of what it tried and lost.

The exit code is 0 when every proof tried something and lost nothing.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.soak.proof import Proof
from benchmarks.soak.proofs import all_proofs
from benchmarks.soak.runner import Result, describe, run_all, table_row

SEED = 1


def main(words: Sequence[str] | None = None) -> int:
    """Run the proofs that the command line names, or all."""
    # `nohup` would let every command that a proof starts ignore a closed terminal
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    proofs = all_proofs()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"the proofs to run (default: all): {', '.join(each.name for each in proofs)}",
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help="chooses the cases (default: %(default)s)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a few cases of each proof, as `make test` runs them"
    )
    parser.add_argument("--list", action="store_true", help="print the proofs, and run none")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the rows of docs/reliability.md there"
    )
    args = parser.parse_args(words)

    unknown = set(args.names) - {each.name for each in proofs}
    if unknown:
        parser.error(f"no such proof: {', '.join(sorted(unknown))}")
    chosen = [each for each in proofs if each.name in args.names or not args.names]
    if args.list:
        for proof in chosen:
            _say(f"{proof.name}\t{proof.minutes:g} minutes\t{proof.claim}")
        return 0

    results = _run(chosen, args.seed, is_quick=args.quick)
    if args.markdown:
        rows = "".join(f"{table_row(each)}\n" for each in results)
        args.markdown.write_text(rows, encoding="utf-8")
    return 0 if all(each.is_proved for each in results) else 1


def _run(proofs: Sequence[Proof], seed: int, *, is_quick: bool) -> list[Result]:
    """Run proofs, and repeat all lines of figures at the end."""
    results = []
    for result in run_all(proofs, seed, is_quick=is_quick, say=_say):
        results.append(result)
        _say(describe(result))

    seconds = sum(each.seconds for each in results)
    _say(f"\n{len(results)} proofs in {seconds / 60:.1f} minutes")
    for result in results:
        _say(describe(result))
    return results


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
