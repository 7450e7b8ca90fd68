"""The part of GitHub's runner that our workflows use: jobs in order, a matrix, conditions; each job
on a new machine.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.workflows.actions import KNOWN, Job, World
from tests.workflows.expressions import Evaluator, Scope
from tests.workflows.workflow import (
    Node,
    combinations,
    in_order,
    load_action,
    load_workflow,
    needs_of,
)

# As GitHub's runner calls them
SHELLS = {"": ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}
KEPT = (
    "HOME",
    "PATH",
    "LANG",
    "PIP_CONFIG_FILE",
    "TMPDIR",
    "MYPY_CACHE_DIR",
)  # of this process's environment: nothing of AWS or of deploytool


@dataclass(frozen=True)
class Event:
    """What started a workflow. `variables` are the repository's and the environment's; `payload`
    the event's.
    """

    name: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """A step that ran, or was skipped, and what it said."""

    name: str
    outcome: str
    said: str = ""


@dataclass
class JobRun:
    """A job that ended: success, failure, skipped or cancelled."""

    name: str
    result: str
    matrix: Mapping[str, str] = field(default_factory=dict)
    steps: list[Ran] = field(default_factory=list)
    summary: str = ""

    @property
    def title(self) -> str:
        return " ".join([self.name, *self.matrix.values()])

    def said(self) -> str:
        return "\n".join(
            f"[{self.title}: {step.name}: {step.outcome}]\n{step.said}" for step in self.steps
        )


@dataclass
class Runner:
    """Runs workflows of the repository in `world`. A `run` step that is a key of `instead` runs
    that command.
    """

    world: World
    evaluator: Evaluator
    scratch: Path
    instead: Mapping[str, str] = field(default_factory=dict)
    machines: int = 0

    def run(self, file: str, event: Event) -> list[JobRun]:
        """Run a workflow; its jobs as they ended, in the order in which they ran."""
        workflow = load_workflow(self.world.repository / ".github" / "workflows" / file)
        contexts = self._contexts(workflow, event)
        runs: list[JobRun] = []
        results: dict[str, str] = {}
        for name, job in in_order(workflow["jobs"]):
            needs = needs_of(job)
            status = "success" if all(results[each] == "success" for each in needs) else "failure"
            scope = Scope(
                {**contexts, "needs": {each: {"result": results[each]} for each in needs}},
                status,
                self.scratch,
            )
            holds = self.evaluator.holds(job.get("if", ""), scope)
            ended = (
                self._matrix(workflow, name, job, scope, event)
                if holds
                else [JobRun(name, "skipped")]
            )
            results[name] = next(
                (each.result for each in ended if each.result != "success"), "success"
            )
            runs += ended
        return runs

    def _contexts(self, workflow: Node, event: Event) -> dict[str, Any]:
        trigger = workflow["on"][event.name]
        declared = trigger.get("inputs", {}) if isinstance(trigger, Mapping) else {}
        assert event.inputs.keys() <= declared.keys(), "there is no such input"
        inputs = {
            name: event.inputs.get(name, each.get("default", "")) for name, each in declared.items()
        }
        for name, each in declared.items():
            assert inputs[name] or each.get("required") != "true", f"the input {name} is required"
            assert inputs[name] in each.get("options", [inputs[name]]), (
                f"the input {name} has no such choice"
            )
        github = {
            "event_name": event.name,
            "event": event.payload,
            "repository": "someone/api",
            "ref": "refs/heads/main",
        }
        github |= {"run_id": str(self.machines), "run_attempt": "1"}
        return {
            "github": github,
            "vars": event.variables,
            "inputs": inputs,
            "matrix": {},
            "env": {},
        }

    def _matrix(
        self, workflow: Node, name: str, job: Node, scope: Scope, event: Event
    ) -> list[JobRun]:
        """One after the other; after a failure the rest is cancelled, as `fail-fast` has it."""
        runs: list[JobRun] = []
        matrix = combinations(job)
        assert len(matrix) == 1 or job["strategy"].get("max-parallel") == "1", (
            "this runner has one machine at a time"
        )
        for combination in matrix:
            if (
                any(run.result == "failure" for run in runs)
                and job["strategy"].get("fail-fast") != "false"
            ):
                runs.append(JobRun(name, "cancelled", combination))
            else:
                within = Scope({**scope.contexts, "matrix": combination}, "success", self.scratch)
                runs.append(
                    self._job(workflow, JobRun(name, "success", combination), job, within, event)
                )
        return runs

    def _job(self, workflow: Node, run: JobRun, job: Node, scope: Scope, event: Event) -> JobRun:
        self.machines += 1
        machine = self.scratch / str(self.machines)
        workspace = machine / "workspace"
        workspace.mkdir(parents=True)
        base = {name: os.environ[name] for name in KEPT if name in os.environ}
        base |= {"GITHUB_ACTIONS": "true", "CI": "true", "AWS_EC2_METADATA_DISABLED": "true"}
        for file in ("GITHUB_PATH", "GITHUB_STEP_SUMMARY"):
            base[file] = str(machine / file)
            (machine / file).touch()
        environment = {
            **{
                name: self.evaluator.text(value, scope)
                for name, value in workflow.get("env", {}).items()
            },
            **{
                name: self.evaluator.text(value, scope)
                for name, value in job.get("env", {}).items()
            },
        }
        here = Job(
            workspace,
            job.get("permissions", workflow["permissions"]),
            {**base, **environment},
            event.payload,
        )
        contexts = {**scope.contexts, "env": environment}
        self._steps(run, job["steps"], here, contexts)
        run.summary = (machine / "GITHUB_STEP_SUMMARY").read_text()
        return run

    def _steps(
        self, run: JobRun, steps: Sequence[Node], job: Job, contexts: Mapping[str, Any]
    ) -> None:
        for step in steps:
            name = step.get("name") or step.get("uses") or step["run"]
            scope = Scope(contexts, run.result, job.workspace)
            if not self.evaluator.holds(step.get("if", ""), scope):
                run.steps.append(Ran(name, "skipped"))
            elif step.get("uses", "").startswith("$/"):
                self._steps(
                    run,
                    load_action(self.world.repository / step["uses"].removeprefix("$/")),
                    job,
                    contexts,
                )
            else:
                more = {
                    key: self.evaluator.text(value, scope)
                    for key, value in step.get("env", {}).items()
                }
                ran = (
                    self._uses(name, step, job, scope)
                    if "uses" in step
                    else self._run(name, step, job, scope, more)
                )
                run.steps.append(ran)
                if ran.outcome == "failure":
                    run.result = "failure"

    def _uses(self, name: str, step: Node, job: Job, scope: Scope) -> Ran:
        action = KNOWN[step["uses"].partition("@")[0]]
        inputs = {
            key: self.evaluator.text(value, scope) for key, value in step.get("with", {}).items()
        }
        assert inputs.keys() == action.inputs, f"{step['uses']} is given {', '.join(inputs)}"
        try:
            action.effect(job, self.world, inputs)
        except AssertionError as error:
            return Ran(name, "failure", str(error))
        return Ran(name, "success")

    def _run(self, name: str, step: Node, job: Job, scope: Scope, more: Mapping[str, str]) -> Ran:
        assert "${{" not in step["run"], f"an expression inside a script: {step['run']}"
        script = job.workspace.parent / "script.sh"
        script.write_text(self.instead.get(step["run"].strip(), step["run"]))
        environment = {
            key: value for key, value in {**job.environment, **more}.items() if value is not None
        }
        added = reversed(Path(environment["GITHUB_PATH"]).read_text().splitlines())
        environment["PATH"] = os.pathsep.join([*added, environment["PATH"]])
        command = [*SHELLS[step.get("shell", "")], str(script)]
        done = subprocess.run(
            command,
            cwd=job.workspace,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return Ran(name, "failure" if done.returncode else "success", done.stdout)
