"""deploytool bootstrap: create the roles with which GitHub Actions deploys and drills a stage.

The workflows need no long-lived key.
"""

from collections.abc import Mapping
from dataclasses import replace

from deploytool.commands._announcement import announce, telling_if_offline
from deploytool.commands._confirmation import confirm
from deploytool.commands._context import terminal_of
from deploytool.commands._interrupts import exit_code, interrupts
from deploytool.commands._permissions import Granting, granting, write_granted
from deploytool.commands.arguments.bootstrap import BootstrapArguments
from deploytool.core.errors import InputError
from deploytool.core.permissions.grants import Grants
from deploytool.core.permissions.policy import actions_of
from deploytool.core.project.bootstrap import (
    ISSUER,
    VARIABLES,
    bootstrap_graph,
    check_audiences,
    provider_parameter,
    repository_checked,
    subjects,
)
from deploytool.core.project.config import Stage
from deploytool.core.project.graph import Graph
from deploytool.core.project.own_permissions import with_permissions
from deploytool.core.project.policy_limits import check_limits
from deploytool.core.project.template import Template
from deploytool.files.project import Project, load_project
from deploytool.render.permissions import policy_text
from deploytool.render.run.outcome import outcome_document
from deploytool.render.run.progress import progress
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.targets.factory import open_target
from deploytool.targets.target import Target
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.destroy import destroy
from deploytool.work.stacks.run import DeployOptions, find_deployed


def run(arguments: BootstrapArguments) -> int:
    """Deploy the roles with the caller's own credentials, or delete them, or show what is added.

    Return 0 when they are as asked for.
    """
    if arguments.regions:
        raise InputError("--region: IAM is global; the stack is in the primary region")
    terminal, project = terminal_of(arguments), load_project(arguments.config)
    if arguments.show:
        return _show(terminal, project, arguments.stage)
    stage = project.config.stage(arguments.stage)
    # Validated before the target is opened
    parameters = {} if arguments.destroy else _parameters(arguments)
    template, grants = project.bootstrap_template(), Grants((), ())
    if not arguments.destroy:
        template, grants = _with_grants(terminal, project, stage.name)
    graph = bootstrap_graph(project.config, stage, template, parameters)

    with (
        open_target(project, local=arguments.local) as target,
        telling_if_offline(terminal, target),
    ):
        announce(terminal, target, project.config.regions)
        if arguments.destroy:
            return _destroy(arguments, terminal, target, graph)
        code = _deploy(arguments, terminal, target, project, stage, template, parameters)

    # Not before: the file says what a role has.
    if code == 0 and write_granted(project, grants):
        terminal.note(f"{project.granted_path} holds what was granted: commit it.")
    return code


def _show(terminal: Terminal, project: Project, stage: str | None) -> int:
    """Print the statements that are added to the roles. Calls no AWS API."""
    own = project.own_permissions()
    granted = granting(project, own, stage)
    grants = granted.grants
    terminal.document(
        {
            "granted": list(grants.statements),
            "cloudformation": list(own.role),
            "boundary": list(own.boundary),
            "withheld": [str(need.permission) for need in grants.withheld],
            "warnings": list(granted.warnings),
        }
    )
    text = policy_text(own, grants)
    terminal.note("The roles of github-oidc.yaml" + (", and:" if text else " need nothing more."))
    if text:
        terminal.say(escape(text))
    _warn(terminal, granted)
    return 0


def _with_grants(terminal: Terminal, project: Project, stage: str) -> tuple[Template, Grants]:
    """Return the template with the project's own permissions, and what is granted among them."""
    own = project.own_permissions()
    granted = granting(project, own, stage)
    grants = granted.grants
    for statement in grants.statements:
        actions = ", ".join(actions_of(statement))
        terminal.note(escape(f"  granted to CloudFormation's role: {actions}"))
    _warn(terminal, granted)
    whole = replace(own, granted=grants.statements)
    known = {
        "AWS::Partition": "aws",
        "AWS::AccountId": "0" * 12,
        "Project": project.config.project,
        "Stage": stage,
        "DomainName": project.config.stage(stage).domain,
        "PrimaryRegion": project.config.primary,
        "SecondaryRegion": project.config.secondary,
    }
    check_limits(project.bootstrap_template(), whole, known)
    return with_permissions(project.bootstrap_template(), whole), grants


def _warn(terminal: Terminal, granted: Granting) -> None:
    """Print what the roles lack although bootstrap grants what it can, and what it cannot know."""
    for line in granted.warnings:
        terminal.note(f"[yellow]![/] {escape(line)}")


