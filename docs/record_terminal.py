"""Turns a command's coloured output into a picture: docs/images/drill.svg from a real drill.

    FORCE_COLOR=1 make drill 2>&1 | .venv/bin/python docs/record_terminal.py docs/images/drill.svg
    'make drill'

Through a pipe nothing is redrawn in place; FORCE_COLOR keeps the colours.
"""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

# Rich links fonts on the network; the reader's own will do
FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def main() -> None:
    """Standard input is the output to show; the arguments are the file to write and the picture's
    title.
    """
    path, title = sys.argv[1:]
    lines = Text.from_ansi(sys.stdin.read())
    width = max(line.cell_len for line in lines.split("\n")) + 1
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(lines)
    picture = FONT.sub("", console.export_svg(title=title, theme=MONOKAI, unique_id="drill"))
    Path(path).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
