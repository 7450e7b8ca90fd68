"""The marks of all outputs, and the phrases that count actions."""

from enum import Enum

import pytest

from deploytool.core.drill.checkers import Verdict
from deploytool.core.stacks.changes import Effect
from deploytool.core.stacks.plan import Action
from deploytool.render.marks import ACTIONS, EFFECTS, STATES, VERDICT_EMOJI, VERDICTS, Mark, State
from deploytool.render.plan.groups import COUNTED


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (STATES, State),
        (ACTIONS, Action),
        (COUNTED, Action),
        (EFFECTS, Effect),
        (VERDICTS, Verdict),
        (VERDICT_EMOJI, Verdict),
    ],
)
def test_every_value_has_an_entry(table: dict[Enum, object], values: type[Enum]) -> None:
    """A value without one would stop a command while it prints its result."""
    assert table.keys() == set(values)


def test_a_mark_has_one_column() -> None:
    """The columns of a table stay aligned."""
    marks = [*STATES.values(), *ACTIONS.values(), *EFFECTS.values(), *VERDICTS.values()]
    assert {len(mark.symbol) for mark in marks} == {1}


def test_the_markup_of_a_mark_has_its_colour() -> None:
    """A mark without a style has no markup."""
    assert Mark("+", "green").markup == "[green]+[/]"
    assert Mark("=").markup == "="