def _parameters(arguments: BootstrapArguments) -> dict[str, str]:
    """Return the template's parameters. Raises InputError without a valid repository."""
    if arguments.repository is None:
        raise InputError(
            "--repository: name the repository whose workflows may assume the roles,"
            " like octo-org/hello"
        )
    parameters = {
        "Repository": repository_checked(arguments.repository),
        "Branch": arguments.branch,
    }
    if arguments.oidc_provider_arn:
        parameters["OidcProviderArn"] = arguments.oidc_provider_arn
    return parameters


def _deploy(
    arguments: BootstrapArguments,
    terminal: Terminal,
    target: Target,
    project: Project,
    stage: Stage,
    template: Template,
    parameters: Mapping[str, str],
) -> int:
    # An account has one identity provider for GitHub, so the stack must use one that exists. This
    # graph finds the deployed stack; the one below has the provider as a parameter.
    graph = bootstrap_graph(project.config, stage, template, parameters)
    deployed = find_deployed(target.ports, graph)
    outputs = next((stack.outputs for stack in deployed.values()), {})
    existing = target.find_oidc_provider(ISSUER)
    provider = provider_parameter(outputs, arguments.oidc_provider_arn, existing)
    if provider:
        check_audiences(provider, target.oidc_audiences(provider))
    parameters = {**parameters, "OidcProviderArn": provider}
    graph = bootstrap_graph(project.config, stage, template, parameters)

    _announce(terminal, target, graph, parameters, provider)
    with (
        progress(terminal, target.ports.clock, _title(graph, target)) as emit,
        interrupts() as signals,
    ):
        options = DeployOptions(wait=arguments.wait, interrupts=signals)
        outcome = deploy(graph, target.ports, emit, options=options)

    outputs = next(iter(outcome.outputs.values()), {})
    variables = {name: outputs[output] for name, output in VARIABLES.items() if output in outputs}
    settings = {}
    if "BoundaryName" in outputs:
        settings["permissions_boundary"] = outputs["BoundaryName"]
    document = {"environment": stage.name, "variables": variables, "settings": settings}
    terminal.document(outcome_document(outcome, emit.run_state) | document)
    if outcome.ok:
        _print_variables(terminal, stage.name, variables, settings)
    return exit_code(outcome)


def _announce(
    terminal: Terminal, target: Target, graph: Graph, parameters: Mapping[str, str], provider: str
) -> None:
    """Print what the stack will contain."""
    [node] = graph.nodes.values()
    stage = str(node.parameters["Stage"])
    terminal.note(f"Stack {node.stack_name} in {node.id.region} ({target.name}):")
    terminal.note(f"  identity provider  {provider or f'a new one for {ISSUER}'}")
    roles = subjects(parameters["Repository"], stage, parameters["Branch"])
    for role, allowed in roles.items():
        terminal.note(f"  role {role:14}{' or '.join(allowed)}")
    terminal.note("  role cloudformation, which CloudFormation assumes")
    terminal.note("  permissions boundary of the roles that CloudFormation creates")


def _print_variables(
    terminal: Terminal, stage: str, variables: Mapping[str, str], settings: Mapping[str, str]
) -> None:
    terminal.say(
        f"Set these variables in the GitHub environment {stage}"
        " (AWS_PLAN_ROLE_ARN in the repository too):"
    )
    for name, value in variables.items():
        terminal.say(f"  {name}={value}")
    terminal.say(
        "Add this to deploytool.toml, so that CloudFormation may create roles,"
        f" below \\[stages.{stage}.settings]:"
    )
    for name, value in settings.items():
        terminal.say(f'  {name} = "{value}"')


def _destroy(
    arguments: BootstrapArguments, terminal: Terminal, target: Target, graph: Graph
) -> int:
    [node] = graph.nodes.values()
    if find_deployed(target.ports, graph) and not arguments.yes:
        _confirm(terminal, node.stack_name, target.name)
    with (
        progress(terminal, target.ports.clock, _title(graph, target)) as emit,
        interrupts() as signals,
    ):
        options = DeployOptions(wait=arguments.wait, interrupts=signals)
        outcome = destroy(graph, target.ports, emit, options)

    terminal.document(outcome_document(outcome, emit.run_state))
    if outcome.ok and "delete" in outcome.done.values():
        terminal.say(f"{node.stack_name} is deleted.")
    elif outcome.ok:
        terminal.say(f"Nothing to do: there is no stack {node.stack_name}.")
    return exit_code(outcome)


def _confirm(terminal: Terminal, stack_name: str, target: str) -> None:
    """Ask for the stack's name. Raises InputError unless it is typed."""
    terminal.note(
        f"This deletes {stack_name} ({target}): the roles,"
        " and the identity provider if this stack created it."
    )
    confirm(
        terminal,
        "the stack's name",
        stack_name,
        wrong="that is not its name; nothing was deleted",
    )


def _title(graph: Graph, target: Target) -> str:
    return f"Bootstrap {graph.project}, {graph.stage}, on {target.name}"
