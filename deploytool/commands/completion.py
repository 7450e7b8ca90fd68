"""deploytool completion: print what lets a shell complete command lines."""

import sys

from deploytool.commands._context import terminal_of
from deploytool.commands.arguments.completion import SCRIPTS, CompletionArguments


def run(arguments: CompletionArguments) -> int:
    """Print the script of a shell; return 0."""
    terminal = terminal_of(arguments)
    script = SCRIPTS[arguments.shell]
    terminal.document({"shell": arguments.shell, "script": script})
    if not terminal.json:
        sys.stdout.write(script)
    return 0
