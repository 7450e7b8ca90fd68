"""Creates and deletes every template's stack in both regions with taskcat, after what they need of
others has been deployed.

On AWS, or with --local on the local cloud that is up (`deploytool local run -- python
tests/taskcat/run.py --local`). Exit code 0: every stack came and went, and nothing of them is left;
1 otherwise. Progress is on standard error.
"""

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from leftovers import Resource, delete_retained, listable, still_there, validation_names
from taskcat.exceptions import TaskCatException  # type: ignore[import-untyped]  # taskcat ships no types
from taskcat.testing import CFNTest  # type: ignore[import-untyped]  # the same

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DEPLOYTOOL = (sys.executable, "-m", "deploytool")
POLL = {"local": 0.2, "aws": 5.0}  # seconds between two looks at all the stacks


@dataclass(frozen=True)
class Watcher:
    """What taskcat calls to wait for its stacks. Its own looks at a stack once a minute, for which
    it has no setting.
    """

    interval: float  # seconds

    def report_test_progress(self, stacker: Any) -> None:
        """Return when none of the stacks is in progress; say each one's status as it changes, and
        why it failed.
        """
        said: dict[str, str] = {}
        while True:
            for stack in stacker.stacks:
                stack.refresh()
                if said.get(stack.id + stack.region_name) != stack.status:
                    said[stack.id + stack.region_name] = stack.status
                    say_status(stack)
            if not stacker.status()["IN_PROGRESS"]:
                return
            time.sleep(self.interval)


def say_status(stack: Any) -> None:
    """One line for a stack, and one for each reason of a failure."""
    say(f"{stack.test_name:<22} {stack.region_name}  {stack.status}")
    if "FAILED" in stack.status:
        reasons = [
            f"{event.logical_id}: {event.status_reason}"
            for event in stack.error_events(refresh=True)
        ]
        for reason in reasons or [stack.status_reason]:
            say(f"    {reason}")


def say(line: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", action="store_true", help="on the local cloud")
    parser.add_argument(
        "--project", type=Path, default=ROOT, help="the folder with .taskcat.yml and infra/"
    )
    parser.add_argument("--tests", default="ALL", help="only these tests, joined by commas")
    parser.add_argument(
        "--without-prerequisites",
        action="store_true",
        help="for tests that take nothing from other stacks",
    )
    asked = parser.parse_args()
    if asked.local:
        use_local_cloud()
    target = ["--stage", "local", "--local"] if asked.local else ["--stage", "aws"]
    try:
        with nullcontext() if asked.without_prerequisites else prerequisites(target):
            return test(asked.project, asked.tests, POLL["local" if asked.local else "aws"])
    except subprocess.CalledProcessError:  # deploytool has said why
        return 1


def use_local_cloud() -> None:
    """Let every client of this process, taskcat's too, talk to the local cloud."""
    done = subprocess.run(
        [*DEPLOYTOOL, "local", "env", "--output", "json"], check=True, stdout=subprocess.PIPE
    )
    for name, value in json.loads(done.stdout).items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def prerequisites(target: list[str]) -> Iterator[None]:
    """Have the stacks of tests/taskcat/stacks.yaml for a while."""
    config = [*target, "--config", str(HERE / "deploytool.toml")]
    try:
        subprocess.run([*DEPLOYTOOL, "deploy", *config], check=True)
        yield
    finally:
        subprocess.run([*DEPLOYTOOL, "destroy", *config, "--delete-zone", "--yes"], check=True)


def test(project: Path, names: str, interval: float) -> int:
    """Run these tests. Returns the exit code."""
    made: list[Resource] = []
    records: set[str] = set()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder, template_bucket():
        # Taskcat uploads the whole of its folder
        shutil.copytree(project / "infra", Path(folder) / "infra")
        suite = CFNTest.from_file(project_root=folder, input_file=str(project / ".taskcat.yml"))
        suite.printer, suite.test_names = Watcher(interval), names
        suite.lint_disable = True  # `make lint` has
        suite.dont_wait_for_delete = False
        try:
            with suite as stacks:
                made = resources(stacks)
                records = validation_names(made)
                found = still_there(made)
                faults += [
                    f"could not be listed: {each}" for each in listable(made) if each not in found
                ]
        except TaskCatException as failed:
            faults.append(str(failed))
    delete_retained(made, records)
    faults += [f"left behind: {each}" for each in still_there(made)]
    for fault in faults:
        say(fault)
    say(
        f"{len(suite.result or ())} stacks of {len(suite.config.config.tests)} tests, {len(made)} resources, {len(faults)} faults"
    )
    return 1 if faults else 0


@contextmanager
def template_bucket() -> Iterator[None]:
    """Give taskcat a bucket for the templates. It would make one, and at the end make and delete
    another one (0.9.58).
    """
    bucket = boto3.resource("s3", region_name="us-east-1").create_bucket(
        Bucket=f"tcat-deploytool-{secrets.token_hex(6)}"
    )
    os.environ["TASKCAT_PROJECT_S3_BUCKET"] = bucket.name
    try:
        yield
    finally:
        bucket.objects.all().delete()
        bucket.delete()


def resources(stacks: Iterable[Any]) -> list[Resource]:
    """What the stacks hold."""
    held = [
        (stack, each)
        for stack in stacks
        if not stack.launch_exception
        for each in stack.resources(refresh=True)
    ]
    return [
        Resource(each.type, each.physical_id, stack.region_name)
        for stack, each in held
        if each.physical_id
    ]


if __name__ == "__main__":
    sys.exit(main())
