"""The taskcat suite: what it covers, a run on a local cloud, and the runs that must fail."""

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

REGION = TESTS["project"]["regions"][-1]  # of the tests of one template


def run_suite(*arguments: str, timeout: float = 100) -> subprocess.CompletedProcess[str]:
    """Run the suite on a private local cloud, as `make taskcat` does."""
    cloud = [sys.executable, "-m", "deploytool", "local", "run", "--speed", "20", "--"]
    suite = [sys.executable, str(HERE / "run.py"), "--local", *arguments]
    return subprocess.run(
        [*cloud, *suite], cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
    )


def small_project(folder: Path, template: dict[str, Any]) -> Path:
    """Write a project with one template and its test."""
    (folder / "infra").mkdir()
    (folder / "infra" / "only.yaml").write_text(yaml.safe_dump(template))
    project = {
        "project": {**TESTS["project"], "regions": [REGION]},
        "tests": {"only": {"template": "infra/only.yaml"}},
    }
    (folder / ".taskcat.yml").write_text(yaml.safe_dump(project))
    return folder


def test_every_template_has_a_test() -> None:
    """The tests cover exactly the templates of infra/, in the project's regions."""
    templates = {path.relative_to(ROOT).as_posix() for path in (ROOT / "infra").glob("*.yaml")} - {
        "infra/stacks.yaml"
    }
    assert {test["template"] for test in TESTS["tests"].values()} == templates
    assert TESTS["project"]["regions"] == list(
        load_project(ROOT / "deploytool.toml").config.regions
    )


def test_the_prerequisites_are_for_the_same_domain() -> None:
    """The prerequisites have the project's regions and a domain below the project's.

    A user who changes one of the two learns of the other.
    """
    project, prerequisites = (
        load_project(path / "deploytool.toml").config for path in (ROOT, HERE)
    )
    assert prerequisites.regions == project.regions
    served = {stage.domain for stage in project.stages.values()}
    domains = {stage.domain for stage in prerequisites.stages.values()}
    assert not domains & served
    assert all(domain.endswith(f".{min(served, key=len)}") for domain in domains)


def test_every_looked_up_parameter_is_written() -> None:
    """The prerequisites write exactly the SSM parameters that .taskcat.yml looks up."""
    written = {
        resource["Properties"]["Name"]
        for name in ("names.yaml", "parameters.yaml")
        for resource in load_yaml((HERE / name).read_text(), name)["Resources"].values()
        if resource["Type"] == "AWS::SSM::Parameter"
    }
    values = [
        str(value)
        for test in TESTS["tests"].values()
        for value in test.get("parameters", {}).values()
    ]
    assert {value[len("$[taskcat_ssm_") : -1] for value in values if "_ssm_" in value} == written


@pytest.mark.timeout(300)  # 20 s on two idle cores
def test_every_stack_is_created_and_deleted_in_both_regions() -> None:
    """Taskcat creates and deletes every test's stack in both regions and leaves nothing behind."""
    suite = run_suite(timeout=280)
    assert suite.returncode == 0, suite.stderr
    for name, test in TESTS["tests"].items():
        for region in test.get("regions", TESTS["project"]["regions"]):
            for status in ("CREATE_COMPLETE", "DELETE_COMPLETE"):
                assert f"{name:<22} {region}  {status}\n" in suite.stderr


def test_a_stack_that_fails_fails_the_suite(tmp_path: Path) -> None:
    """A stack that cannot be created is reported with the reason, and the exit code is 1."""
    certificate = f"arn:aws:acm:{REGION}:000000000000:certificate/none"
    domain = {
        "Type": "AWS::ApiGateway::DomainName",
        "Properties": {"DomainName": "a.example.com", "CertificateArn": certificate},
    }
    suite = run_suite(
        "--without-prerequisites",
        "--project",
        str(small_project(tmp_path, {"Resources": {"Domain": domain}})),
    )
    assert suite.returncode == 1, suite.stderr
    assert f"only                   {REGION}  CREATE_FAILED" in suite.stderr
    assert "certificate" in suite.stderr


def test_what_is_left_behind_fails_the_suite(tmp_path: Path) -> None:
    """A resource that outlives its stack is named, and the exit code is 1."""
    bucket = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}
    suite = run_suite(
        "--without-prerequisites",
        "--project",
        str(small_project(tmp_path, {"Resources": {"Bucket": bucket}})),
    )
    assert suite.returncode == 1, suite.stderr
    assert "left behind: AWS::S3::Bucket" in suite.stderr
