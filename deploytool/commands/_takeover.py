"""Taking over stacks of somebody else that have the names of ours (--adopt)."""

from dataclasses import replace

from deploytool.commands._confirmation import confirm
from deploytool.commands._context import CommandContext
from deploytool.core.project.graph import Graph
from deploytool.core.stacks.ownership import describe_foreign, foreign_of
from deploytool.render.plan.text import plan_lines
from deploytool.render.text import escape
from deploytool.work.stacks.preview import plan
from deploytool.work.stacks.run import find_reachable


def adopting(graph: Graph) -> Graph:
    """Return the graph of a deployment that takes over stacks of somebody else."""
    return replace(graph, adopts=True)


def name_hint(context: CommandContext) -> str:
    """Return what to do when a stack of somebody else has the name of one of ours."""
    local = " --local" if context.target.name == "local" else ""
    options = f"--stage {context.graph.stage}{local} --adopt"
    return (
        f"deploytool plan {options} shows what a takeover would change and delete, and"
        f" deploytool deploy {options} takes it over; or choose another name for the project or"
        " the stage"
    )


def confirm_takeover(context: CommandContext, *, yes: bool) -> None:
    """Show what a takeover changes and ask for the domain, if there is anything to take over.

    Raises InputError unless the domain is typed, or `yes` answers.
    """
    ports = context.target.ports
    graph = adopting(context.graph)
    found = find_reachable(ports.stacks, ports.executor, graph)
    foreign = foreign_of(graph, found.deployed)
    if not foreign:
        return

    terminal = context.terminal
    regions = {node.region for node in graph.nodes} - found.regions
    preview = plan(graph, context.target.planning, regions)
    steps = tuple(step for step in preview.steps if step.node in foreign)
    for line in plan_lines(replace(preview, steps=steps, not_in_graph=())):
        terminal.note(line)
    for node_id, stack in sorted(foreign.items()):
        terminal.note(f"[yellow]taken over[/]: {escape(describe_foreign(node_id, stack))}")
    if not yes:
        confirm(
            terminal,
            "the domain",
            context.domain,
            wrong="that is not the domain; nothing was changed",
        )
