"""Turn the coloured output of a command into a picture: docs/images/drill.svg, from a real drill.

    FORCE_COLOR=1 make drill 2>&1 | .venv/bin/python docs/record_terminal.py docs/images/drill.svg
    'make drill'

A command that writes into a pipe redraws nothing in place; FORCE_COLOR keeps its colours.
"""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

# Rich refers to fonts on the network. The picture uses the reader's own fonts instead
FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def main() -> None:
    """Read the output from standard input; the arguments are the file to write and its title."""
    path, title = sys.argv[1:]
    lines = Text.from_ansi(sys.stdin.read())
    widest = max(line.cell_len for line in lines.split("\n"))

    # A real file would show the output a second time
    console = Console(record=True, width=widest + 1, file=io.StringIO(), force_terminal=True)
    console.print(lines)
    picture = console.export_svg(title=title, theme=MONOKAI, unique_id="drill")
    Path(path).write_text(FONT.sub("", picture), encoding="utf-8")


if __name__ == "__main__":
    main()
