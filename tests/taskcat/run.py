"""Create and delete every template's stack in both regions with taskcat.

The stacks that they depend on are deployed before and destroyed afterwards. Runs on AWS, or with
--local on a local cloud (`deploytool local run -- python tests/taskcat/run.py --local`). The exit
code is 0 when every stack was created and deleted and none of its resources is left, and 1
otherwise. Progress is on standard error.
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
POLL = {"local": 0.2, "aws": 5.0}  # seconds between two polls of all stacks


@dataclass(frozen=True)
class Watcher:
    """Waits for taskcat's stacks in place of its own printer, which polls once a minute.

    Taskcat has no setting for that interval.
    """

    interval: float  # seconds

    def report_test_progress(self, stacker: Any) -> None:
        """Report each change of a stack's status; return when no stack is in progress."""
        reported: dict[tuple[str, str], str] = {}
        while True:
            for stack in stacker.stacks:
                stack.refresh()
                key = (stack.id, stack.region_name)
                if reported.get(key) != stack.status:
                    reported[key] = stack.status
                    report_status(stack)
            if not stacker.status()["IN_PROGRESS"]:
                return
            time.sleep(self.interval)


def report_status(stack: Any) -> None:
    """Write a line about a stack, and one for each reason of a failure."""
    report(f"{stack.test_name:<22} {stack.region_name}  {stack.status}")
    if "FAILED" in stack.status:
        reasons = [
            f"{event.logical_id}: {event.status_reason}"
            for event in stack.error_events(refresh=True)
        ]
        for reason in reasons or [stack.status_reason]:
            report(f"    {reason}")


def report(line: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Run the tests that the command line names. Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", action="store_true", help="on the local cloud")
    parser.add_argument(
        "--project", type=Path, default=ROOT, help="the folder with .taskcat.yml and infra/"
    )
    parser.add_argument("--tests", default="ALL", help="only these tests, joined by commas")
    parser.add_argument(
        "--without-prerequisites",
        action="store_true",
        help="for tests that need no other stack",
    )
    arguments = parser.parse_args()

    if arguments.local:
        use_local_cloud()
        target = ["--stage", "local", "--local"]
        interval = POLL["local"]
    else:
        target = ["--stage", "aws"]
        interval = POLL["aws"]
    try:
        with nullcontext() if arguments.without_prerequisites else prerequisites(target):
            return test(arguments.project, arguments.tests, interval)
    except subprocess.CalledProcessError:  # deploytool has printed the reason
        return 1


def use_local_cloud() -> None:
    """Point every AWS client of this process, taskcat's too, at the local cloud."""
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
    """Deploy the stacks of tests/taskcat/stacks.yaml, and destroy them at the end."""
    config = [*target, "--config", str(HERE / "deploytool.toml")]
    try:
        subprocess.run([*DEPLOYTOOL, "deploy", *config], check=True)
        yield
    finally:
        subprocess.run([*DEPLOYTOOL, "destroy", *config, "--delete-zone", "--yes"], check=True)


def test(project: Path, names: str, interval: float) -> int:
    """Create and delete the stacks of these tests. Return the exit code."""
    created: list[Resource] = []
    validation: set[str] = set()
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder, template_bucket():
        # Taskcat uploads everything below its project's folder.
        shutil.copytree(project / "infra", Path(folder) / "infra")
        suite = CFNTest.from_file(project_root=folder, input_file=str(project / ".taskcat.yml"))
        suite.printer = Watcher(interval)
        suite.test_names = names
        suite.lint_disable = True  # `make lint` has linted the templates
        suite.dont_wait_for_delete = False
        try:
            with suite as stacks:
                created = resources(stacks)
                validation = validation_names(created)
                listed = still_there(created)
                problems += [
                    f"could not be listed: {resource}"
                    for resource in listable(created)
                    if resource not in listed
                ]
        except TaskCatException as error:
            problems.append(str(error))

    delete_retained(created, validation)
    problems += [f"left behind: {resource}" for resource in still_there(created)]
    for problem in problems:
        report(problem)
    report(
        f"{len(suite.result or ())} stacks of {len(suite.config.config.tests)} tests, "
        f"{len(created)} resources, {len(problems)} problems"
    )
    return 1 if problems else 0


@contextmanager
def template_bucket() -> Iterator[None]:
    """Give taskcat a bucket for the templates, and delete it at the end.

    Taskcat 0.9.58 would create one, and at its end create and delete another one.
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
    """Return the resources of the stacks that were created."""
    created = []
    for stack in stacks:
        if stack.launch_exception:
            continue
        created += [
            Resource(resource.type, resource.physical_id, stack.region_name)
            for resource in stack.resources(refresh=True)
            if resource.physical_id
        ]
    return created


if __name__ == "__main__":
    sys.exit(main())
