"""What several commands begin with: the project, the stage's graph, the chosen stacks, the
target.
"""

import os
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deploytool.core.errors import InputError
from deploytool.core.project.graph import Graph, NodeId
from deploytool.files.project import Project, load_project
from deploytool.render.terminal import Terminal
from deploytool.services import look_up
from deploytool.targets import Target, open_target

ROLE = "AWS_CFN_ROLE_ARN"
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}")


@dataclass(frozen=True)
class Run:
    """One run of a command on a stage of a project at a target."""

    terminal: Terminal
    project: Project
    graph: Graph
    target: Target
    domain: str
    path: str


def terminal_of(args: Namespace) -> Terminal:
    """How this run speaks."""
    return Terminal(json=args.output == "json", color=not args.no_color)


@contextmanager
def opened(args: Namespace) -> Iterator[Run]:
    """Read and validate everything before the first call to AWS."""
    project = load_project(args.config)
    graph = project.graph(args.stage)
    regions_checked(args, project)
    with open_target(project, local=args.local, role_arn=role_checked(args)) as target:
        if found := look_up(project, args.stage, target):
            graph = project.graph(args.stage, found)
        yield Run(
            terminal_of(args),
            project,
            graph,
            target,
            project.config.stage(graph.stage).domain,
            graph.path,
        )


def role_checked(args: Namespace) -> str:
    """The service role of --role-arn, else of AWS_CFN_ROLE_ARN; empty for none. Raises InputError
    when it is no role's ARN.
    """
    # None: not on the command line; empty where the command takes none
    given = getattr(args, "role_arn", "")
    found = os.environ.get(ROLE, "") if given is None else given
    if found and not ROLE_ARN.fullmatch(found):
        where = ROLE if given is None else "--role-arn"
        raise InputError(
            f"{where}: {found!r} is not the ARN of a role, like arn:aws:iam::123456789012:role/deploytool/NAME"
        )
    return found


def regions_checked(args: Namespace, project: Project) -> tuple[str, ...]:
    """The regions that were asked for, all when none was. Raises InputError for one that the
    project does not have.
    """
    for region in args.region:
        if region not in project.config.regions:
            raise InputError(
                f"--region {region}: the project has {', '.join(project.config.regions)}"
            )
    return tuple(args.region) or project.config.regions


def chosen(args: Namespace, run: Run) -> Callable[[NodeId], bool]:
    """Which stacks --region, --stack and --scope leave. Raises InputError for a stack that the
    graph does not have.
    """
    known = sorted({node.stack for node in run.graph.nodes})
    for stack in args.stack:
        if stack not in known:
            raise InputError(f"--stack {stack}: the graph has {', '.join(known)}")
    regions = regions_checked(args, run.project)
    scopes = {each.id: each.scope for each in run.graph.nodes.values()}

    def chosen_node(node: NodeId) -> bool:
        in_scope = args.scope is None or scopes.get(node) == args.scope
        return in_scope and node.region in regions and (not args.stack or node.stack in args.stack)

    return chosen_node


def title(run: Run, action: str) -> str:
    """What a run is called where its result is kept."""
    return f"{action} {run.project.config.project}, stage {run.graph.stage}, on {run.target.name}"


def confirmed(
    terminal: Terminal,
    what: str,
    expected: str,
    *,
    wrong: str,
    hint: str = "with --yes nothing is asked",
) -> None:
    """Ask for `what` to be typed. Raises InputError when nobody is there (with the `hint`) or
    something else is typed.
    """
    if not sys.stdin.isatty():
        raise InputError("nobody is there to confirm", hint=hint)
    terminal.note(f"Type {what} to go on ({expected}): ")
    if input().strip() != expected:
        raise InputError(wrong)
