"""The marks that stand for a state, a change or a verdict in every output, and their colours."""

from dataclasses import dataclass
from enum import StrEnum

from deploytool.core.drill.checkers import Verdict
from deploytool.core.stacks.changes import Effect
from deploytool.core.stacks.plan import Action


class State(StrEnum):
    """The state of a stack in a run, which its mark shows."""

    WAITING = "waiting"
    BLOCKED = "blocked"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    NOT_STARTED = "not started"


@dataclass(frozen=True)
class Mark:
    """A symbol of one column, and a colour or style of rich; an empty style is the default one."""

    symbol: str
    style: str = ""

    @property
    def markup(self) -> str:
        """The symbol in its colour, as rich's markup."""
        if not self.style:
            return self.symbol
        return f"[{self.style}]{self.symbol}[/]"


GOOD = Mark("✓", "green")
BAD = Mark("✗", "red")
ATTENTION = Mark("!", "yellow")
ABSENT = Mark("·", "dim")

STATES = {
    State.DONE: GOOD,
    State.FAILED: BAD,
    State.RUNNING: Mark("●", "yellow"),
    State.BLOCKED: Mark("‖", "yellow"),
    State.WAITING: ABSENT,
    State.NOT_STARTED: Mark("-", "dim"),
}

_CREATE = Mark("+", "green")
_UPDATE = Mark("~", "yellow")
_REPLACE = Mark("±", "red")
_DELETE = Mark("-", "red")
UNCERTAIN = Mark("?", "yellow")
DRIFTED = Mark("≠", "yellow")

ACTIONS = {
    Action.CREATE: _CREATE,
    Action.UPDATE: _UPDATE,
    Action.CONTINUE: _UPDATE,
    Action.REPLACE: _REPLACE,
    Action.REFUSE: Mark("!", "red"),
    Action.WAIT: Mark("…"),
    Action.NOTHING: Mark("="),
    Action.NOT_CHOSEN: Mark(" "),
    Action.LATER: Mark(" "),
    Action.NOT_THERE: Mark(" "),
    Action.LEFT: Mark("!", "yellow"),
}
EFFECTS = {
    Effect.CREATE: _CREATE,
    Effect.IMPORT: _CREATE,
    Effect.UPDATE: _UPDATE,
    Effect.REPLACE: _REPLACE,
    Effect.DELETE: _DELETE,
    Effect.RETAIN: _DELETE,
    Effect.PERHAPS_UPDATE: UNCERTAIN,
    Effect.PERHAPS_REPLACE: UNCERTAIN,
}

VERDICTS = {
    Verdict.PASS: GOOD,
    Verdict.INCONCLUSIVE: Mark("?", "yellow"),
    Verdict.FAIL: BAD,
}
# Markdown has no colours, so a verdict there has a symbol that brings its own
VERDICT_EMOJI = {Verdict.PASS: "✅", Verdict.INCONCLUSIVE: "❔", Verdict.FAIL: "❌"}
