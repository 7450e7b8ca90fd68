"""deploytool matrix: print what a pipeline must know of a stage. Calls no AWS API."""

from deploytool.commands._context import terminal_of
from deploytool.commands.arguments.base import StageArguments
from deploytool.files.builds import Building
from deploytool.files.project import load_project
from deploytool.render.matrix import matrix_document, matrix_lines
from deploytool.render.text import escape
from deploytool.targets.service import configured_service


def run(arguments: StageArguments) -> int:
    """Print the facts of the stage and return 0."""
    terminal = terminal_of(arguments)
    project = load_project(arguments.config, Building(reads=False))
    graph = project.graph(arguments.stage)
    document = matrix_document(
        project.config,
        configured_service(project, graph),
        has_failover={"hosted_zone", "health_check"} <= graph.service.keys(),
    )
    terminal.document(document)
    for line in matrix_lines(document):
        terminal.say(escape(line))
    return 0
