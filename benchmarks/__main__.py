"""`python -m benchmarks`: every figure in one run, as a table and as JSON.

The slow runs go side by side, each tool against a local cloud of its own; they wait most of the
time. Runs with nothing to do and start-ups are short and measured alone, after all others have
ended.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.graphs import TEN_STACKS, critical_path, load, write_chain, write_wide
from benchmarks.measure import RunFailed, start_up, timed
from benchmarks.report import Measurement, markdown_table, text_table
from benchmarks.tools import TOOLS, CannotInstall, Run, Tool, deploytool_run
from deploytool.localcloud import lifecycle
from deploytool.localcloud.ministack.durations import Durations
from deploytool.localcloud.settings import Settings
from deploytool.localcloud.state import State

HOME = Path(".bench").absolute()  # the peers' environments are kept there
CASES = {
    "create": "create ten stacks in two regions",
    "noop": "nothing to do, ten stacks",
    "chain": "create 200 stacks in a chain",
    "wide": "create 200 stacks side by side",
    "help": "--help",
}
_HELP_RUNS = 20
_MANY: dict[str, Callable[[Path], Path]] = {"chain": write_chain, "wide": write_wide}


@dataclass(frozen=True)
class Bench:
    """What is measured, at which scale of the durations, and the folder for everything that is
    written.
    """

    cases: frozenset[str]
    tools: tuple[Tool, ...]
    scale: float
    folder: Path

    @contextmanager
    def cloud(self, name: str, scale: float) -> Iterator[State]:
        """A private local cloud."""
        with lifecycle.private(Settings(self.folder / name / "cloud", durations=scale)) as state:
            yield state


@dataclass(frozen=True)
class Prepared:
    """A tool that is ready to deploy to its cloud."""

    tool: Tool
    run: Run
    state: State
    log: Path


def run(bench: Bench) -> list[Measurement]:
    """All measurements."""
    found: list[Measurement] = []
    with ExitStack() as stack:
        if bench.cases & {"create", "noop"}:
            found += _ten_stacks(bench, stack)
        else:
            found += _many(bench)
    if "help" in bench.cases:
        command = str(Path(sys.executable).parent / "deploytool")
        found.append(
            Measurement(CASES["help"], "deploytool", start_up((command, "--help"), _HELP_RUNS))
        )
    return sorted(found, key=lambda each: list(CASES.values()).index(each.case))


def _ten_stacks(bench: Bench, stack: ExitStack) -> list[Measurement]:
    """Creations side by side, the graphs of 200 stacks once the quicker tools are done; then each
    alone with nothing to do.
    """
    graph = load(TEN_STACKS)
    scale = bench.scale if "create" in bench.cases else 0.0
    least = critical_path(graph, Durations(scale))
    found: list[Measurement] = []
    ready: list[Prepared] = []
    for tool in bench.tools:
        try:
            state = stack.enter_context(bench.cloud(tool.name, scale))
            say(f"preparing {tool.label}")
            made = tool.prepare(graph, state.directory, HOME)
            ready.append(Prepared(tool, made, state, state.directory.parent / "log"))
        except CannotInstall as error:
            found += [
                Measurement(CASES[case], tool.label, note=str(error))
                for case in ("create", "noop")
                if case in bench.cases
            ]
    say(f"creating ten stacks with {len(ready)} tools; the critical path is {least:g} s")
    with ThreadPoolExecutor(len(ready) or 1) as pool:
        futures: list[Future[Measurement]] = [pool.submit(_create, each, least) for each in ready]
        for each, future in zip(ready, futures, strict=True):
            if each.tool.name != "awscli":
                future.result()
        many = _many(bench)
        created = [future.result() for future in futures]
    found += many + (created if "create" in bench.cases else [])
    if "noop" in bench.cases:
        found += [_idle(each) for each, made in zip(ready, created, strict=True) if made.runs]
    return found


def _create(each: Prepared, least: float) -> Measurement:
    case, tool = CASES["create"], each.tool
    try:
        seconds, calls = timed(each.run, each.state, each.log)
    except RunFailed as error:
        say(f"{tool.label} failed: {error}")
        return Measurement(case, tool.label, note=f"failed: {error}")
    say(f"{tool.label}: created in {seconds:.1f} s")
    return Measurement(case, tool.label, (seconds,), least, calls, tool.note)


def _idle(each: Prepared) -> Measurement:
    case, tool = CASES["noop"], each.tool
    try:
        measured = [timed(each.run, each.state, each.log) for _ in range(tool.idle_runs)]
    except RunFailed as error:
        return Measurement(case, tool.label, note=f"failed: {error}")
    say(f"{tool.label}: nothing to do, {len(measured)} runs")
    runs = tuple(seconds for seconds, _ in measured)
    note = f"median of {len(runs)} runs; the quickest {min(runs):.2f} s"
    return Measurement(case, tool.label, runs, 0.0, measured[-1][1], note)


def _many(bench: Bench) -> list[Measurement]:
    """The graphs of 200 stacks, deploytool alone."""
    found = []
    for name, write in _MANY.items():
        if name not in bench.cases or not any(tool.name == "deploytool" for tool in bench.tools):
            continue
        config = write(bench.folder / name)
        least = critical_path(load(config), Durations(bench.scale))
        say(f"{CASES[name]}; the critical path is {least:g} s")
        with bench.cloud(name, bench.scale) as state:
            made = Prepared(
                TOOLS["deploytool"], deploytool_run(config), state, bench.folder / name / "log"
            )
            found.append(replace(_create(made, least), case=CASES[name]))
    return found


def heading(scale: float) -> list[str]:
    """What a reader of the table must know."""
    machine = f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    model = f"local clouds with AWS-like durations (a model after measured values, not AWS) at scale {scale:g}"
    lines = [f"{machine}; {model}."]
    if (load := os.getloadavg()[1]) > (os.cpu_count() or 1):
        lines.append(
            f"The machine was busy with other work (load average {load:.1f}): short runs show it."
        )
    if scale != 1:
        lines.append(
            "The tools' own waits (AWS CLI 30 s, CDK 5 s, Sceptre 4 s) do not scale: these ratios are not those of AWS."
        )
    return lines


def say(text: str) -> None:
    """Progress."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.splitlines()[0]
    )
    choices = f"tools: {', '.join(TOOLS)}; cases: {', '.join(CASES)}"
    parser.add_argument(
        "--only",
        default="",
        metavar="NAMES",
        help=f"some of these, with commas between ({choices})",
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="how long resources take, 1: as long as the model says",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table as Markdown")
    args = parser.parse_args(arguments)
    only = {name for name in args.only.split(",") if name}
    if unknown := only - {*TOOLS, *CASES}:
        parser.error(f"--only {', '.join(sorted(unknown))}: {choices}")
    cases = frozenset(only & set(CASES)) or frozenset(CASES)
    tools = tuple(tool for name, tool in TOOLS.items() if name in only or not only & set(TOOLS))
    with tempfile.TemporaryDirectory(
        prefix="deploytool-bench-", ignore_cleanup_errors=True
    ) as folder:
        found = run(Bench(cases, tools, args.scale, Path(folder)))
    lines = heading(args.scale)
    print("\n".join([*lines, "", text_table(found)]))  # noqa: T201  # the result
    if args.json:
        document = {
            "heading": lines,
            "scale": args.scale,
            "measurements": [each.to_json() for each in found],
        }
        args.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if args.markdown:
        args.markdown.write_text(
            "\n".join([*lines, "", markdown_table(found), ""]), encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
