"""Every workflow's steps, in their order, with their matrix and environment, on the local cloud."""

import json
import re
from pathlib import Path

import pytest

from deploytool.core.project.config import parse_config
from tests.workflows.actions import KNOWN
from tests.workflows.runner import Event, JobRun, Runner
from tests.workflows.workflow import Node, load_workflow

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(each.name for each in (GITHUB / "workflows").glob("*.yml"))
ROLE_NAMES = ("PLAN", "DEPLOY", "DRILL", "TASKCAT")
ROLES = {
    f"AWS_{name}_ROLE_ARN": f"arn:aws:iam::111122223333:role/{name.lower()}" for name in ROLE_NAMES
}
VARIABLES = {**ROLES, "DEPLOY_STAGE": "dev"}
OURS = {"pull_request": {"number": 7, "head": {"repo": {"full_name": "someone/api"}}}}
FORKS = {"pull_request": {"number": 8, "head": {"repo": {"full_name": "anyone/api"}}}}
# `make test` would run this very test, and the others have tests of their own: that the targets are
# there is what is left to see.
MARKERS = {
    f"make {target}": f"make --dry-run {target}" for target in ("lint", "test", "taskcat-aws")
}


def said(runs: list[JobRun]) -> str:
    return "\n".join(run.said() for run in runs)


def results(runs: list[JobRun]) -> dict[str, str]:
    return {run.title: run.result for run in runs}


def steps_of(file: str) -> list[Node]:
    return [
        step
        for job in load_workflow(GITHUB / "workflows" / file)["jobs"].values()
        for step in job["steps"]
    ]


@pytest.mark.parametrize("file", WORKFLOWS)
def test_every_step_is_what_a_laptop_can_run(file: str) -> None:
    """A `run` is one make target or one deploytool command, without any expression: values come
    through the environment.
    """
    for step in steps_of(file):
        if "run" in step:
            assert re.fullmatch(r"make [a-z-]+|deploytool [a-z]+( .*)?", step["run"]), step["run"]
            assert not re.search(r"\$\{\{|[;&|`]|\$\(", step["run"]), step["run"]


@pytest.mark.parametrize(
    "file", [*(f"workflows/{each}" for each in WORKFLOWS), "actions/setup/action.yml"]
)
def test_every_action_is_pinned_to_a_commit_that_is_known(file: str) -> None:
    """With its version beside it; one of our own comes with the commit that runs."""
    for uses in re.findall(r"uses: (.*)", (GITHUB / file).read_text()):
        name, _, pin = uses.partition("@")
        assert uses == "$/.github/actions/setup" or pin == KNOWN[name].pin


@pytest.mark.parametrize("file", WORKFLOWS)
def test_nothing_may_be_done_that_is_not_asked_for(file: str) -> None:
    """No permission at the top; each job says its own, and when it has taken too long."""
    workflow = load_workflow(GITHUB / "workflows" / file)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert "permissions" in job
        assert int(job["timeout-minutes"]) <= 60


def test_the_standby_goes_first() -> None:
    """The matrix has the project's regions, the primary last and alone; the first failure ends
    it.
    """
    regions = parse_config((ROOT / "deploytool.toml").read_text(), "deploytool.toml").regions
    strategy = load_workflow(GITHUB / "workflows" / "deploy.yml")["jobs"]["regional"]["strategy"]
    assert strategy == {
        "matrix": {"region": list(reversed(regions))},
        "max-parallel": "1",
        "fail-fast": "true",
    }


def test_a_stage_is_neither_drilled_while_it_is_deployed_nor_left_half_way() -> None:
    """Both workflows take turns on a stage, and neither is cancelled by a newer one."""
    groups = [
        load_workflow(GITHUB / "workflows" / file)["concurrency"]
        for file in ("deploy.yml", "failover-drill.yml")
    ]
    assert groups[0] == groups[1]
    assert groups[0]["cancel-in-progress"] == "false"


