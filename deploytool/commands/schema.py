"""deploytool schema: print the JSON Schema of a file of the project. Calls no AWS API."""

import json
import sys

from deploytool.commands._context import terminal_of
from deploytool.commands.arguments.schema import SchemaArguments
from deploytool.core.project.graphschema import graph_schema
from deploytool.files.configschemas import schema_of
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape


def run(arguments: SchemaArguments) -> int:
    """Print the schema; return 0. It is the same document with `--output json`."""
    terminal = terminal_of(arguments)
    schema = graph_schema()
    if arguments.which == "config":
        schema, problem = schema_of(arguments.config)
        if problem:
            terminal.note(f"! the schema lets a stage have any setting: {escape(problem)}")

    Terminal.has_document = True
    sys.stdout.write(json.dumps(schema, indent=2) + "\n")
    return 0
