"""Reports a restore, of a stage or of a pair of records."""

from deploytool.core.errors import ApiUnavailable
from deploytool.render.drill.restored import restored_document, restored_lines
from deploytool.render.terminal import Terminal
from deploytool.work.drill.restore import Restored


def report_restored(terminal: Terminal, result: Restored, selector: str) -> int:
    """Print what was undone; return the exit code, that of what failed if anything did.

    `selector` are the options with which the command is run again.
    """
    terminal.document(restored_document(result))
    for line in restored_lines(result, selector):
        terminal.say(line)
    if result.failures:
        return result.failures[0].exit_code
    return ApiUnavailable.exit_code if result.waiting else 0
