"""`python -m benchmarks.outage`: us-east-1 loses its API and its edge, heals, and relapses.

A stage with `failback = "manual"` runs on a private local cloud. Its traffic fails over by itself,
stays at the standby while the primary heals and relapses, gets a code change there, and comes home
by `deploytool failback`. The commands are those that a user types. The timeline is that of the
cloud's own log. The exit code is 0 when traffic moved exactly twice: away, and home.
"""

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SPEED = 20.0  # of the local cloud
RELAPSES = 3
LIMIT = 60.0  # seconds of wall time for anything that is awaited
STAGE = "dev"
DOMAIN = "dev.example.com"
PRIMARY = "us-east-1"
STANDBY = "us-west-2"


class Failed(Exception):
    """The outage did not go as it should."""


@dataclass
class Outage:
    """One outage on a running local cloud.

    `notes` are the commands that were run, with their time. `checks` has the id of each health
    check by what it watches. `began` is when the outage began, in seconds of the monotonic clock.
    """

    folder: Path
    cloud: ControlClient
    notes: list[tuple[float, str]] = field(default_factory=list)
    checks: dict[str, str] = field(default_factory=dict)
    began: float = 0.0

    def run(self, *words: str, expected: Sequence[int] = (0,)) -> str:
        """Run a deploytool command as a user does, print it with its result, return its output.

        Raises Failed when the exit code is not one of the expected.
        """
        shown = f"deploytool {shlex.join(words)}"
        if words[0] != "local":
            shown += f" --stage {STAGE}"
        _print(f"\n$ {shown}")
        self.notes.append((time.monotonic(), shown))

        started = time.monotonic()
        done = self._deploytool(*words)
        seconds = time.monotonic() - started
        _print(done.stdout.rstrip() or done.stderr.rstrip())
        _print(f"[exit {done.returncode} after {seconds:.1f} s]")
        if done.returncode not in expected:
            raise Failed(f"{shown}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until a condition is true. Raises Failed when it takes too long."""
        deadline = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > deadline:
                raise Failed(f"after {LIMIT:.0f} s: not {what}")
            time.sleep(0.1)

    def served_by(self) -> str:
        """Return the region to which the name servers send the domain, from the cloud's own log."""
        moves = self.moves()
        return moves[-1][1] if moves else PRIMARY

    def moves(self) -> list[tuple[float, str]]:
        """Return every change of the domain's answer since the outage began.

        Each has its moment, and the region that the answer names since then.
        """
        regions = {address: region for region, address in self.cloud.cloud.regions.items()}
        moves = []
        for event in self.cloud.event_log()["answers"]:
            is_ours = event["name"] == f"{DOMAIN}." and event["new"]
            if is_ours and event["monotonic"] > self.began:
                moves.append((event["monotonic"], regions[event["new"][0]]))
        return moves

    def is_healthy(self, check: str) -> bool:
        """Return the verdict on a health check now, by what it watches."""
        return self.cloud.status().health_checks[self.checks[check]].healthy

    def find_checks(self) -> None:
        """Read the ids of the health checks from the outputs of the stacks."""
        outputs = json.loads(self._deploytool("outputs", "--output", "json").stdout)
        health_check = outputs["health-check"][PRIMARY]
        failover_check = outputs["failover-check"][PRIMARY]
        self.checks["the primary's endpoint"] = health_check["HealthCheckId"]
        self.checks["the switch"] = failover_check["SwitchHealthCheckId"]
        self.checks["the primary, all together"] = failover_check["FailoverHealthCheckId"]

    def _deploytool(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a deploytool command of the stage."""
        config = str(self.folder / "deploytool.toml")
        options = ["--config", config]
        if words[0] != "local":
            options += ["--local", "--stage", STAGE]
        return subprocess.run(
            [sys.executable, "-m", "deploytool", *words, *options],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def play(outage: Outage) -> None:
    """Play the outage. Raises Failed as soon as something does not go as it should."""
    outage.run("deploy")
    outage.find_checks()
    # A new endpoint may fail its first checks, so the outage begins when the primary serves
    outage.wait_until("healthy", lambda: outage.is_healthy("the primary, all together"))
    outage.run("check")
    outage.began = time.monotonic()

    _print(f"\n--- {PRIMARY} loses its API and its edge")
    outage.run("local", "break", PRIMARY, "--api", "hang", "--how", "refuse")
    outage.wait_until(f"served by {STANDBY}", lambda: outage.served_by() == STANDBY)
    outage.run("check", expected=(1,))
    outage.wait_until("held by the switch", lambda: not outage.is_healthy("the switch"))
    outage.run("status", expected=(4,))

    _print(f"\n--- {PRIMARY} heals and relapses {RELAPSES} times")
    for _ in range(RELAPSES):
        outage.run("local", "fix", PRIMARY)
        outage.wait_until("healthy", lambda: outage.is_healthy("the primary's endpoint"))
        outage.run("local", "break", PRIMARY, "--api", "error", "--how", "error")
        outage.wait_until("unhealthy", lambda: not outage.is_healthy("the primary's endpoint"))

    _print(f"\n--- {PRIMARY} is well, and somebody decides to go home")
    outage.run("local", "fix", PRIMARY)
    outage.wait_until("healthy", lambda: outage.is_healthy("the primary's endpoint"))
    outage.run("failback", "--reason", f"{PRIMARY} is well again")


def timeline(outage: Outage, since: float) -> list[str]:
    """Return the commands and what happened in the cloud, by seconds of wall time since then."""
    events = [(at, f"$ {command}") for at, command in outage.notes]
    events += [(at, f"  DNS answers with {region}") for at, region in outage.moves()]

    names = {id_: name for name, id_ in outage.checks.items()}
    log = outage.cloud.event_log()
    for change in log["verdicts"]:
        verdict = "healthy" if change["healthy"] else "unhealthy"
        name = names.get(change["health_check_id"], change["health_check_id"])
        events.append((change["monotonic"], f"  {name}: {verdict}"))
    for change in log["edges"]:
        condition = change["new"]["condition"]
        events.append((change["monotonic"], f"  the edge of {change['region']} is {condition}"))

    return [f"{at - since:7.1f} s  {what}" for at, what in sorted(events)]


def main() -> int:
    """Play an outage on a private local cloud and print its timeline."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outage", description=__doc__)
    parser.add_argument(
        "--speed",
        type=float,
        default=SPEED,
        metavar="N",
        help=f"how many times faster than real time the cloud runs (default: {SPEED:g})",
    )
    speed = parser.parse_args().speed

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _copy_project(folder)
        directory = folder / ".deploytool" / "local"
        with lifecycle.private(Settings(directory, speed=speed)) as state:
            outage = Outage(folder, ControlClient(state))
            started = time.monotonic()
            try:
                play(outage)
            except Failed as error:
                _print(f"\nFAILED: {error}")
                return 1
            finally:
                _print(
                    f"\nTimeline, in seconds of wall time ({speed:g} times faster than real time)"
                )
                _print("\n".join(timeline(outage, started)))

            regions = [region for _, region in outage.moves()]
            expected = [STANDBY, PRIMARY]
            moved = " -> ".join([PRIMARY, *regions])
            _print(f"\nTraffic: {moved}. Took {time.monotonic() - started:.0f} s.")
            return 0 if regions == expected else 1


def _copy_project(folder: Path) -> None:
    """Copy this project, and let its stage stay at the standby after a failover."""
    for name in ("infra", "lambda"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    config = (ROOT / "deploytool.toml").read_text(encoding="utf-8")
    settings = f'\n[stages.{STAGE}.settings]\nfailback = "manual"\n'
    (folder / "deploytool.toml").write_text(config + settings, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
