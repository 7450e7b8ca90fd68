"""Every workflow's steps, in their order, with their matrix and environment, on the local cloud."""

import json
import re
from pathlib import Path

import pytest

from deploytool.core.stacks.lease import LEASE_SECONDS
from deploytool.work.drill.faults import FAULTS
from deploytool.work.drill.faults.edge import EdgeFault
from tests.workflows.actions import KNOWN
from tests.workflows.conftest import PRIMARY, SECONDARY
from tests.workflows.runner import Event, JobRun, Runner
from tests.workflows.workflow import Node, load_workflow

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(path.name for path in (GITHUB / "workflows").glob("*.yml"))
ROLE_NAMES = ("PLAN", "DEPLOY", "DRILL", "FAILOVER", "TASKCAT")
ROLES = {
    f"AWS_{name}_ROLE_ARN": f"arn:aws:iam::111122223333:role/{name.lower()}" for name in ROLE_NAMES
}
VARIABLES = {**ROLES, "DEPLOY_STAGE": "dev"}
OURS = {"pull_request": {"number": 7, "head": {"repo": {"full_name": "someone/api"}}}}
FORKS = {"pull_request": {"number": 8, "head": {"repo": {"full_name": "anyone/api"}}}}
# `make test` would run this very test, `make lint` runs beside it, the templates have tests of their own,
# and a release needs PyPI and GitHub. What remains to be tested is that the targets exist.
TARGETS = ("lint", "test", "audit", "dist", "sbom", "release")
TESTS = "pytest failover_tests"
LINT = "deploytool lint"
TASKCAT = "python tests/taskcat/run.py"
DRY_RUNS = {f"make {target}": f"make --dry-run {target}" for target in TARGETS} | {
    TESTS: f"{TESTS} --collect-only -q",
    TASKCAT: f"{TASKCAT} --help",
    # Two seconds of a processor; test_a_broken_template_fails_the_lint and others run it
    LINT: f"{LINT} --help",
}
# What a step may run: what a user can type on a laptop
COMMAND = re.compile(
    r"make [a-z-]+|deploytool [a-z]+( .*)?|pytest failover_tests|python tests/\S+|uv pip .*"
)


def output_of(runs: list[JobRun]) -> str:
    return "\n".join(run.output() for run in runs)


def results(runs: list[JobRun]) -> dict[str, str]:
    return {run.title: run.result for run in runs}


def steps_of(file: str) -> list[Node]:
    return [
        step
        for job in load_workflow(GITHUB / "workflows" / file)["jobs"].values()
        for step in job["steps"]
    ]


@pytest.mark.parametrize("file", WORKFLOWS)
def test_every_step_can_run_on_a_laptop(file: str) -> None:
    """A `run` is one command without an expression.

    Values come from the environment.
    """
    for step in steps_of(file):
        if "run" in step:
            assert COMMAND.fullmatch(step["run"]), step["run"]
            assert not re.search(r"\$\{\{|[;&|`]|\$\(", step["run"]), step["run"]


@pytest.mark.parametrize(
    "file", [*(f"workflows/{name}" for name in WORKFLOWS), "actions/setup/action.yml"]
)
def test_every_action_is_pinned_to_a_known_commit(file: str) -> None:
    """A comment names the version. Our own action has no pin: it is of the commit that runs."""
    for uses in re.findall(r"uses: (.*)", (GITHUB / file).read_text()):
        name, _, pin = uses.partition("@")
        assert uses == "$/.github/actions/setup" or pin == KNOWN[name].pin


@pytest.mark.parametrize("file", WORKFLOWS)
def test_each_job_declares_its_permissions_and_its_timeout(file: str) -> None:
    """The workflow itself has no permission."""
    workflow = load_workflow(GITHUB / "workflows" / file)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert "permissions" in job
        assert int(job["timeout-minutes"]) <= 60


def test_the_regions_are_deployed_one_at_a_time() -> None:
    """The matrix has those of deploytool.toml, and ends at the first failure."""
    strategy = load_workflow(GITHUB / "workflows" / "deploy.yml")["jobs"]["region"]["strategy"]
    assert strategy == {
        "matrix": "${{ fromJSON(needs.plan.outputs.matrix) }}",
        "max-parallel": "1",
        "fail-fast": "true",
    }


