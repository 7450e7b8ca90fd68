"""What the commands start with: the project, the stage's graph, the selected stacks, the target."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deploytool.aws.limits import PATIENT, Limits
from deploytool.commands._announcement import announce, telling_if_offline, warn_of_endpoint
from deploytool.commands.arguments.base import Arguments, StageArguments, default_config
from deploytool.core.errors import InputError, InputProblem, suggestion
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.transforms import only_on_aws
from deploytool.files.builds import Building
from deploytool.files.project import Project, load_project
from deploytool.render.advice import options_of_run
from deploytool.render.left_out import left_out_lines
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.targets.factory import open_target
from deploytool.targets.service import look_up
from deploytool.targets.target import Target

ROLE = "AWS_CFN_ROLE_ARN"
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}")


@dataclass(frozen=True)
class CommandContext:
    """What a command works with: a stage of a project on a target. `regions` are the selected."""

    terminal: Terminal
    project: Project
    graph: Graph
    target: Target
    regions: tuple[str, ...]

    @property
    def domain(self) -> str:
        """The domain of the stage."""
        return self.project.config.stage(self.graph.stage).domain

    def title(self, action: str) -> str:
        """Return the heading under which the result of a run is kept."""
        project = self.project.config.project
        return f"{action} {project}, stage {self.graph.stage}, on {self.target.name}"


@contextmanager
def open_context(
    arguments: StageArguments,
    *,
    role_arn: str = "",
    limits: Limits = PATIENT,
    looks_up: bool = True,
    builds: bool = False,
    changes: bool = False,
) -> Iterator[CommandContext]:
    """Read and validate every file before the first call to AWS, then open the target.

    CloudFormation assumes `role_arn` when it changes stacks; empty means the caller's permissions.
    `limits` say how long calls to AWS wait: `aws.limits` has those for a quick and those for a
    patient command. A command that does not need the values of settings that a stage leaves out,
    such as the id of an existing hosted zone, sets `looks_up` to False: it needs no API for them.
    With `builds` the artifacts are read and built; other commands do not need what is in them. A command that
    `changes` something says first who calls, and where. Raises InputError.
    """
    terminal = terminal_of(arguments)

    def say(line: str) -> None:
        terminal.note(f"[dim]{escape(line)}[/]")

    project = load_project(arguments.config, Building(builds, arguments.local, say, reads=builds))
    graph = project.graph(arguments.stage)
    if builds and arguments.local:
        refuse_macros(graph)
    regions = selected_regions(arguments, graph)

    # Only the target can look up what the stage leaves out, such as the id of an existing hosted
    # zone; the graph is then built again with it

    with (
        open_target(project, local=arguments.local, role_arn=role_arn, limits=limits) as target,
        telling_if_offline(terminal, target),
    ):
        if changes:
            announce(terminal, target, project.config.regions, role_arn)
        else:
            warn_of_endpoint(terminal, target, project.config.regions)
        if target.left_out:
            Terminal.about = {"name": target.name, "left_out": list(target.left_out)}
        settings = look_up(project, arguments.stage, target) if looks_up else {}
        if settings:
            graph = project.graph(arguments.stage, settings)
        try:
            yield CommandContext(terminal, project, graph, target, regions)
        finally:
            # At the end of every run, also of one that failed: the reader of a result must know
            for line in left_out_lines(graph, target.left_out):
                terminal.note(line)


def refuse_macros(graph: Graph) -> None:
    """Raise InputError when a template of the stage needs what the local cloud cannot apply."""
    problems: set[InputProblem] = set()
    for node in graph.nodes.values():
        for name in only_on_aws(node.template.document):
            message = f"the local cloud cannot apply {name}, which works on AWS only"
            problems.add(InputProblem(node.template.file, "Transform", message))
    if problems:
        raise InputError(sorted(problems), hint="leave the stack out with a `when` of this stage")


def terminal_of(arguments: Arguments) -> Terminal:
    """Return the terminal that prints as the arguments ask for, and advises commands like this one."""
    if isinstance(arguments, StageArguments):
        Terminal.options = options_of_run(
            local=arguments.local, config=arguments.config, default_config=default_config()
        )
    return Terminal(json=arguments.output == "json", color=not arguments.no_color)


def service_role(argument: str | None) -> str:
    """Return the service role of --role-arn, else of AWS_CFN_ROLE_ARN, else "".

    Raises InputError when it is not the ARN of a role.
    """
    if argument is None:
        # GitHub gives an empty value for a variable that is not set
        source, arn = ROLE, os.environ.get(ROLE, "")
    else:
        source, arn = "--role-arn", argument

    if arn and not ROLE_ARN.fullmatch(arn):
        raise InputError(
            f"{source}: {arn!r} is not the ARN of a role,"
            " like arn:aws:iam::123456789012:role/deploytool/NAME"
        )
    return arn


def selected_regions(arguments: StageArguments, graph: Graph) -> tuple[str, ...]:
    """Return the regions of --region, all of the stage's when there is none.

    Raises InputError for a region in which the stage has no stack.
    """
    return checked_regions(arguments.regions, graph.all_regions)


def checked_regions(regions: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the regions, all known ones when there is none.

    Raises InputError for one that is not known.
    """
    for region in regions:
        if region not in known:
            raise InputError(
                f"--region {region}: the project has {', '.join(known)}{suggestion(region, known)}"
            )
    return regions or known


def stack_filter(
    context: CommandContext, stacks: tuple[str, ...], scope: str | None
) -> Callable[[NodeId], bool]:
    """Return a function that tells which stacks --region, --stack and --scope select.

    Raises InputError for a stack that the graph does not have.
    """
    known = sorted({node.stack for node in context.graph.nodes})
    for stack in stacks:
        if stack not in known:
            raise InputError(
                f"--stack {stack}: the graph has {', '.join(known)}{suggestion(stack, known)}"
            )
    scopes = {node.id: node.scope for node in context.graph.nodes.values()}

    def is_selected(node: NodeId) -> bool:
        if node.region not in context.regions:
            return False
        if stacks and node.stack not in stacks:
            return False
        return scope is None or scopes.get(node) == scope

    return is_selected
