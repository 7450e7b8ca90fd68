"""Stand-ins for the third-party actions that our workflows use: inputs, permissions, effects."""

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass
class Job:
    """A running job on a machine of its own.

    `environment` has the variables of its steps; None stands for a variable that is unset.
    """

    workspace: Path
    permissions: Mapping[str, str]
    environment: dict[str, str | None]
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class World:
    """What outlives a job: repository, the cloud's credentials, a pull request's comments, artifacts.

    `assumed` lists the roles that were assumed, `notes` what scripts said. `environments` are those
    of the repository that jobs look for, each with the types of its protection rules.
    """

    repository: Path
    check_out: Callable[[Path], None]
    credentials: Mapping[str, str | None]
    comments: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[str, dict[str, str]] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    environments: dict[str, list[str]] = field(
        default_factory=lambda: {"dev-approval": ["required_reviewers"]}
    )


Inputs = Mapping[str, str]


def _checkout(job: Job, world: World, inputs: Inputs) -> None:
    assert job.permissions.get("contents") == "read", (
        "a private repository can be read with this permission only"
    )
    assert inputs.get("persist-credentials") == "false", "the token would stay in the folder"
    world.check_out(job.workspace)


def _setup_uv(job: Job, world: World, inputs: Inputs) -> None:
    """Use the Python and the environment of this machine."""
    del world
    assert any(job.workspace.glob(inputs["cache-dependency-glob"]))


def _configure_aws_credentials(job: Job, world: World, inputs: Inputs) -> None:
    """Set the local cloud's credentials and target in place of a role's credentials."""
    assert job.permissions.get("id-token") == "write", (
        "there is no identity token to assume a role with"
    )
    assert inputs["role-to-assume"], "no role is named: is the variable set?"
    world.assumed.append(inputs["role-to-assume"])
    job.environment.update(world.credentials)


def _upload_artifact(job: Job, world: World, inputs: Inputs) -> None:
    folder = job.workspace / inputs["path"]
    files = {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert files or inputs["if-no-files-found"] == "ignore", f"no file in {folder}"
    assert inputs["name"] not in world.artifacts, "there is an artifact of this name"
    world.artifacts[inputs["name"]] = files


def _github_script(job: Job, world: World, inputs: Inputs) -> None:
    request = {
        "script": inputs["script"],
        "payload": job.payload,
        "comments": world.comments,
        "environments": world.environments,
    }
    environment = {name: value for name, value in job.environment.items() if value is not None}
    process = subprocess.run(
        ["node", HERE / "script.mjs"],
        cwd=job.workspace,
        env=environment,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    answer = json.loads(process.stdout)
    world.notes += [*answer["notes"], *answer["failures"]]
    if "getEnvironment" in inputs["script"]:
        assert job.permissions.get("actions") == "read", "the token may not see environments"
    assert not answer["failures"], answer["failures"]
    comments = answer["comments"]
    assert comments == world.comments or job.permissions.get("pull-requests") == "write", (
        "the token may not comment"
    )
    world.comments[:] = comments


@dataclass(frozen=True)
class Action:
    """An action: its pinned commit, the inputs that are required here, and its effect."""

    pin: str
    inputs: frozenset[str]
    effect: Callable[[Job, World, Inputs], None]


def _pinned(pin: str, *inputs: str, effect: Callable[[Job, World, Inputs], None]) -> Action:
    return Action(pin, frozenset(inputs), effect)


KNOWN = {
    "actions/checkout": _pinned(
        "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "persist-credentials", effect=_checkout
    ),
    "astral-sh/setup-uv": _pinned(
        "c771a70e6277c0a99b617c7a806ffedaca235ff9 # v9.0.0",
        "python-version",
        "enable-cache",
        "cache-dependency-glob",
        effect=_setup_uv,
    ),
    "aws-actions/configure-aws-credentials": _pinned(
        "e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3",
        "role-to-assume",
        "aws-region",
        effect=_configure_aws_credentials,
    ),
    "actions/upload-artifact": _pinned(
        "043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1",
        "name",
        "path",
        "if-no-files-found",
        effect=_upload_artifact,
    ),
    "actions/github-script": _pinned(
        "3a2844b7e9c422d3c10d287c895573f7108da1b3 # v9.0.0", "script", effect=_github_script
    ),
}