@pytest.mark.parametrize("file", sorted({*WORKFLOWS} - {"tool.yml", "audit.yml", "release.yml"}))
def test_no_workflow_of_a_project_names_a_region(file: str) -> None:
    """Regions stand in deploytool.toml only."""
    assert not re.search(r"\b[a-z]{2}-[a-z]+-\d\b", (GITHUB / "workflows" / file).read_text())


@pytest.mark.parametrize("file", ["deploy.yml", "failover-drill.yml", "failover.yml"])
def test_a_workflow_can_be_called_with_the_inputs_of_a_run_by_hand(file: str) -> None:
    """`workflow_call` knows no environments and no choices: these are texts there."""
    starts = load_workflow(GITHUB / "workflows" / file)["on"]
    by_hand, called = starts["workflow_dispatch"]["inputs"], starts["workflow_call"]["inputs"]
    assert by_hand.keys() == called.keys()
    for name, declaration in called.items():
        assert declaration["type"] == "string"
        for key in ("description", "required", "default"):
            assert declaration.get(key) == by_hand[name].get(key)


def test_a_deployment_and_a_drill_of_a_stage_wait_for_each_other() -> None:
    """Both workflows share a concurrency group, and neither is cancelled by a newer run."""
    groups = [
        load_workflow(GITHUB / "workflows" / file)["concurrency"]
        for file in ("deploy.yml", "failover-drill.yml")
    ]
    assert groups[0] == groups[1]
    assert groups[0]["cancel-in-progress"] == "false"


@pytest.mark.timeout(300)  # 40 s on two idle cores
def test_a_push_is_planned_deployed_and_drilled(own_project: Runner) -> None:
    """Every step of ci.yml, then deploy.yml, then failover-drill.yml passes in a user's project."""
    runner = own_project
    runner.instead = DRY_RUNS
    planned = runner.run("ci.yml", Event("pull_request", variables=VARIABLES, payload=OURS))
    assert results(planned) == {"lint": "success", "test": "success", "plan": "success"}, output_of(
        planned
    )
    (comment,) = runner.world.comments
    assert "hosted-zone" in comment["body"]

    deployed = runner.run("deploy.yml", Event("push", variables=VARIABLES))
    names = ["plan", "approve", "region eu-central-1", "region eu-west-1", "proof"]
    assert list(results(deployed).items()) == [(name, "success") for name in names], output_of(
        deployed
    )
    summaries = {run.title: run.summary for run in deployed}
    assert "| hosted-zone | eu-west-1 | created |" in summaries["region eu-central-1"]
    assert "| lambda | eu-central-1 | created |" in summaries["region eu-central-1"]
    assert "| lambda | eu-west-1 | created |" in summaries["region eu-west-1"]
    assert "| drill-guard | eu-central-1 | created |" in summaries["proof"]
    assert "https://dev.acme.example/v1 | 200 from eu-west-1" in summaries["proof"]
    (proof,) = runner.world.artifacts.values()
    report = json.loads(proof["drill.json"])
    assert (report["verdict"], report["fault"], report["restored"]) == (
        "pass",
        "health-check",
        True,
    )
    assert report["served_by"]["during"] == "eu-central-1"

    inputs = {
        "stage": "dev",
        "fault": "health-check",
        "rto_seconds": "300",
        "failed_share": "1",
        "confirm": "dev.acme.example",
    }
    drilled = runner.run("failover-drill.yml", Event("workflow_dispatch", inputs, VARIABLES))
    assert results(drilled) == {"drill": "success"}, output_of(drilled)
    _, reports = runner.world.artifacts.values()
    assert json.loads(reports["drill.json"])["verdict"] == "pass"

    moved = runner.run("failover.yml", movement("failover", "dev"))
    assert results(moved) == {"move": "success"}, output_of(moved)
    assert "eu-central-1" in moved[0].summary
    returned = runner.run("failover.yml", movement("failback", "dev"))
    assert results(returned) == {"move": "success"}, output_of(returned)
    assert "eu-west-1" in returned[0].summary
    assert set(runner.world.assumed) == set(ROLES.values()) - {ROLES["AWS_TASKCAT_ROLE_ARN"]}

    refused = runner.run(
        "failover-drill.yml",
        Event("workflow_dispatch", {**inputs, "confirm": "other.example.com"}, VARIABLES),
    )
    assert results(refused) == {"drill": "failure"}
    outcomes = {step.name: step.outcome for step in refused[0].steps}
    assert (outcomes["drill"], outcomes["restore"]) == ("failure", "success"), output_of(refused)


