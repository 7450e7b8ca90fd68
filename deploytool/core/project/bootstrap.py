"""The stack that GitHub Actions needs in an account, as a graph of its own. Pure."""

import re
from collections.abc import Collection, Mapping

from deploytool.core.errors import DeploytoolError, InputError, InputProblem
from deploytool.core.project.config import Config, Stage
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.project.limits import value_problem
from deploytool.core.project.template import Template

TEMPLATE = "github-oidc.yaml"  # beside the graph file
STACK = "github-oidc"

# The audience of the tokens with which the workflows assume the roles.
AUDIENCE = "sts.amazonaws.com"
# GitHub's issuer of tokens for workflows. IAM names its identity provider after it.
ISSUER = "token.actions.githubusercontent.com"

# A repository: OWNER/NAME, or OWNER@ID/NAME@ID. GitHub takes letters, digits and hyphens in the
# name of an owner, and dots and underscores too in that of a repository. The name of a managed user
# ends in an underscore and the short code of its enterprise (GitHub docs, "Username considerations
# for external authentication"). The ids are in the tokens
# of every repository that was created or renamed since 15 July 2026 (GitHub changelog, "Immutable
# subject claims").
REPOSITORY = re.compile(
    r"[A-Za-z0-9_-]{1,39}(@\d+/[A-Za-z0-9._-]{1,100}@\d+|/[A-Za-z0-9._-]{1,100})"
)

# Variable of the workflows -> output of the stack that gives its value.
VARIABLES = {
    "AWS_PLAN_ROLE_ARN": "PlanRoleArn",
    "AWS_DEPLOY_ROLE_ARN": "DeployRoleArn",
    "AWS_DRILL_ROLE_ARN": "DrillRoleArn",
    "AWS_FAILOVER_ROLE_ARN": "FailoverRoleArn",
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
            f"--repository {text}: must be OWNER/REPOSITORY,"
            " or with the ids that its tokens carry OWNER@ID/REPOSITORY@ID",
            hint="docs/how-to/bootstrap.md tells which one to use",
        )
    return text


def bootstrap_graph(
    config: Config, stage: Stage, template: Template, given: Mapping[str, str]
) -> Graph:
    """Return the graph for a stage; `given` are the parameters that do not follow from the stage.

    It is a stage of its own, so that its lease and its list of unknown stacks are separate from
    those of the stage that it serves. Raises InputError with each bad value.
    """
    parameters = {
        "Project": config.project,
        "Stage": stage.name,
        "DomainName": stage.domain,
        "PrimaryRegion": config.primary,
        "SecondaryRegion": config.secondary,
        **given,
    }
    problems: list[InputProblem] = []
    for name, value in parameters.items():
        problem = value_problem(template.document["Parameters"][name], value)
        if problem:
            message = f"'{value}' is not valid: {problem}"
            problems.append(InputProblem(TEMPLATE, f"Parameters.{name}", message))
    if problems:
        raise InputError(problems)

    # IAM is global. The stack is in the primary region because it must be in some region.
    node_id = NodeId(STACK, config.primary)
    node = Node(node_id, stack_name(config, stage), template, template.document, parameters, ())
    # A stage's name has no hyphen, so this is no stage of the configuration.
    name = f"{stage.name}-github"
    return Graph(
        config.project, name, {node_id: node}, {}, {}, regions=config.regions, tags=stage.tags
    )


def provider_parameter(outputs: Mapping[str, str], given: str | None, existing: str | None) -> str:
    """Return the ARN of the identity provider to use; empty to create one in the stack.

    `outputs` are those of the deployed stack, `given` is the user's choice, and `existing` the
    provider that the account has.
    """
    # With an ARN, a stack that created the provider would delete it.
    if outputs.get("ProviderMadeHere") == "true":
        return ""
    if given is not None:
        return given
    return existing or ""


def check_audiences(arn: str, audiences: Collection[str]) -> None:
    """Raise DeploytoolError when a provider refuses the tokens of the workflows.

    A provider takes tokens for the audiences in its list alone. aws-actions/configure-aws-credentials
    asks GitHub for a token for sts.amazonaws.com (GitHub docs, "Configuring OpenID Connect in Amazon
    Web Services").
    """
    if AUDIENCE in audiences:
        return
    listed = ", ".join(sorted(audiences)) or "none"
    raise DeploytoolError(
        f"the identity provider {arn} does not take tokens for {AUDIENCE} (its audiences: {listed}),"
        " so no workflow could assume a role",
        hint="aws iam add-client-id-to-open-id-connect-provider"
        f" --open-id-connect-provider-arn {arn} --client-id {AUDIENCE}",
    )


def subjects(repository: str, stage: str, branch: str) -> dict[str, tuple[str, ...]]:
    """Return for each role the values of `sub` with which a token can assume it.

    The template's trust policies have the same values; this is what `bootstrap` shows.
    """
    pull_request = f"repo:{repository}:pull_request"
    on_branch = f"repo:{repository}:ref:refs/heads/{branch}"
    environment = f"repo:{repository}:environment:{stage}"
    return {
        "plan": (pull_request, on_branch),
        "deploy": (environment,),
        "drill": (environment,),
        "failover": (environment,),
    }
