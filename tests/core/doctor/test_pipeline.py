"""What is said of the roles, the identity provider and the repository."""

import pytest

from deploytool.core.doctor.finding import Status
from deploytool.core.doctor.pipeline import (
    Environment,
    judge_approval,
    judge_environment,
    judge_provider,
    judge_repository,
    judge_roles,
    judge_variables,
    repository_of,
)
from deploytool.core.project.bootstrap import VARIABLES
from deploytool.core.stacks.stack import Stack, StackStatus

ARN = "arn:aws:iam::123456789012:role/deploytool/hello-dev-"
OUTPUTS = {output: f"{ARN}{output}" for output in VARIABLES.values()}
VALUES = {name: OUTPUTS[output] for name, output in VARIABLES.items()}
NAME = "Bootstrap-hello-dev"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, Status.WARNING),
        (StackStatus.CREATE_COMPLETE, Status.OK),
        (StackStatus.UPDATE_ROLLBACK_COMPLETE, Status.OK),
        (StackStatus.UPDATE_IN_PROGRESS, Status.WARNING),
        (StackStatus.ROLLBACK_COMPLETE, Status.PROBLEM),
        (StackStatus.UPDATE_ROLLBACK_FAILED, Status.PROBLEM),
    ],
)
def test_the_stack_of_the_roles(status: StackStatus | None, expected: Status) -> None:
    """It is there and complete, or the command that creates it is named."""
    stack = Stack(NAME, "id", status, {}) if status else None
    finding = judge_roles("dev", NAME, stack)
    assert finding.status is expected
    assert NAME in finding.message


@pytest.mark.parametrize(
    ("arn", "audiences", "is_needed", "status"),
    [
        ("arn:p", {"sts.amazonaws.com"}, True, Status.OK),
        ("arn:p", {"other"}, True, Status.PROBLEM),
        (None, (), False, Status.WARNING),
        (None, (), True, Status.PROBLEM),
    ],
)
def test_the_identity_provider(
    arn: str | None, audiences: set[str], is_needed: bool, status: Status
) -> None:
    """It must exist where roles trust it, and take the tokens of the workflows."""
    assert judge_provider(arn, audiences, is_needed=is_needed).status is status


def test_the_environment_of_a_stage() -> None:
    """It exists, and not every branch may use its role."""
    assert judge_environment("dev", None).status is Status.PROBLEM
    assert judge_environment("dev", Environment(False, False)).status is Status.WARNING
    assert judge_environment("dev", Environment(False, True)).status is Status.OK


@pytest.mark.parametrize(
    ("environment", "protected", "status"),
    [
        (None, False, Status.PROBLEM),
        (Environment(True, True), True, Status.OK),
        (Environment(False, True), False, Status.OK),
        (Environment(False, True), True, Status.WARNING),
    ],
)
def test_the_approval(environment: Environment | None, protected: bool, status: Status) -> None:
    """A protected stage should have reviewers; without the environment the workflow stops."""
    assert judge_approval("dev", environment, protected=protected).status is status


def test_the_variables_of_a_stage() -> None:
    """All are set, to the roles that exist. One of the repository counts too."""
    assert judge_variables("dev", VALUES, {}, OUTPUTS).status is Status.OK
    assert judge_variables("dev", {}, VALUES, {}).status is Status.OK

    missing = judge_variables("dev", {}, {}, {})
    assert missing.status is Status.PROBLEM
    assert "AWS_DEPLOY_ROLE_ARN" in missing.message
    assert "AWS_PLAN_ROLE_ARN" not in missing.message

    other = judge_variables("dev", {**VALUES, "AWS_CFN_ROLE_ARN": "arn:other"}, {}, OUTPUTS)
    assert other.status is Status.PROBLEM
    assert other.hint == f"set AWS_CFN_ROLE_ARN to {OUTPUTS['CloudFormationRoleArn']}"


def test_the_variables_of_the_repository() -> None:
    """Without them a push deploys nothing, and a pull request has no plan."""
    good = {"DEPLOY_STAGE": "dev", "AWS_PLAN_ROLE_ARN": "arn:x"}
    assert judge_repository(good, ["dev", "prod"]).status is Status.OK
    assert judge_repository({}, ["dev"]).status is Status.WARNING
    assert judge_repository({**good, "DEPLOY_STAGE": "test"}, ["dev"]).status is Status.PROBLEM


@pytest.mark.parametrize(
    ("remote", "api", "repository"),
    [
        ("git@github.com:o/r.git", "https://api.github.com", "o/r"),
        ("https://github.com/o/r", "https://api.github.com", "o/r"),
        ("https://user@github.com/o/r.git/", "https://api.github.com", "o/r"),
        ("ssh://git@github.com/o/r.git", "https://api.github.com", "o/r"),
        ("git@git.corp.example:o/r.git", "https://git.corp.example/api/v3", "o/r"),
        # The token of one host is not sent to ask about a repository of another
        ("git@gitlab.com:o/r.git", "https://api.github.com", ""),
        ("git@github.com:o/r.git", "https://git.corp.example/api/v3", ""),
        ("/srv/git/r.git", "https://api.github.com", ""),
        ("https://[::1/o/r", "https://api.github.com", ""),
        ("https://github.com/o/r/s", "https://api.github.com", ""),
        ("", "https://api.github.com", ""),
    ],
)
def test_the_repository_of_a_remote(remote: str, api: str, repository: str) -> None:
    """Every form of git's addresses, on the host of the API alone."""
    assert repository_of(remote, api) == repository
