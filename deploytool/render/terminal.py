"""Where things are said: results on standard output, progress and errors on standard error; colour
where it is wanted.
"""

import io
import json
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Terminal:
    """How this run speaks. `json` makes standard output one JSON document; `color` is off with
    --no-color or NO_COLOR.
    """

    json: bool = False
    color: bool = True

    @cached_property
    def out(self) -> "Console":
        """Standard output."""
        return self._console(stderr=False)

    @cached_property
    def err(self) -> "Console":
        """Standard error."""
        return self._console(stderr=True)

    def _console(self, *, stderr: bool) -> "Console":
        from rich.console import Console  # noqa: PLC0415  # `--help` shall not pay for it

        stream = sys.stderr if stderr else sys.stdout
        # A log is not 80 columns wide
        width = None if stream.isatty() or "COLUMNS" in os.environ else 160
        if isinstance(stream, io.TextIOWrapper):
            # A mark that the terminal's encoding lacks is no reason to fail
            stream.reconfigure(errors="replace")
        no_color = None if self.color else True  # None leaves it to NO_COLOR
        return Console(
            stderr=stderr,
            no_color=no_color,
            highlight=False,
            soft_wrap=True,
            width=width,
            emoji=False,
        )

    @property
    def live(self) -> bool:
        """Whether a table may be redrawn in place. Rich alone would say so of a log too, where
        FORCE_COLOR is set.
        """
        return sys.stderr.isatty() and self.err.is_terminal and not self.err.is_dumb_terminal

    def say(self, text: str = "") -> None:
        """A line of the result, unless it is JSON. May hold rich's markup."""
        if not self.json:
            self.out.print(text)

    def note(self, text: str) -> None:
        """A line of progress."""
        self.err.print(text)

    def raw(self, text: str) -> None:
        """A line on standard error that something else than a person reads."""
        self.err.print(text, markup=False, style=None)

    def document(self, value: Any) -> None:  # noqa: ANN401  # any JSON value
        """The result as JSON, when that is wanted."""
        if self.json:
            sys.stdout.write(json.dumps(value, indent=2) + "\n")
