"""Deploying again: only what has changed is deployed, and destroy leaves only the hosted zone."""

import json
import shlex
from typing import Any


def actions(done: Any) -> dict[str, str]:
    """Return the action of each stack (STACK@REGION), from the JSON of a deployment."""
    return {f"{stack['stack']}@{stack['region']}": stack["action"] for stack in done.json["stacks"]}


def updated(done: Any) -> set[str]:
    """Return the stacks that a deployment updated."""
    return {name for name, action in actions(done).items() if action == "update"}


def test_a_second_deployment_changes_nothing_and_reports_that(deployed: Any) -> None:
    """Every stack is unchanged, and the text says that there is nothing to do."""
    done = deployed.deploytool("deploy", "--output", "json")
    assert set(actions(done).values()) == {"unchanged"}
    again = deployed.deploytool("deploy")
    assert "Nothing to do" in again.out


def test_new_code_redeploys_only_the_function(deployed: Any) -> None:
    """Both regions' lambda stacks are updated, and the API answers with the new version."""
    handler = deployed.folder / "lambda" / "api" / "handler.py"
    before = deployed.deploytool("check", "--output", "json").json["version"]
    handler.write_text(handler.read_text() + "\n# changed\n")

    done = deployed.deploytool("deploy", "--output", "json")
    assert done.code == 0, done.err
    assert updated(done) == {"lambda@us-east-1", "lambda@us-west-2"}
    assert deployed.deploytool("check", "--output", "json").json["version"] != before


def test_a_changed_method_reaches_the_stage(deployed: Any) -> None:
    """An API Gateway deployment is a snapshot, so its logical id changes with the templates."""
    template = deployed.folder / "infra" / "api.yaml"
    before = deployed.deploytool("outputs", "--output", "json").json["lambda"]
    template.write_text(
        template.read_text().replace("Resources:", "Metadata: {Changed: true}\nResources:", 1)
    )
    done = deployed.deploytool("deploy", "--output", "json")
    assert done.code == 0, done.err
    assert {"lambda@us-east-1", "lambda@us-west-2"} <= updated(done)
    assert deployed.deploytool("outputs", "--output", "json").json["lambda"] == before
    assert deployed.deploytool("check").code == 0


def test_a_health_check_deleted_by_hand_comes_back_as_the_hint_says(
    deployed: Any, clients: Any
) -> None:
    """The stage serves, but no failover could happen: `check` is red until the hint is followed."""
    listed = clients.aws("route53", "list-health-checks")["HealthChecks"]
    [calculated] = [
        check["Id"] for check in listed if check["HealthCheckConfig"]["Type"] == "CALCULATED"
    ]
    clients.aws_quietly("route53", "delete-health-check", "--health-check-id", calculated)

    red = deployed.deploytool("check", "--output", "json")
    assert red.code == 1
    assert red.json["failover"]["ready"] is False
    assert red.json["served_by"] == "us-east-1"
    delete, deploy = red.json["hint"].removeprefix("to create it again: ").split(", then ")

    _, *words = shlex.split(delete)
    clients.aws_quietly(*words)
    place = words[words.index("--region") :]
    clients.aws_quietly("cloudformation", "wait", "stack-delete-complete", *place)
    _, *words = shlex.split(deploy)
    done = deployed.deploytool(*words, "--output", "json")
    assert actions(done)["failover-check@us-east-1"] == "create"
    assert updated(done) == {"record-set@us-east-1"}
    assert deployed.deploytool("check", "--output", "json").json["failover"]["ready"] is True


def test_destroy_leaves_only_the_zone(deployed: Any) -> None:
    """Without --yes nothing is deleted. With it every stack is, and a second run does nothing."""
    refused = deployed.deploytool("destroy")
    assert refused.code == 2
    assert "--yes" in refused.err

    done = deployed.deploytool("destroy", "--yes", "--output", "json")
    assert done.code == 0, done.err
    # Stacks that the stage does not use were not deployed
    assert set(actions(done).values()) - {"not there"} == {"delete"}
    assert "Nothing to do" in deployed.deploytool("destroy", "--yes").out

    # The zone still exists, so a second one is not created beside it.
    again = deployed.deploytool("deploy", "--stack", "hosted-zone")
    assert again.code == 2, again.err
    assert "retained when that stack was deleted" in again.err
    assert 'zone = "existing"' in again.err

    assert deployed.deploytool("destroy", "--yes", "--delete-zone").code == 0
    plan = json.loads(deployed.deploytool("plan", "--output", "json").out)
    assert plan["steps"][0]["action"] == "create"
