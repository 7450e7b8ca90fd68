"""A workflow file as data. A key that the runner of these tests does not know is an error."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import yaml

Node = Mapping[str, Any]

WORKFLOW = {"name", "on", "permissions", "concurrency", "env", "jobs"}
JOB = {
    "name",
    "if",
    "needs",
    "runs-on",
    "timeout-minutes",
    "environment",
    "permissions",
    "env",
    "outputs",
    "strategy",
    "steps",
}
STRATEGY = {"matrix", "max-parallel", "fail-fast"}
STEP = {"name", "id", "if", "uses", "with", "run", "shell", "env"}
ACTION = {"name", "description", "inputs", "outputs", "runs"}
RUNS = {"using", "steps"}


def _known(node: Node, keys: set[str], where: str) -> None:
    if unknown := node.keys() - keys:
        raise NotImplementedError(f"{where}: {', '.join(sorted(unknown))}")


def load(path: Path) -> Node:
    """Load a YAML file with every scalar as text, so that `on` and `1.10` stay as they are."""
    document: Node = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    return document


def load_workflow(path: Path) -> Node:
    """Load a workflow. Raises NotImplementedError for a key that the runner does not know."""
    workflow = load(path)
    _known(workflow, WORKFLOW, path.name)
    for name, job in workflow["jobs"].items():
        where = f"{path.name}, job {name}"
        _known(job, JOB, where)
        _known(job.get("strategy", {}), STRATEGY, where)
        _steps(job["steps"], where)
    return workflow


def load_action(folder: Path) -> Node:
    """Return a composite action."""
    action = load(folder / "action.yml")
    _known(action, ACTION, folder.name)
    _known(action["runs"], RUNS, folder.name)
    assert action["runs"]["using"] == "composite", folder.name
    _steps(action["runs"]["steps"], folder.name)
    return action


def _steps(steps: Sequence[Node], where: str) -> None:
    for step in steps:
        _known(step, STEP, where)
        assert ("run" in step) != ("uses" in step), f"{where}: {step}"


def in_order(jobs: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    """Yield each job after the jobs that it needs."""
    done: set[str] = set()
    while len(done) < len(jobs):
        ready = [
            name
            for name, job in jobs.items()
            if name not in done and done.issuperset(needs_of(job))
        ]
        assert ready, "jobs need one another in a circle"
        for name in ready:
            yield name, jobs[name]
        done.update(ready)


def needs_of(job: Node) -> Sequence[str]:
    """Return the names of the jobs that a job needs."""
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else needs


def combinations(matrix: Node) -> Sequence[Mapping[str, str]]:
    """Return a matrix's combinations in the order of its lists; one empty one without a matrix."""
    _known(matrix, matrix.keys() - {"include", "exclude"}, "matrix")
    return [dict(zip(matrix, values, strict=True)) for values in product(*matrix.values())]
