"""deploytool graph: draw the stacks of a stage and what they wait for. Calls no AWS API."""

import sys

from deploytool.commands._context import terminal_of
from deploytool.commands.arguments.graph import GraphArguments
from deploytool.core.errors import InputError
from deploytool.files.builds import Building
from deploytool.files.project import load_project
from deploytool.render.graph import mermaid_lines, svg_lines


def run(arguments: GraphArguments) -> int:
    """Print or write the drawing; return 0."""
    terminal = terminal_of(arguments)
    project = load_project(arguments.config, Building(reads=False))
    graph = project.graph(arguments.stage)
    draw = svg_lines if arguments.format == "svg" else mermaid_lines
    text = "\n".join(draw(graph)) + "\n"
    if arguments.out is not None:
        try:
            arguments.out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"--out {arguments.out}: {error.strerror or error}") from error

    edges = [
        {"from": str(needed), "to": str(node)}
        for node in graph.nodes
        for needed in sorted(graph.needs_of(node))
    ]
    terminal.document({"stacks": [str(node) for node in graph.nodes], "edges": edges})
    if arguments.out is None and not terminal.json:
        sys.stdout.write(text)
    return 0
