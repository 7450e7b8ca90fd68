"""`python -m benchmarks.storms`: run commands while the API of a local cloud throttles, fails and lies.

A run is one command in one weather. It ends done, or with an error after which the same command
converges in calm weather; then nothing may be there twice, inverted, throttled, locked or left. It
prints a line for each run; the exit code is 0 when nothing was lost.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar

from benchmarks.faultproxy import Fault, FaultProxy, Weather, fault_proxy
from benchmarks.killed import Moment
from benchmarks.sweep import INJECTS, Kill, Stage, StageState, stages
from deploytool.aws.parameters import ParameterLocks
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.localcloud.settings import ACCESS_KEY, SECRET_KEY, STATE_FILE
from deploytool.work.stacks.lock import lock_name

REGIONS = ("us-east-1", "us-west-2")
STAGE = "storm"
CYCLES = 13  # of eight runs each
LIMIT = 300.0  # seconds of wall time in which a command says nothing
ERRORS = {1, 3, 4}  # the exit codes that a storm may lead to

WEATHERS = (
    Weather("throttling", {Fault.THROTTLED: 0.3}),
    Weather("errors", {Fault.FAILED: 0.05, Fault.FAILED_LATE: 0.05}),
    Weather("resets", {Fault.RESET: 0.05}),
    Weather("lost answers", {Fault.LOST: 0.05}),
    # Longer than a quick command waits for an answer (deploytool/aws/limits.py)
    Weather("latency", {Fault.SLOW: 0.05}, seconds=(1.0, 5.0)),
    Weather(
        "everything",
        {
            Fault.THROTTLED: 0.3,
            Fault.FAILED: 0.05,
            Fault.FAILED_LATE: 0.05,
            Fault.RESET: 0.05,
            Fault.LOST: 0.05,
            Fault.SLOW: 0.02,
        },
    ),
)

# The runs of a cycle, in this order: what is deployed at its start is destroyed at its end
STEPS = ("deploy", "plan", "update", "drill", "restore", "failover", "failback", "destroy")
# A cycle for `make test`, in weathers in which a command waits little
QUICK_STEPS = ("deploy", "drill", "destroy")
QUICK_CYCLE = 2
WORDS = {
    "deploy": ("deploy",),
    "plan": ("plan",),
    "update": ("deploy",),
    "drill": ("drill",),
    "restore": ("restore",),
    "failover": ("failover", "--yes"),
    "failback": ("failback", "--yes"),
    "destroy": ("destroy", "--yes", "--delete-zone"),
}


@dataclass(frozen=True)
class Ended:
    """A command that has ended; `code` is None when it was killed after the time limit."""

    code: int | None
    out: str
    err: str
    seconds: float


@dataclass
class Storms:
    """A project on a local cloud whose API is behind a proxy, and what was lost so far."""

    stage: Stage
    proxy: FaultProxy
    clients: Clients
    directory: Path
    seed: int
    say: Callable[[str], None]
    tried: int = 0
    in_error: int = 0
    losses: list[str] = field(default_factory=list)
    # The resources, and the state of the stage, as a deployment in calm weather makes them
    resources: Counter[str] = field(default_factory=Counter)
    state: StageState | None = None

    @property
    def note(self) -> str:
        """How hard it was, for a line of figures."""
        faults = sum(self.proxy.counts.values())
        return (
            f"{faults} calls met a fault, {self.in_error} runs ended in an error"
            " after which the next one converged"
        )

    def learn(self) -> None:
        """Deploy and destroy in calm weather, and keep what there is in between."""
        self._calm("deploy")
        self.resources = self._count()
        self.state = self.stage.state()
        self._calm("destroy")
        self._check_nothing_left("before the first storm")

    def cycle(self, number: int, steps: Sequence[str]) -> None:
        """Run each step in a weather of its own. Each pair comes up once in six cycles."""
        for index, step in enumerate(steps):
            self._run(step, WEATHERS[(number + index) % len(WEATHERS)], f"{number}.{index}")

    def _run(self, step: str, weather: Weather, name: str) -> None:
        random = Random(f"{self.seed} {name}")  # noqa: S311  # chooses cases, keeps no secret
        words = list(WORDS[step])
        if step == "drill":
            words += ["--fault", random.choice(list(INJECTS))]
        self._prepare(step, name, random)

        title = f"{name} {step} in {weather.name}"
        before = len(self.losses)
        with self.proxy.storm(weather, random.randrange(2**32)):
            ended = self._command(*words)
        self.tried += 1
        self._check_end(title, ended)
        if ended.code != 0:
            self.in_error += 1
            # A drill is not repeated: what must converge is what it changed
            self._repeat(title, "restore" if step == "drill" else step)
        self._check_world(title, step)

        result = "as it should be" if len(self.losses) == before else "LOST"
        self.say(f"{title}: exit {ended.code} after {ended.seconds:.1f} s, {result}")
        if ended.code != 0:
            self.say(f"  it said: {_last_line(ended.err)}")
        for loss in self.losses[before:]:
            self.say(f"  {loss}")

    def _prepare(self, step: str, name: str, random: Random) -> None:
        """Give the command something to do, in calm weather."""
        if step == "update":
            handler = self.stage.folder / "lambda" / "api" / "handler.py"
            with handler.open("a", encoding="utf-8") as file:
                file.write(f"# {name}\n")
        if step == "restore":
            fault = random.choice(list(INJECTS))
            self.stage.kill(Kill(fault, Moment(call=INJECTS[fault], then="answered")))

    def _calm(self, step: str) -> None:
        ended = self._command(*WORDS[step])
        if ended.code != 0:
            raise RuntimeError(f"{step} in calm weather: exit {ended.code}: {ended.err}")

    def _repeat(self, title: str, step: str) -> None:
        ended = self._command(*WORDS[step])
        if ended.code != 0:
            self._lose(title, f"{step} again: exit {ended.code}: {ended.err[-500:]}")

    def _check_end(self, title: str, ended: Ended) -> None:
        if ended.code is None:
            self._lose(title, f"stood still for {LIMIT:.0f} s: {ended.err[-500:]}")
        elif ended.code != 0 and ended.code not in ERRORS:
            self._lose(title, f"exit {ended.code}: {ended.err[-1000:]}")
        elif ended.code != 0 and not ended.err.strip() and not ended.out.strip():
            self._lose(title, f"exit {ended.code} without a word")
        if "Traceback" in ended.err or "a bug of deploytool" in ended.err:
            self._lose(title, ended.err[-1000:])
        if ended.code == 0 and not _is_document(ended.out):
            self._lose(title, f"no result on standard output: {ended.out[:200]!r}")

    def _check_world(self, title: str, step: str) -> None:
        self._check_marks(title)
        if step == "destroy":
            self._check_nothing_left(title)
            return

        found = self._count()
        for kind in sorted(self.resources | found):
            if found[kind] != self.resources[kind]:
                self._lose(title, f"{found[kind]} {kind} and not {self.resources[kind]}")
        state = self.stage.state()
        if self.state is None or _comparable(state) != _comparable(self.state):
            self._lose(title, f"the stage is {state} and not {self.state}")
        is_held = step == "failover"
        if state.held is not is_held:
            self._lose(title, f"the switch is {'held' if state.held else 'released'}")

    def _check_marks(self, title: str) -> None:
        """Nothing says any more that a command is under way."""
        locks = ParameterLocks(self.clients)
        for region in REGIONS:
            for purpose in ("deploy", "drill"):
                name = lock_name("hello", STAGE, purpose)
                if locks.read(region, name) is not None:
                    self._lose(title, f"{name} is left in {region}")
            scheduler = self.clients.get("scheduler", region)
            for schedule in scheduler.list_schedules()["Schedules"]:
                if schedule["Name"].startswith("drill-"):
                    self._lose(title, f"schedule {schedule['Name']} is left in {region}")
            for name in self._open_change_sets(region):
                self._lose(title, f"change set {name} is left in {region}")

    def _open_change_sets(self, region: str) -> Iterator[str]:
        cloudformation = self.clients.get("cloudformation", region)
        for stack in cloudformation.describe_stacks()["Stacks"]:
            listed = cloudformation.list_change_sets(StackName=stack["StackName"])
            for change_set in listed["Summaries"]:
                if change_set.get("ExecutionStatus") == "AVAILABLE":
                    yield change_set["ChangeSetName"]

    def _check_nothing_left(self, title: str) -> None:
        for kind, count in self._count().items():
            if count:
                self._lose(title, f"{count} {kind} left")
        for region in REGIONS:
            for parameter in self.clients.get("ssm", region).describe_parameters()["Parameters"]:
                self._lose(title, f"parameter {parameter['Name']} is left in {region}")

    def _count(self) -> Counter[str]:
        """Return how many resources of each kind the account has."""
        counts: Counter[str] = Counter()
        route53 = self.clients.get("route53", REGIONS[0])
        counts["hosted zones"] = len(route53.list_hosted_zones()["HostedZones"])
        counts["health checks"] = len(route53.list_health_checks()["HealthChecks"])
        for region in REGIONS:
            get = self.clients.get
            stacks = get("cloudformation", region).describe_stacks()["Stacks"]
            counts[f"stacks in {region}"] = len(stacks)
            apis = get("apigateway", region).get_rest_apis()["items"]
            counts[f"APIs in {region}"] = len(apis)
            functions = get("lambda", region).list_functions()["Functions"]
            counts[f"functions in {region}"] = len(functions)
            certificates = get("acm", region).list_certificates()["CertificateSummaryList"]
            counts[f"certificates in {region}"] = len(certificates)
        return counts

    def _command(self, *words: str) -> Ended:
        """Run a deploytool command through the proxy."""
        line = [sys.executable, "-m", "deploytool", *self.stage.command(*words)]
        environment = {**os.environ, "DEPLOYTOOL_LOCAL_DIR": str(self.directory)}
        started = time.monotonic()
        said = self.directory / "said"
        errors = self.directory / "errors"
        with (
            said.open("wb") as output,
            errors.open("wb") as error_output,
            subprocess.Popen(
                [*line, "--output", "json"],
                cwd=self.stage.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=error_output,
            ) as process,
        ):
            code = _ended(process, errors)
        seconds = time.monotonic() - started
        return Ended(
            code, said.read_text(encoding="utf-8"), errors.read_text(encoding="utf-8"), seconds
        )

    def _lose(self, title: str, what: str) -> None:
        self.losses.append(f"{title}: {what}")


def _ended(process: subprocess.Popen[bytes], errors: Path) -> int | None:
    """Wait while a command goes on writing; return its exit code, None when it had to be killed.

    A storm makes a run as long as it likes. Only one that stands still is lost.
    """
    size = 0
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            return process.wait(1.0)
        except subprocess.TimeoutExpired:
            if errors.stat().st_size > size:
                size = errors.stat().st_size
                deadline = time.monotonic() + LIMIT
    process.kill()
    process.wait()
    return None


def _comparable(state: StageState) -> tuple[object, ...]:
    """Return what is the same in each deployment: ids differ, and a failover holds the switch."""
    return (
        state.health_check.inverted,
        state.health_check.disabled,
        state.reserved,
        [len(mappings) for mappings in state.mappings],
        state.record,
    )


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""


def _is_document(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


Kind = TypeVar("Kind", bound=Storms)


@contextmanager
def storms(folder: Path, seed: int, say: Callable[[str], None], kind: type[Kind]) -> Iterator[Kind]:
    """Start a local cloud and a proxy in front of it. Nothing is deployed at the end."""
    with stages(folder, 0) as _:
        with (folder / "deploytool.toml").open("a", encoding="utf-8") as config:
            config.write(f"\n[stages.{STAGE}]\n")
        real = folder / ".deploytool" / "local"
        state = json.loads((real / STATE_FILE).read_text(encoding="utf-8"))
        clients = Clients(Endpoint(state["endpoint_url"], ACCESS_KEY, SECRET_KEY))
        with fault_proxy(state["endpoint_url"]) as (proxy, url):
            # The same cloud with the address of the proxy
            behind = folder / "behind"
            behind.mkdir()
            (behind / "lock").symlink_to(real / "lock")
            document = json.dumps({**state, "endpoint_url": url})
            (behind / STATE_FILE).write_text(document, encoding="utf-8")
            yield kind(Stage(folder, STAGE), proxy, clients, behind, seed, say)


def main() -> int:
    """Run the storms."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storms", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="chooses the faults (default: 1)")
    parser.add_argument(
        "--cycles",
        type=int,
        default=CYCLES,
        metavar="N",
        help="each has eight runs (default: %(default)s)",
    )
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        runs = run_all(Path(folder), args.seed, range(args.cycles), _print)
    _print(f"tried {runs.tried}, lost {len(runs.losses)}; {runs.note}")
    return 1 if runs.losses or not runs.tried else 0


def run_all(
    folder: Path,
    seed: int,
    cycles: Iterable[int],
    say: Callable[[str], None],
    steps: Sequence[str] = STEPS,
) -> Storms:
    """Run cycles of these numbers on a local cloud in the folder; return what they tried and lost."""
    with storms(folder, seed, say, Storms) as runs:
        runs.learn()
        for number in cycles:
            runs.cycle(number, steps)
        return runs


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
