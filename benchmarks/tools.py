"""deploytool and its peers: how to install each, give it the graph, and run it."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import inputs
from benchmarks.graphs import STAGE, TEN_STACKS
from deploytool.core.project.graph import Graph

SCEPTRE, CDK, AWS_CLI = "4.7.0", "2.1148.1", "1.46.3"
_DEPLOYTOOL = Path(sys.executable).parent / "deploytool"


class CannotInstall(Exception):
    """A peer that cannot be installed on this machine; the message says why."""


@dataclass(frozen=True)
class Run:
    """A command, its folder, and its variables beside those that point to the local cloud."""

    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Tool:
    """A deployer.

    `prepare` installs it if needed, writes the graph for it, and returns what to run. It gets the
    graph, the folder of the cloud, and the folder where peers are kept.
    `idle_runs` is how often its run with nothing to do is measured. `note` stands in the table.
    A `slow` tool is not waited for before the next seed. `deployed` gives the graph that the tool
    really deploys.
    """

    name: str
    label: str
    prepare: Callable[[Graph, Path, Path], Run]
    idle_runs: int
    note: str = ""
    slow: bool = False
    deployed: Callable[[Graph], Graph] = lambda graph: graph


def deploytool_run(config: Path) -> Run:
    """Return how deploytool deploys a project. The environment names its local cloud."""
    return Run(
        (str(_DEPLOYTOOL), "deploy", "--local", "--stage", STAGE, "--config", str(config)),
        config.parent,
        {},
    )


def _deploytool(_graph: Graph, _cloud: Path, _home: Path) -> Run:
    return deploytool_run(TEN_STACKS)


def _sceptre(graph: Graph, cloud: Path, home: Path) -> Run:
    bin_ = _venv(home, "sceptre", SCEPTRE)
    folder = _write(cloud.parent / "sceptre", inputs.sceptre(graph))
    return Run(
        (str(bin_ / "sceptre"), "--dir", str(folder), "launch", "--yes", inputs.SCEPTRE_GROUP),
        folder,
        {},
    )


def _cdk(graph: Graph, cloud: Path, home: Path) -> Run:
    package = home / f"cdk-{CDK}"
    cdk = package / "node_modules" / ".bin" / "cdk"
    if not cdk.exists():
        if shutil.which("npm") is None:
            raise CannotInstall("npm is not on the PATH")
        package.mkdir(parents=True, exist_ok=True)
        _install(
            [
                "npm",
                "install",
                "--prefix",
                str(package),
                "--no-audit",
                "--no-fund",
                f"aws-cdk@{CDK}",
            ],
            package,
        )
    folder = _write(cloud.parent / "cdk", inputs.cdk(graph))
    options = (
        "--app",
        str(folder),
        "--all",
        "--concurrency",
        "10",
        "--require-approval",
        "never",
        "--no-notices",
        "--progress",
        "events",
    )
    return Run(
        (str(cdk), "deploy", *options),
        folder,
        {"CI": "true", "CDK_DISABLE_VERSION_CHECK": "1", "CDK_DISABLE_CLI_TELEMETRY": "1"},
    )


def _aws_cli(name: str, *, side_by_side: bool) -> Callable[[Graph, Path, Path], Run]:
    def prepare(graph: Graph, cloud: Path, home: Path) -> Run:
        bin_ = _venv(home, "awscli", AWS_CLI)
        folder = _write(cloud.parent / name, inputs.script(graph, side_by_side=side_by_side))
        done = shlex.quote(str(cloud.parent / f"{name}-done"))
        path = f"{shlex.quote(str(bin_))}:$PATH"
        command = ("sh", "-c", f"rm -rf {done} && PATH={path} DONE={done} exec sh deploy.sh")
        return Run(command, folder, {})

    return prepare


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("deploytool", "deploytool", _deploytool, 9),
        Tool("sceptre", f"Sceptre {SCEPTRE}", _sceptre, 5),
        Tool(
            "cdk",
            f"CDK CLI {CDK}, --concurrency 10",
            _cdk,
            3,
            "11 stacks: its exports stay in a region, so each region has a zone",
            deployed=inputs.in_one_region,
        ),
        Tool(
            "script", f"AWS CLI {AWS_CLI}, side by side", _aws_cli("script", side_by_side=True), 2
        ),
        Tool(
            "awscli",
            f"AWS CLI {AWS_CLI}, stack after stack",
            _aws_cli("awscli", side_by_side=False),
            2,
            slow=True,
        ),
    )
}


def _venv(home: Path, package: str, version: str) -> Path:
    """Return the bin folder of a virtual environment with one package; create it if needed."""
    folder = home / f"{package}-{version}"
    ready = folder / "ready"
    if not ready.exists():
        _install([sys.executable, "-m", "venv", "--clear", str(folder)], home)
        pip = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        _install([*pip, f"{package}=={version}"], home)
        ready.touch()
    return folder / "bin"


def _install(command: list[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        raise CannotInstall(f"not installed: {lines[-1]}")


def _write(folder: Path, files: inputs.Files) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