@pytest.mark.timeout(300)  # it takes three quarters of a minute on an idle machine with two cores
def test_a_push_is_planned_deployed_and_drilled(runner: Runner) -> None:
    """ci.yml on a pull request, deploy.yml on the merge, failover-drill.yml by hand: as a user
    goes, and every step passes.
    """
    runner.instead = {"make test": MARKERS["make test"]}
    planned = runner.run("ci.yml", Event("pull_request", variables=VARIABLES, payload=OURS))
    assert results(planned) == {"lint": "success", "test": "success", "plan": "success"}, said(
        planned
    )
    (comment,) = runner.world.comments
    assert "hosted-zone" in comment["body"]

    # It has run on the same tree just now, in ci.yml
    runner.instead["make lint"] = MARKERS["make lint"]
    deployed = runner.run("deploy.yml", Event("push", variables=VARIABLES))
    names = [
        "lint",
        "plan",
        "approve",
        "global",
        "regional us-west-2",
        "regional us-east-1",
        "records",
        "check",
    ]
    assert list(results(deployed).items()) == [(name, "success") for name in names], said(deployed)
    summaries = {run.title: run.summary for run in deployed}
    assert "| hosted-zone | us-east-1 | created |" in summaries["global"]
    assert "| lambda | us-west-2 | created |" in summaries["regional us-west-2"]
    assert "| drill-guard | us-west-2 | created |" in summaries["records"]
    assert "https://dev.example.com/v1 | 200 from us-east-1" in summaries["check"]

    inputs = {
        "stage": "dev",
        "fault": "health-check",
        "rto_seconds": "300",
        "failed_share": "1",
        "confirm": "dev.example.com",
    }
    drilled = runner.run("failover-drill.yml", Event("workflow_dispatch", inputs, VARIABLES))
    assert results(drilled) == {"drill": "success"}, said(drilled)
    (reports,) = runner.world.artifacts.values()
    assert json.loads(reports["drill.json"])["verdict"] == "pass"
    assert set(runner.world.assumed) == set(ROLES.values()) - {ROLES["AWS_TASKCAT_ROLE_ARN"]}

    refused = runner.run(
        "failover-drill.yml",
        Event("workflow_dispatch", {**inputs, "confirm": "example.com"}, VARIABLES),
    )
    assert results(refused) == {"drill": "failure"}
    outcomes = {step.name: step.outcome for step in refused[0].steps}
    assert (outcomes["drill"], outcomes["restore"]) == ("failure", "success"), said(refused)


def test_a_broken_template_fails_the_lint(runner: Runner) -> None:
    """ci.yml ends there: no plan is made."""
    api = runner.world.repository / "infra" / "api.yaml"
    api.write_text(api.read_text().replace("AWS::ApiGateway::RestApi", "AWS::ApiGateway::RestApy"))
    runner.instead = {"make test": MARKERS["make test"]}
    runs = runner.run("ci.yml", Event("pull_request", variables=VARIABLES, payload=OURS))
    assert results(runs) == {"lint": "failure", "test": "success", "plan": "skipped"}
    assert "RestApy" in said(runs)


@pytest.mark.parametrize(
    ("variables", "payload"),
    [(VARIABLES, FORKS), ({}, OURS)],
    ids=["from a fork", "in a repository without the role"],
)
def test_nothing_is_planned(
    runner: Runner, variables: dict[str, str], payload: dict[str, object]
) -> None:
    """Lint and tests run; no role is assumed and nobody comments."""
    runner.instead = MARKERS
    runs = runner.run("ci.yml", Event("pull_request", variables=variables, payload=payload))
    assert results(runs) == {"lint": "success", "test": "success", "plan": "skipped"}, said(runs)
    assert not runner.world.assumed


def test_a_plan_renews_its_comment(runner: Runner) -> None:
    """One comment a stage, however often the pull request is pushed to."""
    runner.world.comments.append({"id": 1, "body": "Looks good"})
    runner.instead = MARKERS
    for _ in range(2):
        runs = runner.run(
            "ci.yml",
            Event("pull_request", variables={**VARIABLES, "DEPLOY_STAGE": "prod"}, payload=OURS),
        )
        assert results(runs)["plan"] == "success", said(runs)
    _, ours = runner.world.comments
    assert "prod" in ours["body"]


def test_a_push_deploys_nothing_until_a_stage_is_named(runner: Runner) -> None:
    """A fork that has just been made stays quiet."""
    runs = runner.run("deploy.yml", Event("push"))
    assert {run.result for run in runs} == {"skipped"}


def test_a_region_that_fails_keeps_the_other_as_it_is(runner: Runner) -> None:
    """After the standby has failed, neither the region that serves nor anything behind it is
    touched.
    """
    steps = {step["run"] for step in steps_of("deploy.yml") if "run" in step}
    (regional,) = (step for step in steps if "--region" in step)
    runner.instead = dict.fromkeys(steps, "true") | {regional: 'test "$REGION" != us-west-2'}
    runs = runner.run("deploy.yml", Event("workflow_dispatch", {"stage": "dev"}, VARIABLES))
    assert list(results(runs).items())[4:] == [
        ("regional us-west-2", "failure"),
        ("regional us-east-1", "cancelled"),
        ("records", "skipped"),
        ("check", "skipped"),
    ]


def test_the_templates_are_tested_by_a_make_target(runner: Runner) -> None:
    """taskcat.yml calls what `make taskcat-aws` is on a laptop, under a role of its own."""
    runner.instead = MARKERS
    runs = runner.run("taskcat.yml", Event("workflow_dispatch", {"stage": "dev"}, VARIABLES))
    assert results(runs) == {"taskcat": "success"}, said(runs)
    assert runner.world.assumed == [ROLES["AWS_TASKCAT_ROLE_ARN"]]
