"""The stack that GitHub Actions needs in an account, as a graph of its own. Pure."""

import re
from collections.abc import Mapping

from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.config import Config, Stage
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.project.limits import value_problem
from deploytool.core.project.template import Template

TEMPLATE = "github-oidc.yaml"  # beside the graph file
STACK = "github-oidc"
ISSUER = "token.actions.githubusercontent.com"
# GitHub's names: of an owner letters, digits and hyphens; of a repository dots and underscores too.
# The ids are in the tokens of every repository that was created or renamed since 15 July 2026
# (GitHub changelog, "Immutable subject claims").
REPOSITORY = re.compile(
    r"[A-Za-z0-9-]{1,39}(@\d+/[A-Za-z0-9._-]{1,100}@\d+|/[A-Za-z0-9._-]{1,100})"
)
VARIABLES = {
    "AWS_PLAN_ROLE_ARN": "PlanRoleArn",
    "AWS_DEPLOY_ROLE_ARN": "DeployRoleArn",
    "AWS_DRILL_ROLE_ARN": "DrillRoleArn",
    "AWS_CFN_ROLE_ARN": "CloudFormationRoleArn",
}


def stack_name(config: Config, stage: Stage) -> str:
    """Return the stack's name.

    It starts in upper case, which no project's name does, so that the patterns in the roles of a
    stage do not match it.
    """
    return f"Bootstrap-{config.project}-{stage.name}"


def repository_checked(text: str) -> str:
    """Return the repository as its tokens name it. Raises InputError when it is not valid."""
    if not REPOSITORY.fullmatch(text):
        raise InputError(
            f"--repository {text}: must be OWNER/REPOSITORY, or with the ids that its tokens carry OWNER@ID/REPOSITORY@ID",
            hint="docs/how-to/bootstrap.md tells which one to use",
        )
    return text


def bootstrap_graph(
    config: Config, stage: Stage, template: Template, given: Mapping[str, str]
) -> Graph:
    """Return the graph for a stage; `given` are the parameters that do not follow from the stage.

    It is a stage of its own, so that its lease and its list of unknown stacks are separate from those
    of the stage that it serves. Raises InputError with each bad value.
    """
    parameters = {
        "Project": config.project,
        "Stage": stage.name,
        "DomainName": stage.domain,
        "PrimaryRegion": config.primary,
        "SecondaryRegion": config.secondary,
        **given,
    }
    problems = [
        InputProblem(TEMPLATE, f"Parameters.{name}", f"'{value}' is not valid: {problem}")
        for name, value in parameters.items()
        if (problem := value_problem(template.document["Parameters"][name], value))
    ]
    if problems:
        raise InputError(problems)
    node_id = NodeId(STACK, config.primary)
    node = Node(node_id, stack_name(config, stage), template, template.document, parameters, ())
    return Graph(
        config.project, f"{stage.name}-github", {node_id: node}, {}, {}, regions=config.regions
    )


def provider_parameter(outputs: Mapping[str, str], given: str | None, found: str | None) -> str:
    """Return the ARN of the provider to use; empty to create one.

    `outputs` are those of the deployed stack, and `found` is the provider that the account has. A
    stack that created the provider keeps it, whatever is given: with an ARN it would delete it.
    """
    if outputs.get("ProviderMadeHere") == "true":
        return ""
    return (found if given is None else given) or ""


def subjects(repository: str, stage: str, branch: str) -> dict[str, tuple[str, ...]]:
    """Return for each role the values of `sub` with which a token can assume it."""
    of_environment = (f"repo:{repository}:environment:{stage}",)
    of_plan = (f"repo:{repository}:pull_request", f"repo:{repository}:ref:refs/heads/{branch}")
    return {"plan": of_plan, "deploy": of_environment, "drill": of_environment}
