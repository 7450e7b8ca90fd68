"""The part of GitHub's runner that our workflows use: ordered jobs, a matrix and conditions.

Each job runs on a new machine.
"""

import json
import os
import re
import subprocess
from collections.abc import Collection, Mapping, Sequence
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

# The commands with which GitHub's runner starts each shell
SHELLS = {"": ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}
# The variables of this process that a job gets: none of AWS or of deploytool
KEPT = ("HOME", "PATH", "LANG", "PIP_CONFIG_FILE", "TMPDIR")


@dataclass(frozen=True)
class Event:
    """The event that starts a workflow.

    `variables` are those of the repository and the environment.
    """

    name: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """A step that ran or was skipped, with its output."""

    name: str
    outcome: str
    output: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass
class JobRun:
    """A job that ended: success, failure, skipped or cancelled."""

    name: str
    result: str
    matrix: Mapping[str, str] = field(default_factory=dict)
    steps: list[Ran] = field(default_factory=list)
    summary: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return " ".join([self.name, *self.matrix.values()])

    def output(self) -> str:
        return "\n".join(
            f"[{self.title}: {step.name}: {step.outcome}]\n{step.output}" for step in self.steps
        )


@dataclass
class Runner:
    """Runs workflows of the repository in `world`. A `run` step that is a key of `instead` runs
    that command. `installed` are the names of the steps whose effect the machine has already.
    """

    world: World
    evaluator: Evaluator
    scratch: Path
    instead: Mapping[str, str] = field(default_factory=dict)
    installed: Collection[str] = ()
    machines: int = 0

    def run(self, file: str, event: Event) -> list[JobRun]:
        """Run a workflow. Return its jobs in the order in which they ran."""
        workflow = load_workflow(self.world.repository / ".github" / "workflows" / file)
        contexts = self._contexts(workflow, event)
        runs: list[JobRun] = []
        results: dict[str, str] = {}
        outputs: dict[str, Mapping[str, str]] = {}
        for name, job in in_order(workflow["jobs"]):
            needs = needs_of(job)
            results_of_needs = {
                need: {"result": results[need], "outputs": outputs[need]} for need in needs
            }
            all_succeeded = all(results[need] == "success" for need in needs)
            scope = Scope(
                {**contexts, "needs": results_of_needs},
                "success" if all_succeeded else "failure",
                self.scratch,
            )

            job_runs = [JobRun(name, "skipped")]
            if self.evaluator.holds(job.get("if", ""), scope):
                job_runs = self._matrix(workflow, name, job, scope, event)
            results[name] = _result_of(job_runs)
            outputs[name] = job_runs[-1].outputs
            runs += job_runs
        return runs

    def _contexts(self, workflow: Node, event: Event) -> dict[str, Any]:
        trigger = workflow["on"][event.name]
        declared = trigger.get("inputs", {}) if isinstance(trigger, Mapping) else {}
        assert event.inputs.keys() <= declared.keys(), "there is no such input"
        inputs = {}
        for name, declaration in declared.items():
            value = event.inputs.get(name, declaration.get("default", ""))
            assert value or declaration.get("required") != "true", f"the input {name} is required"
            choices = declaration.get("options", [value])
            assert value in choices, f"the input {name} has no such choice"
            inputs[name] = value

        github = {
            "event_name": event.name,
            "event": event.payload,
            "repository": "someone/api",
            "ref": "refs/heads/main",
            "run_id": str(self.machines),
            "run_attempt": "1",
        }
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
        """Run a job's combinations in order. After a failure, `fail-fast` cancels the rest."""
        runs: list[JobRun] = []
        matrix = combinations(self._matrix_of(job, scope))
        assert len(matrix) == 1 or job["strategy"].get("max-parallel") == "1", (
            "this runner has one machine at a time"
        )

        for combination in matrix:
            failed = any(run.result == "failure" for run in runs)
            if failed and job["strategy"].get("fail-fast") != "false":
                runs.append(JobRun(name, "cancelled", combination))
                continue
            inner = Scope({**scope.contexts, "matrix": combination}, "success", self.scratch)
            run = JobRun(name, "success", combination)
            runs.append(self._job(workflow, run, job, inner, event))
        return runs

    def _matrix_of(self, job: Node, scope: Scope) -> Node:
        """Return the matrix of a job, which may come from a job before it."""
        matrix = job.get("strategy", {}).get("matrix", {})
        if not isinstance(matrix, str):
            return matrix
        inner = re.fullmatch(r"\$\{\{ fromJSON\((.*)\) \}\}", matrix)
        assert inner, matrix
        document: Node = json.loads(self.evaluator.text(f"${{{{ {inner[1]} }}}}", scope))
        return document

    def _job(self, workflow: Node, run: JobRun, job: Node, scope: Scope, event: Event) -> JobRun:
        self.machines += 1
        machine = self.scratch / str(self.machines)
        workspace = machine / "workspace"
        workspace.mkdir(parents=True)
        base = {name: os.environ[name] for name in KEPT if name in os.environ}
        base |= {"GITHUB_ACTIONS": "true", "CI": "true", "AWS_EC2_METADATA_DISABLED": "true"}
        for file in ("GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
            base[file] = str(machine / file)
            (machine / file).touch()

        environment = self._texts(workflow.get("env", {}), scope)
        environment |= self._texts(job.get("env", {}), scope)
        permissions = job.get("permissions", workflow["permissions"])
        running = Job(workspace, permissions, {**base, **environment}, event.payload)
        contexts = {**scope.contexts, "env": environment}
        contexts = self._steps(run, job["steps"], running, contexts)
        run.outputs = self._texts(job.get("outputs", {}), Scope(contexts, run.result, workspace))
        run.summary = (machine / "GITHUB_STEP_SUMMARY").read_text()
        return run

    def _steps(
        self, run: JobRun, steps: Sequence[Node], job: Job, contexts: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Run steps; return the contexts with the outcomes and the outputs of those with an id."""
        done: dict[str, Any] = {}
        contexts = {**contexts, "steps": done}
        for step in steps:
            name = step.get("name") or step.get("uses") or step["run"]
            scope = Scope(contexts, run.result, job.workspace)
            if not self.evaluator.holds(step.get("if", ""), scope):
                run.steps.append(Ran(name, "skipped"))
                if "id" in step:
                    done[step["id"]] = {"outcome": "skipped", "outputs": {}}
                continue
            if step.get("uses", "").startswith("$/"):
                outputs = self._composite(run, step, job, scope)
                if "id" in step:
                    done[step["id"]] = {"outcome": run.result, "outputs": outputs}
                continue

            if "uses" in step:
                ran = self._uses(name, step, job, scope)
            else:
                ran = self._run(name, step, job, scope)
            run.steps.append(ran)
            if "id" in step:
                done[step["id"]] = {"outcome": ran.outcome, "outputs": ran.outputs}
            if ran.outcome == "failure":
                run.result = "failure"
        return contexts

    def _composite(self, run: JobRun, step: Node, job: Job, scope: Scope) -> dict[str, str]:
        """Run our own action; return its outputs."""
        action = load_action(self.world.repository / step["uses"].removeprefix("$/"))
        given = self._texts(step.get("with", {}), scope)
        declared = action.get("inputs", {})
        assert given.keys() <= declared.keys(), f"the action has no such input: {given}"
        inputs = {name: given.get(name, each.get("default", "")) for name, each in declared.items()}
        inner = {**scope.contexts, "inputs": inputs}
        inner = dict(self._steps(run, action["runs"]["steps"], job, inner))
        values = {name: each["value"] for name, each in action.get("outputs", {}).items()}
        return self._texts(values, Scope(inner, run.result, job.workspace))

    def _texts(self, values: Mapping[str, str], scope: Scope) -> dict[str, str]:
        """Return the values with their expressions evaluated."""
        return {name: self.evaluator.text(value, scope) for name, value in values.items()}

    def _uses(self, name: str, step: Node, job: Job, scope: Scope) -> Ran:
        action = KNOWN[step["uses"].partition("@")[0]]
        inputs = self._texts(step.get("with", {}), scope)
        assert inputs.keys() == action.inputs, f"{step['uses']} is given {', '.join(inputs)}"
        try:
            action.effect(job, self.world, inputs)
        except AssertionError as error:
            return Ran(name, "failure", str(error))
        return Ran(name, "success")

    def _run(self, name: str, step: Node, job: Job, scope: Scope) -> Ran:
        assert "${{" not in step["run"], f"an expression inside a script: {step['run']}"
        script = job.workspace.parent / "script.sh"
        command = "true" if name in self.installed else step["run"]
        script.write_text(self.instead.get(command.strip(), command))
        outputs = job.workspace.parent / "GITHUB_OUTPUT"
        outputs.write_text("")

        variables = {**job.environment, **self._texts(step.get("env", {}), scope)}
        environment = {name: value for name, value in variables.items() if value is not None}
        # A folder that was added last comes first on the path.
        added = reversed(Path(environment["GITHUB_PATH"]).read_text().splitlines())
        environment["PATH"] = os.pathsep.join([*added, environment["PATH"]])

        process = subprocess.run(
            [*SHELLS[step.get("shell", "")], str(script)],
            cwd=job.workspace,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        lines = (line.partition("=") for line in outputs.read_text().splitlines())
        return Ran(
            name,
            "failure" if process.returncode else "success",
            process.stdout,
            {key: value for key, _, value in lines},
        )


def _result_of(runs: Sequence[JobRun]) -> str:
    """Return the first result of a job's combinations that is not success."""
    for run in runs:
        if run.result != "success":
            return run.result
    return "success"
