"""The output of a command: results on standard output, progress and errors on standard error."""

import io
import json
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from deploytool.render.advice import advised

if TYPE_CHECKING:
    from rich.console import Console  # imported where it is used, so that `--help` stays fast

LOG_WIDTH = 160  # columns of an output that is no terminal; 80, rich's default, is narrow for a log


@dataclass(frozen=True)
class Terminal:
    """The output of this run.

    With `json`, standard output is one JSON document. `color` is False with --no-color; NO_COLOR
    has the same effect.
    """

    json: bool = False
    color: bool = True

    # Whether this run has printed its document: standard output has one and not two
    has_document: ClassVar[bool] = False

    # Where this run works, as a part of its document; None until that is known
    about: ClassVar[dict[str, Any] | None] = None

    # What is added to the commands that a message advises
    options: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def out(self) -> "Console":
        """Standard output."""
        return self._console(stderr=False)

    @cached_property
    def err(self) -> "Console":
        """Standard error."""
        return self._console(stderr=True)

    def _console(self, *, stderr: bool) -> "Console":
        from rich.console import Console  # noqa: PLC0415  # `--help` stays fast

        stream = sys.stderr if stderr else sys.stdout
        if isinstance(stream, io.TextIOWrapper):
            # A terminal's encoding may lack a mark; a replacement is better than a failure
            stream.reconfigure(errors="replace")
        known_width = stream.isatty() or "COLUMNS" in os.environ
        return Console(
            stderr=stderr,
            # None leaves the decision to NO_COLOR
            no_color=None if self.color else True,
            highlight=False,
            soft_wrap=True,
            width=None if known_width else LOG_WIDTH,
            emoji=False,
        )

    @property
    def live(self) -> bool:
        """Whether a table can be redrawn in place.

        Rich alone would redraw in a log too, where FORCE_COLOR is set.
        """
        return sys.stderr.isatty() and self.err.is_terminal and not self.err.is_dumb_terminal

    def say(self, text: str = "") -> None:
        """Print a line of the result, unless the result is JSON. It may have rich's markup."""
        if not self.json:
            self.out.print(advised(text, Terminal.options))

    def note(self, text: str) -> None:
        """Print a line of progress. It may have rich's markup."""
        self.err.print(advised(text, Terminal.options))

    def raw(self, text: str) -> None:
        """Print a line for a program, without markup or colours, on standard error."""
        self.err.print(text, markup=False, style=None)

    def document(self, value: Any) -> None:  # noqa: ANN401  # any JSON value
        """Print the result as JSON, when that is wanted."""
        if self.json:
            Terminal.has_document = True
            if Terminal.about is not None and isinstance(value, dict):
                value = value | {"target": Terminal.about}
            sys.stdout.write(json.dumps(value, indent=2) + "\n")
