"""deploytool bootstrap: what GitHub Actions needs of an account to deploy and drill a stage without
a long-lived key.
"""

from argparse import Namespace
from collections.abc import Mapping

from deploytool.commands._common import confirmed, terminal_of
from deploytool.commands._interrupts import exit_code, interrupts
from deploytool.core.errors import InputError
from deploytool.core.project.bootstrap import (
    ISSUER,
    VARIABLES,
    bootstrap_graph,
    provider_parameter,
    repository_checked,
    subjects,
)
from deploytool.core.project.config import Stage
from deploytool.core.project.graph import Graph
from deploytool.files.project import Project, load_project
from deploytool.render.run.outcome import outcome_document
from deploytool.render.run.progress import progress
from deploytool.render.terminal import Terminal
from deploytool.targets import Target, open_target
from deploytool.work.stacks.deploy import DeployOptions, deploy, find_deployed
from deploytool.work.stacks.destroy import destroy


def run(args: Namespace) -> int:
    """Deploy the roles with the caller's own credentials, or delete them; 0 when they are as
    desired.
    """
    if args.region:
        raise InputError("--region: IAM is global; the stack is in the primary region")
    terminal, project = terminal_of(args), load_project(args.config)
    stage = project.config.stage(args.stage)
    given = {} if args.destroy else _given(args)
    graph = bootstrap_graph(project.config, stage, project.bootstrap_template(), given)
    with open_target(project, local=args.local) as target:
        if args.destroy:
            return _destroy(args, terminal, target, graph)
        return _deploy(args, terminal, target, project, stage, given)


def _given(args: Namespace) -> dict[str, str]:
    """What the command line says of the parameters. Raises InputError without a repository."""
    if args.repository is None:
        raise InputError(
            "--repository: name the repository whose workflows may assume the roles, like octo-org/hello"
        )
    repository, provider = repository_checked(args.repository), args.oidc_provider_arn
    return {
        "Repository": repository,
        "Branch": args.branch,
        **({"OidcProviderArn": provider} if provider else {}),
    }


def _deploy(
    args: Namespace,
    terminal: Terminal,
    target: Target,
    project: Project,
    stage: Stage,
    given: Mapping[str, str],
) -> int:
    template = project.bootstrap_template()
    found = find_deployed(target.ports, bootstrap_graph(project.config, stage, template, given))
    outputs = next((stack.outputs for stack in found.values()), {})
    provider = provider_parameter(
        outputs, args.oidc_provider_arn, target.find_oidc_provider(ISSUER)
    )
    graph = bootstrap_graph(project.config, stage, template, {**given, "OidcProviderArn": provider})
    _announce(terminal, target, graph, given, provider)
    with (
        progress(terminal, target.ports.clock, _title(graph, target)) as emit,
        interrupts() as asked,
    ):
        outcome = deploy(
            graph, target.ports, emit, options=DeployOptions(wait=args.wait, interrupts=asked)
        )
    made = next(iter(outcome.outputs.values()), {})
    variables = {name: made[output] for name, output in VARIABLES.items() if output in made}
    settings = {"permissions_boundary": made["BoundaryName"]} if "BoundaryName" in made else {}
    document = {"environment": stage.name, "variables": variables, "settings": settings}
    terminal.document(outcome_document(outcome, emit.run_state) | document)
    if outcome.ok:
        _say(terminal, stage.name, variables, settings)
    return exit_code(outcome)


def _announce(
    terminal: Terminal, target: Target, graph: Graph, given: Mapping[str, str], provider: str
) -> None:
    """What is going to be there, before it is made."""
    [node] = graph.nodes.values()
    name, where = str(node.parameters["Stage"]), node.id.region
    terminal.note(f"Stack {node.stack_name} in {where} ({target.name}):")
    terminal.note(f"  identity provider  {provider or f'a new one for {ISSUER}'}")
    for role, allowed in subjects(given["Repository"], name, given["Branch"]).items():
        terminal.note(f"  role {role:14}{' or '.join(allowed)}")
    terminal.note(
        "  role cloudformation, as which CloudFormation acts, and the boundary of the roles that it makes"
    )


def _say(
    terminal: Terminal, stage: str, variables: Mapping[str, str], settings: Mapping[str, str]
) -> None:
    terminal.say(
        f"GitHub: set these variables of environment {stage} (AWS_PLAN_ROLE_ARN of the repository too):"
    )
    for name, value in variables.items():
        terminal.say(f"  {name}={value}")
    terminal.say(
        f"deploytool.toml: so that CloudFormation may make roles, below \\[stages.{stage}.settings]:"
    )
    for name, value in settings.items():
        terminal.say(f'  {name} = "{value}"')


def _destroy(args: Namespace, terminal: Terminal, target: Target, graph: Graph) -> int:
    [node] = graph.nodes.values()
    if find_deployed(target.ports, graph) and not args.yes:
        _ask(terminal, node.stack_name, target.name)
    with (
        progress(terminal, target.ports.clock, _title(graph, target)) as emit,
        interrupts() as asked,
    ):
        outcome = destroy(
            graph, target.ports, emit, DeployOptions(wait=args.wait, interrupts=asked)
        )
    terminal.document(outcome_document(outcome, emit.run_state))
    if outcome.ok:
        there = "delete" in outcome.done.values()
        terminal.say(
            f"{node.stack_name} is deleted."
            if there
            else f"Nothing to do: there is no stack {node.stack_name}."
        )
    return exit_code(outcome)


def _ask(terminal: Terminal, name: str, where: str) -> None:
    """Raises InputError unless the stack's name is typed."""
    terminal.note(
        f"This deletes {name} ({where}): the roles, and the identity provider if it was made here."
    )
    confirmed(terminal, "the stack's name", name, wrong="that is not its name; nothing was deleted")


def _title(graph: Graph, target: Target) -> str:
    return f"Bootstrap {graph.project}, {graph.stage}, on {target.name}"
