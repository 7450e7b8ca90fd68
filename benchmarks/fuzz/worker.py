"""A process that tries cases, one fork each. It has one thread, so that it may fork."""

import importlib
import pkgutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import deploytool.commands
from benchmarks.fuzz.attempt import Ended, problems, run
from benchmarks.fuzz.cases import Case, make_bench, make_case, restored, special_cases

SHOWN = 300  # bytes of a bad input


@dataclass
class Tried:
    """What a worker tried, by kind, and what was wrong: a text for each case."""

    kinds: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    answers: int = 0
    losses: list[str] = field(default_factory=list)


def try_cases(seed: str, count: int) -> Tried:
    """Try cases that the seed chooses."""
    _import_commands()
    tried = Tried()
    with tempfile.TemporaryDirectory(prefix="deploytool-fuzz-") as folder:
        bench = make_bench(Path(folder))
        for number in range(count):
            random = Random(f"{seed} {number}")  # noqa: S311  # chooses cases, keeps no secret
            with restored(bench):
                case = make_case(bench, random)
                ended = _try(case, f"{seed} {number}", tried)
            bench.keep(case.kind, case.text, ended)
        tried.answers = len(bench.seen)
    return tried


def try_special_cases(part: int, parts: int) -> Tried:
    """Try every nth of the special cases."""
    _import_commands()
    tried = Tried()
    with tempfile.TemporaryDirectory(prefix="deploytool-fuzz-") as folder:
        bench = make_bench(Path(folder))
        number = 0
        cases = special_cases(bench)
        while True:
            with restored(bench):
                case = next(cases, None)
                if case is None:
                    return tried
                if number % parts == part:
                    _try(case, "special", tried)
                number += 1


def _try(case: Case, name: str, tried: Tried) -> Ended:
    ended = run(case.attempt)
    tried.kinds[case.kind if name != "special" else name] += 1
    tried.codes[ended.code] += 1
    for problem in problems(case.attempt, ended):
        line = " ".join(case.attempt.words)
        tried.losses.append(f"{name}: {case.kind}: {line}: {problem}; {case.text[:SHOWN]!r}")
    return ended


def _import_commands() -> None:
    """Import what a command would import, so that a fork need not."""
    for module in pkgutil.iter_modules(deploytool.commands.__path__):
        importlib.import_module(f"deploytool.commands.{module.name}")