def movement(direction: str, stage: str, domain: str = "") -> Event:
    """Return what starts failover.yml by hand."""
    inputs = {"stage": stage, "direction": direction, "reason": "a test", "domain": domain}
    return Event("workflow_dispatch", inputs, VARIABLES)


@pytest.mark.parametrize("direction", ["failover", "failback"])
def test_a_movement_runs_one_command_with_what_was_typed(runner: Runner, direction: str) -> None:
    """The step of the other direction is skipped. An exit code of 4 fails the job and is shown."""
    commands = {
        step["run"].split()[1]: step["run"] for step in steps_of("failover.yml") if "run" in step
    }
    assert set(commands) == {"failover", "failback"}
    check = 'test "$STAGE/$REASON/$DOMAIN" = "prod/a test/example.com" && exit 4'
    runner.instead = dict.fromkeys(commands.values(), "true") | {commands[direction]: check}
    runs = runner.run("failover.yml", movement(direction, "prod", "example.com"))
    assert results(runs) == {"move": "failure"}
    outcomes = [step.outcome for step in runs[0].steps[-2:]]
    assert sorted(outcomes) == ["failure", "skipped"]
    assert runner.world.assumed == [ROLES["AWS_FAILOVER_ROLE_ARN"]]


def test_a_movement_needs_the_secondary_region_alone() -> None:
    """The job assumes its role by that region's STS, waits for no other workflow, has no matrix."""
    workflow = load_workflow(GITHUB / "workflows" / "failover.yml")
    [job] = workflow["jobs"].values()
    [credentials] = [step for step in job["steps"] if "aws-actions" in step.get("uses", "")]
    assert credentials["with"]["aws-region"] == "${{ steps.setup.outputs.secondary }}"
    assert "strategy" not in job
    others = {
        load_workflow(GITHUB / "workflows" / file)["concurrency"]["group"]
        for file in ("deploy.yml", "failover-drill.yml")
    }
    assert workflow["concurrency"]["group"] not in others


def test_a_drill_offers_every_fault_that_aws_has() -> None:
    """The choices are the command's faults without those of the local cloud's edges."""
    inputs = load_workflow(GITHUB / "workflows" / "failover-drill.yml")["on"]["workflow_dispatch"]
    on_aws = {fault.name for fault in FAULTS if not issubclass(fault, EdgeFault)}
    assert set(inputs["inputs"]["fault"]["options"]) == on_aws


def test_a_broken_template_fails_the_lint(runner: Runner) -> None:
    """No plan is made after a failed lint."""
    api = runner.world.repository / "infra" / "api.yaml"
    api.write_text(api.read_text().replace("AWS::ApiGateway::RestApi", "AWS::ApiGateway::RestApy"))
    runner.instead = DRY_RUNS | {LINT: LINT}
    runs = runner.run("ci.yml", Event("pull_request", variables=VARIABLES, payload=OURS))
    assert results(runs) == {"lint": "failure", "test": "success", "plan": "skipped"}
    assert "RestApy" in output_of(runs)


@pytest.mark.parametrize(
    ("variables", "payload"),
    [(VARIABLES, FORKS), ({}, OURS)],
    ids=["from a fork", "in a repository without the role"],
)
def test_nothing_is_planned(
    runner: Runner, variables: dict[str, str], payload: dict[str, object]
) -> None:
    """Lint and tests run, and no role is assumed."""
    runner.instead = DRY_RUNS
    runs = runner.run("ci.yml", Event("pull_request", variables=variables, payload=payload))
    assert results(runs) == {"lint": "success", "test": "success", "plan": "skipped"}, output_of(
        runs
    )
    assert not runner.world.assumed


def test_a_plan_updates_its_comment(runner: Runner) -> None:
    """A stage has one comment, however often the pull request changes."""
    runner.world.comments.append({"id": 1, "body": "Looks good"})
    runner.instead = DRY_RUNS
    for _ in range(2):
        runs = runner.run(
            "ci.yml",
            Event("pull_request", variables={**VARIABLES, "DEPLOY_STAGE": "prod"}, payload=OURS),
        )
        assert results(runs)["plan"] == "success", output_of(runs)
    _, ours = runner.world.comments
    assert "prod" in ours["body"]


def test_a_push_deploys_nothing_until_a_stage_is_named(runner: Runner) -> None:
    """The workflow of a new fork is skipped."""
    runs = runner.run("deploy.yml", Event("push"))
    assert {run.result for run in runs} == {"skipped"}


