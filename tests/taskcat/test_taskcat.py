"""The taskcat suite: what it covers, the suite itself on a local cloud, and what it must not
pass.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploytool.core.project.template import load_yaml
from deploytool.files.project import load_project

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TESTS: dict[str, Any] = yaml.safe_load((ROOT / ".taskcat.yml").read_text())


def run_suite(*words: str, timeout: float = 100) -> subprocess.CompletedProcess[str]:
    """The suite on a private local cloud, as `make taskcat` runs it."""
    cloud = [sys.executable, "-m", "deploytool", "local", "run", "--speed", "20", "--"]
    suite = [sys.executable, str(HERE / "run.py"), "--local", *words]
    return subprocess.run(
        [*cloud, *suite], cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
    )


def small_project(folder: Path, template: dict[str, Any]) -> Path:
    """A project with one template and its test."""
    (folder / "infra").mkdir()
    (folder / "infra" / "only.yaml").write_text(yaml.safe_dump(template))
    project = {
        "project": {**TESTS["project"], "regions": ["us-west-2"]},
        "tests": {"only": {"template": "infra/only.yaml"}},
    }
    (folder / ".taskcat.yml").write_text(yaml.safe_dump(project))
    return folder


def test_every_template_has_a_test() -> None:
    """No template of infra/ is left out, and none is named that is not there; the regions are the
    project's.
    """
    templates = {path.relative_to(ROOT).as_posix() for path in (ROOT / "infra").glob("*.yaml")} - {
        "infra/stacks.yaml"
    }
    assert {test["template"] for test in TESTS["tests"].values()} == templates
    assert TESTS["project"]["regions"] == list(
        load_project(ROOT / "deploytool.toml").config.regions
    )


def test_the_prerequisites_are_for_the_same_domain() -> None:
    """The prerequisites stand in the project's regions, below its domain, so a user who changes one
    is told of the other.
    """
    project, prerequisites = (
        load_project(path / "deploytool.toml").config for path in (ROOT, HERE)
    )
    assert prerequisites.regions == project.regions
    served = {each.domain for each in project.stages.values()}
    domains = {each.domain for each in prerequisites.stages.values()}
    assert not domains & served
    assert all(domain.endswith(f".{min(served, key=len)}") for domain in domains)


def test_every_looked_up_parameter_is_written() -> None:
    """Each SSM parameter that .taskcat.yml looks up is written by a stack of the prerequisites, and
    none without need.
    """
    written = {
        resource["Properties"]["Name"]
        for name in ("names.yaml", "parameters.yaml")
        for resource in load_yaml((HERE / name).read_text(), name)["Resources"].values()
    }
    values = [
        str(value)
        for test in TESTS["tests"].values()
        for value in test.get("parameters", {}).values()
    ]
    assert {value[len("$[taskcat_ssm_") : -1] for value in values if "_ssm_" in value} == written


@pytest.mark.timeout(300)  # 20 s on two idle cores
def test_every_stack_comes_and_goes_in_both_regions() -> None:
    """Taskcat creates and deletes the stack of every test in both regions of a local cloud, and
    nothing of them is left.
    """
    done = run_suite(timeout=280)
    assert done.returncode == 0, done.stderr
    for name, test in TESTS["tests"].items():
        for region in test.get("regions", TESTS["project"]["regions"]):
            for status in ("CREATE_COMPLETE", "DELETE_COMPLETE"):
                assert f"{name:<22} {region}  {status}\n" in done.stderr


def test_a_stack_that_fails_fails_the_suite(tmp_path: Path) -> None:
    """A template that CloudFormation cannot create is said, with its reason, and the exit code is
    1.
    """
    certificate = "arn:aws:acm:us-west-2:000000000000:certificate/none"
    domain = {
        "Type": "AWS::ApiGateway::DomainName",
        "Properties": {"DomainName": "a.example.com", "CertificateArn": certificate},
    }
    done = run_suite(
        "--without-prerequisites",
        "--project",
        str(small_project(tmp_path, {"Resources": {"Domain": domain}})),
    )
    assert done.returncode == 1, done.stderr
    assert "only                   us-west-2  CREATE_FAILED" in done.stderr
    assert "certificate" in done.stderr


def test_what_is_left_behind_fails_the_suite(tmp_path: Path) -> None:
    """A resource that outlives its stack is named, and the exit code is 1."""
    bucket = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}
    done = run_suite(
        "--without-prerequisites",
        "--project",
        str(small_project(tmp_path, {"Resources": {"Bucket": bucket}})),
    )
    assert done.returncode == 1, done.stderr
    assert "left behind: AWS::S3::Bucket" in done.stderr
