"""Judge what GitHub Actions needs: roles, identity provider, environments and variables. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from deploytool.core.doctor.finding import Finding, Topic
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.bootstrap import ISSUER, VARIABLES, check_audiences
from deploytool.core.stacks.stack import Stack

PIPELINE_PAGE = "docs/how-to/pipeline.md"
CONFIGURE = f"{PIPELINE_PAGE}, 'Configure GitHub'"
DEFAULT_API = "https://api.github.com"

# The variable of the repository; the others are those of the environments (VARIABLES).
PLAN_ROLE = "AWS_PLAN_ROLE_ARN"
PUSHED_STAGE = "DEPLOY_STAGE"
# Jobs in the environment take these. The plan of a pull request has no environment.
OF_ENVIRONMENT = tuple(name for name in VARIABLES if name != PLAN_ROLE)

# git@github.com:owner/name.git, ssh://git@github.com/owner/name, https://github.com/owner/name
_SCP_FORM = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*)")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Environment:
    """An environment of a repository: its reviewers, and whether it takes jobs of some branches."""

    has_reviewers: bool
    limits_branches: bool


class GitHub(Protocol):
    """What GitHub knows of one repository. Every method raises DeploytoolError without an answer."""

    def environment(self, name: str) -> Environment | None:
        """Return an environment, None when the repository has none of that name."""
        ...

    def variables(self, environment: str = "") -> Mapping[str, str]:
        """Return the variables of the repository, or those of an environment."""
        ...


def bootstrap_command(stage: str) -> str:
    """Return the command that creates the roles of a stage."""
    return f"deploytool bootstrap --stage {stage} --repository OWNER/REPOSITORY"


def judge_roles(stage: str, name: str, stack: Stack | None) -> Finding:
    """Judge the stack with the roles of a stage; `name` is its name in CloudFormation."""
    topic = Topic(f"roles.{stage}", f"roles of {stage}")
    command = bootstrap_command(stage)
    if stack is None:
        message = f"there is no stack {name}; only GitHub Actions needs it"
        return topic.warning(message, command)
    if stack.status.is_busy:
        return topic.warning(f"{name} is in {stack.status}", "wait until its operation has ended")
    if not stack.status.is_updatable:
        reason = f" ({stack.reason})" if stack.reason else ""
        return topic.problem(f"{name} is in {stack.status}{reason}", command)
    return topic.ok(f"{name} is in {stack.status}")


def judge_provider(arn: str | None, audiences: Collection[str], *, is_needed: bool) -> Finding:
    """Judge GitHub's identity provider; it `is_needed` when a stage has roles that trust it."""
    topic = Topic("oidc-provider", "identity provider")
    if arn is None:
        message = f"the account has none for {ISSUER}"
        hint = "deploytool bootstrap creates it: docs/how-to/bootstrap.md"
        if is_needed:
            return topic.problem(f"{message}, and the roles trust it", hint)
        return topic.warning(f"{message}; only GitHub Actions needs it", hint)
    try:
        check_audiences(arn, audiences)
    except DeploytoolError as error:
        return topic.problem(str(error), error.hint)
    return topic.ok(f"{ISSUER}, with the audience of the workflows")


def judge_environment(stage: str, environment: Environment | None) -> Finding:
    """Judge the environment in which the jobs of a stage run."""
    topic = Topic(f"github.environment.{stage}", f"environment {stage}")
    if environment is None:
        return topic.problem("it does not exist, so no job can assume a role", CONFIGURE)
    if not environment.limits_branches:
        return topic.warning(
            "it takes jobs of every branch: each of them may assume the deploy role",
            f"limit its deployment branches to main: {CONFIGURE}",
        )
    return topic.ok("exists, and takes jobs of selected branches")


def judge_approval(stage: str, environment: Environment | None, *, protected: bool) -> Finding:
    """Judge the environment whose reviewers approve a deployment of a stage."""
    name = f"{stage}-approval"
    topic = Topic(f"github.approval.{stage}", f"approval of {stage}")
    if environment is None:
        return topic.problem(
            f"there is no environment {name}, so the deploy workflow stops", CONFIGURE
        )
    if environment.has_reviewers:
        return topic.ok(f"the environment {name} has required reviewers")
    if protected:
        return topic.warning(
            f"{name} has no required reviewers: a deployment of {stage} asks nobody", CONFIGURE
        )
    return topic.ok(f"{name} has no required reviewers: a deployment asks nobody")


def judge_variables(
    stage: str,
    of_environment: Mapping[str, str],
    of_repository: Mapping[str, str],
    outputs: Mapping[str, str],
) -> Finding:
    """Judge the variables with the roles of a stage.

    `outputs` are those of the stack with the roles, empty when they are not known. A variable of the
    environment comes before one of the repository (GitHub docs, "Variables reference").
    """
    topic = Topic(f"github.variables.{stage}", f"variables of {stage}")
    values = {**of_repository, **of_environment}
    missing = [name for name in OF_ENVIRONMENT if not values.get(name)]
    if missing:
        return topic.problem(
            f"not set: {', '.join(missing)}",
            f"{CONFIGURE}; deploytool bootstrap prints them",
        )

    wrong = [
        name
        for name in OF_ENVIRONMENT
        if VARIABLES[name] in outputs and values[name] != outputs[VARIABLES[name]]
    ]
    if wrong:
        name = wrong[0]
        return topic.problem(
            f"{', '.join(wrong)}: not the roles of the stage, like {values[name]}",
            f"set {name} to {outputs[VARIABLES[name]]}",
        )
    if outputs:
        return topic.ok(f"{len(OF_ENVIRONMENT)} roles, as the bootstrap created them")
    return topic.ok(f"{len(OF_ENVIRONMENT)} roles are set")


def judge_repository(variables: Mapping[str, str], stages: Collection[str]) -> Finding:
    """Judge the variables of the repository."""
    topic = Topic("github.variables", "repository variables")
    pushed = variables.get(PUSHED_STAGE, "")
    if pushed and pushed not in stages:
        return topic.problem(
            f"{PUSHED_STAGE} is {pushed}, and the stages are {', '.join(stages)}",
            f"set {PUSHED_STAGE} to a stage of deploytool.toml: {CONFIGURE}",
        )
    lacking: list[str] = []
    if not pushed:
        lacking.append(f"no {PUSHED_STAGE}: a push deploys nothing")
    if not variables.get(PLAN_ROLE):
        lacking.append(f"no {PLAN_ROLE}: pull requests show no plan")
    if lacking:
        return topic.warning("; ".join(lacking), CONFIGURE)
    return topic.ok(f"a push deploys {pushed}, and pull requests show a plan")


def repository_of(remote: str, api: str) -> str:
    """Return OWNER/NAME of a git remote's URL, "" when it is not on the GitHub of that API.

    The API of github.com is api.github.com, and that of GitHub Enterprise Server is at its own host
    (GitHub docs, "Getting started with the REST API").
    """
    host, path = _parts_of(remote)
    api_host = urlsplit(api).hostname or ""
    expected = "github.com" if api_host == "api.github.com" else api_host
    path = path.strip("/").removesuffix(".git")
    if host.lower() != expected or not _REPOSITORY.fullmatch(path):
        return ""
    return path


def _parts_of(remote: str) -> tuple[str, str]:
    if "://" in remote:
        try:
            url = urlsplit(remote)
        except ValueError:
            return "", ""
        return url.hostname or "", url.path
    match = _SCP_FORM.fullmatch(remote)
    return (match["host"], match["path"]) if match else ("", "")
