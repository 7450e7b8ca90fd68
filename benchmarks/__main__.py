"""`python -m benchmarks`: every figure in one run, as a table and as JSON.

Each seed gives the resources other durations, the same ones for every tool. The tools create the
stacks of a seed side by side, each against a local cloud of its own: they wait most of the time.
Runs with nothing to do and start-ups are short, and are measured alone at the end.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.graphs import TEN_STACKS, critical_path, load, write_chain, write_wide
from benchmarks.measure import RunFailed, start_up, timed
from benchmarks.report import Measurement, markdown_table, text_table
from benchmarks.tools import TOOLS, CannotInstall, Run, Tool, deploytool_run
from deploytool.commands.local import typical_durations
from deploytool.core.project.graph import Graph
from deploytool.localcloud import lifecycle
from deploytool.localcloud.durations import Durations
from deploytool.localcloud.settings import Settings
from deploytool.localcloud.state import State

HOME = Path(".bench").absolute()  # the peers' environments are kept there
SEEDS = (1, 2, 3)
CASES = {
    "create": "create ten stacks in two regions",
    "noop": "nothing to do, ten stacks",
    "chain": "create 200 stacks in a chain",
    "wide": "create 200 stacks side by side",
    "help": "--help",
}
_HELP_RUNS = 20
_MANY = {"chain": write_chain, "wide": write_wide}


@dataclass(frozen=True)
class Bench:
    """What is measured. `scale` multiplies every duration; `folder` takes all that is written."""

    cases: frozenset[str]
    tools: tuple[Tool, ...]
    seeds: tuple[int, ...]
    scale: float
    folder: Path

    def durations(self, seed: int) -> Durations:
        """How long resources take with a seed."""
        return typical_durations(self.scale, seed)

    @contextmanager
    def cloud(self, name: str, durations: Durations) -> Iterator[State]:
        """A private local cloud."""
        settings = Settings(self.folder / name / "cloud", durations=durations)
        with lifecycle.private(settings) as state:
            yield state


@dataclass(frozen=True)
class Prepared:
    """A tool that is ready to deploy to a cloud. `least` is the critical path in seconds."""

    tool: Tool
    case: str
    run: Run
    state: State
    log: Path
    least: float


def run(bench: Bench) -> list[Measurement]:
    """Make all measurements, in the order of CASES."""
    measurements: list[Measurement] = []
    with ExitStack() as clouds:
        if bench.cases & {"create", "noop"}:
            measurements += _ten_stacks(bench, clouds)
        else:
            measurements += _many_stacks(bench)

    if "help" in bench.cases:
        command = (str(Path(sys.executable).parent / "deploytool"), "--help")
        runs = start_up(command, _HELP_RUNS)
        measurements.append(Measurement(CASES["help"], "deploytool", runs))
    return measurements


def _ten_stacks(bench: Bench, clouds: ExitStack) -> list[Measurement]:
    """Create the ten stacks with each tool and seed, and then run each tool with nothing to do.

    A tool that does nothing but wait (the AWS CLI, stack after stack) takes about ten minutes a
    seed. The next seed does not wait for it, nor do the graphs of 200 stacks.
    """
    graph = load(TEN_STACKS)
    measurements: list[Measurement] = []
    creations: list[tuple[Prepared, Future[Measurement]]] = []

    with ThreadPoolExecutor(len(bench.tools) * len(bench.seeds)) as pool:
        for seed in bench.seeds:
            ready, missing = _prepare(bench, graph, seed, clouds)
            measurements += missing
            started = [(prepared, pool.submit(_create, prepared)) for prepared in ready]
            for prepared, creation in started:
                if not prepared.tool.slow:
                    creation.result()
            creations += started
        many_stacks = _many_stacks(bench)

    if "create" in bench.cases:
        measurements += [creation.result() for _, creation in creations]
    if "noop" in bench.cases:
        # The stacks of the first seed are enough: nothing is created, so no duration matters.
        for prepared, creation in creations[: len(bench.tools)]:
            if creation.result().runs:
                measurements.append(_run_again(prepared))
    return measurements + many_stacks


def _prepare(
    bench: Bench, graph: Graph, seed: int, clouds: ExitStack
) -> tuple[list[Prepared], list[Measurement]]:
    """Start a cloud for each tool and write the tool's input.

    Returns the tools that are ready, and a measurement that says why for each that is not.
    """
    durations = bench.durations(seed) if "create" in bench.cases else Durations()
    case = f"{CASES['create']}, seed {seed}"
    ready: list[Prepared] = []
    missing: list[Measurement] = []

    for tool in bench.tools:
        say(f"seed {seed}: preparing {tool.label}")
        state = clouds.enter_context(bench.cloud(f"{tool.name}-{seed}", durations))
        try:
            command = tool.prepare(graph, state.directory, HOME)
        except CannotInstall as error:
            missing.append(Measurement(CASES["create"], tool.label, note=str(error)))
            continue
        least = critical_path(tool.deployed(graph), durations)
        log = state.directory.parent / "log"
        ready.append(Prepared(tool, case, command, state, log, least))

    say(f"seed {seed}: creating ten stacks with {len(ready)} tools")
    return ready, missing


def _create(prepared: Prepared) -> Measurement:
    tool = prepared.tool
    try:
        seconds, calls = timed(prepared.run, prepared.state, prepared.log)
    except RunFailed as error:
        say(f"{tool.label} failed: {error}")
        return Measurement(prepared.case, tool.label, note=f"failed: {error}")
    say(f"{prepared.case}: {tool.label} took {seconds:.1f} s")
    return Measurement(prepared.case, tool.label, (seconds,), prepared.least, calls, tool.note)


def _run_again(prepared: Prepared) -> Measurement:
    case = CASES["noop"]
    tool = prepared.tool
    runs: list[float] = []
    try:
        for _ in range(tool.idle_runs):
            seconds, calls = timed(prepared.run, prepared.state, prepared.log)
            runs.append(seconds)
    except RunFailed as error:
        return Measurement(case, tool.label, note=f"failed: {error}")
    say(f"{case}: {tool.label}, {len(runs)} runs")
    note = f"median of {len(runs)} runs; the quickest {min(runs):.2f} s"
    return Measurement(case, tool.label, tuple(runs), 0.0, calls, note)


def _many_stacks(bench: Bench) -> list[Measurement]:
    """Create the graphs of 200 stacks, with deploytool alone and the first seed."""
    durations = bench.durations(bench.seeds[0])
    tool = TOOLS["deploytool"]
    measurements: list[Measurement] = []
    if tool not in bench.tools:
        return measurements

    for name, write in _MANY.items():
        if name not in bench.cases:
            continue
        folder = bench.folder / name
        config = write(folder)
        least = critical_path(load(config), durations)
        say(f"{CASES[name]}; the critical path is {least:.1f} s")
        with bench.cloud(name, durations) as state:
            command = deploytool_run(config)
            prepared = Prepared(tool, CASES[name], command, state, folder / "log", least)
            measurements.append(_create(prepared))
    return measurements


def heading(bench: Bench) -> list[str]:
    """What a reader of the table must know."""
    processors = os.cpu_count() or 1
    machine = f"{processors} processors, {platform.system()} {platform.machine()}"
    seeds = ", ".join(str(seed) for seed in bench.seeds)
    lines = [
        f"{machine}, Python {platform.python_version()}.",
        (
            "Local clouds with AWS-like durations (a model after measured values, not AWS), "
            f"scale {bench.scale:g}. Each resource takes half to twice its typical seconds, "
            f"by seed {seeds}."
        ),
    ]
    load_average = os.getloadavg()[1]
    if load_average > processors:
        lines.append(
            f"The machine was busy with other work (load average {load_average:.1f}), "
            "which short runs show."
        )
    if bench.scale != 1:
        lines.append(
            "The tools' own waits (AWS CLI 30 s, CDK 5 s, Sceptre 4 s) do not scale: "
            "these ratios are not those of AWS."
        )
    return lines


def say(text: str) -> None:
    """Report progress on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    choices = f"tools: {', '.join(TOOLS)}; cases: {', '.join(CASES)}"
    summary = str(__doc__).splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=summary)
    parser.add_argument(
        "--only",
        default="",
        metavar="NAMES",
        help=f"some of these, separated by commas ({choices})",
    )
    parser.add_argument(
        "--seeds",
        default=",".join(str(seed) for seed in SEEDS),
        metavar="NUMBERS",
        help="seeds of the durations, separated by commas (default: %(default)s)",
    )
    parser.add_argument(
        "--scale", type=float, default=1.0, help="multiply the durations (default: 1)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table as Markdown")
    args = parser.parse_args(arguments)

    args.only = {name for name in args.only.split(",") if name}
    unknown = args.only - {*TOOLS, *CASES}
    if unknown:
        parser.error(f"--only {', '.join(sorted(unknown))}: {choices}")
    try:
        args.seeds = tuple(int(seed) for seed in args.seeds.split(","))
    except ValueError:
        parser.error(f"--seeds {args.seeds}: whole numbers, separated by commas")
    return args


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    args = _parse(arguments)
    cases = frozenset(args.only & set(CASES)) or frozenset(CASES)
    named_tools = args.only & set(TOOLS) or set(TOOLS)
    tools = tuple(tool for name, tool in TOOLS.items() if name in named_tools)

    prefix = "deploytool-bench-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        bench = Bench(cases, tools, args.seeds, args.scale, Path(folder))
        measurements = run(bench)

    lines = heading(bench)
    print("\n".join([*lines, "", text_table(measurements)]))  # noqa: T201  # the result
    if args.json:
        document = {
            "heading": lines,
            "scale": args.scale,
            "seeds": args.seeds,
            "measurements": [measurement.to_json() for measurement in measurements],
        }
        args.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if args.markdown:
        text = "\n".join([*lines, "", markdown_table(measurements), ""])
        args.markdown.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