def test_a_failed_region_leaves_the_other_unchanged(runner: Runner) -> None:
    """After a failure in the secondary, the primary and all later jobs do not run."""
    steps = {step["run"] for step in steps_of("deploy.yml") if "run" in step}
    (regional,) = (step for step in steps if "--region" in step)
    runner.instead = dict.fromkeys(steps, "true") | {regional: f'test "$REGION" != {SECONDARY}'}
    runs = runner.run("deploy.yml", Event("workflow_dispatch", {"stage": "dev"}, VARIABLES))
    assert list(results(runs).items())[2:] == [
        (f"region {SECONDARY}", "failure"),
        (f"region {PRIMARY}", "cancelled"),
        ("proof", "skipped"),
    ]


def test_a_protected_stage_is_deployed_without_a_drill(runner: Runner) -> None:
    """A person types its domain: failover-drill.yml."""
    runner.instead = only_looking()
    runner.world.environments["prod-approval"] = ["required_reviewers"]
    runs = runner.run("deploy.yml", Event("workflow_dispatch", {"stage": "prod"}, VARIABLES))
    assert set(results(runs).values()) == {"success"}, output_of(runs)
    outcomes = {step.name: step.outcome for step in runs[-1].steps}
    assert outcomes["make the primary fail, see traffic move, restore"] == "skipped"
    assert outcomes["restore"] == "skipped"
    assert ROLES["AWS_DRILL_ROLE_ARN"] not in runner.world.assumed


def test_a_failed_drill_fails_the_deployment_and_is_restored(runner: Runner) -> None:
    """The stage serves the new version, and the run says that its failover is not proved."""
    drill = next(step["run"] for step in steps_of("deploy.yml") if step.get("id") == "drill")
    runner.instead = only_looking() | {drill: "exit 1"}
    runs = runner.run("deploy.yml", Event("workflow_dispatch", {"stage": "dev"}, VARIABLES))
    assert results(runs)["proof"] == "failure"
    outcomes = {step.name: step.outcome for step in runs[-1].steps}
    assert outcomes["restore"] == "success"


def only_looking() -> dict[str, str]:
    """Replace every command of deploy.yml by one that does nothing."""
    commands = [step["run"] for step in steps_of("deploy.yml") if "run" in step]
    return dict.fromkeys(commands, "true")


def test_nothing_is_deployed_without_the_environment_of_the_approval(runner: Runner) -> None:
    """GitHub would create it without reviewers, so that nobody would be asked.

    Source: GitHub docs, "Managing environments for deployment" (a workflow that references an
    environment that does not exist creates it).
    """
    runner.instead = only_looking()
    runner.world.environments.clear()
    runs = runner.run("deploy.yml", Event("workflow_dispatch", {"stage": "dev"}, VARIABLES))
    assert results(runs)["plan"] == "failure"
    assert set(results(runs).values()) == {"failure", "skipped"}
    assert "There is no environment dev-approval. Create it first" in runner.world.notes[0]
    assert not runner.world.assumed


def test_an_approval_without_reviewers_is_told(runner: Runner) -> None:
    """It is a choice for a stage that nobody has to approve, and is said in each run."""
    runner.instead = only_looking()
    runner.world.environments["dev-approval"] = ["branch_policy"]
    runs = runner.run("deploy.yml", Event("workflow_dispatch", {"stage": "dev"}, VARIABLES))
    assert set(results(runs).values()) == {"success"}, output_of(runs)
    assert "dev-approval has no required reviewers" in runner.world.notes[0]


def test_a_deployment_waits_for_the_lease_of_a_killed_run() -> None:
    """A machine that dies leaves a lease, which holds for two minutes."""
    commands = [step["run"] for step in steps_of("deploy.yml") if "run" in step]
    deployments = [command for command in commands if command.startswith("deploytool deploy ")]
    assert len(deployments) == 3
    for command in deployments:
        waits = re.search(r" --wait (\d+)$", command)
        assert waits, command
        assert float(waits[1]) > LEASE_SECONDS


def test_the_templates_are_tested_with_a_role_of_its_own(runner: Runner) -> None:
    """taskcat.yml runs what `make taskcat-aws` runs."""
    runner.instead = DRY_RUNS
    runs = runner.run("taskcat.yml", Event("workflow_dispatch", {"stage": "dev"}, VARIABLES))
    assert results(runs) == {"taskcat": "success"}, output_of(runs)
    assert runner.world.assumed == [ROLES["AWS_TASKCAT_ROLE_ARN"]]
