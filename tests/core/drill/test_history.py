"""History lines: every event survives the trip to its line and back; a history cut off in a line is
read up to there.
"""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.drill.history import (
    DnsAnswered,
    DrillStarted,
    Event,
    HealthSeen,
    PhaseBegan,
    Served,
    parse_history,
    to_line,
)
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import InputError
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.route53.health import CheckerObservation, HealthCheck, HealthCheckConfig

times = st.floats(0, 1e6).map(lambda x: round(x, 4))
words = st.text(max_size=20)
names = words.filter(bool)
events = st.one_of(
    st.builds(
        DnsAnswered,
        times,
        times,
        names,
        words,
        st.lists(names).map(tuple),
        st.none() | st.integers(0, 99),
    ),
    st.builds(
        Served, times, times, names, words, st.none() | st.integers(100, 599), st.none() | names
    ),
    st.builds(
        HealthSeen,
        times,
        st.integers(1, 99),
        st.booleans(),
        st.booleans(),
        st.lists(
            st.builds(CheckerObservation, words, words, st.booleans(), words, checked=words),
            max_size=3,
        ).map(tuple),
    ),
)


@given(st.lists(events, max_size=5))
def test_every_event_survives_the_trip(history: list[Event]) -> None:
    """What is read is what was written."""
    assert parse_history([to_line(each) for each in history], "history.jsonl") == history


@given(st.lists(names, max_size=2).map(tuple))
def test_a_first_line_with_nothing_to_list_is_read(found: tuple[str, ...]) -> None:
    """Nothing empty is written down, no resolver for example, and its absence reads as empty."""
    config = HealthCheck("check", 1, HealthCheckConfig("HTTPS"))
    first = DrillStarted(
        0.0, 1, "0", "2026-01-01", "local", 1.0, "dev", "dev.example.com", "/v1", "us-east-1", "us-west-2",
        by_inverting=True, attempt=0.0, scenario=Scenario(), objectives=Objectives(), health_check=config, resolvers=found,
    )  # fmt: skip
    assert parse_history([to_line(first)], "history.jsonl") == [first]


def test_every_type_has_a_name_of_its_own() -> None:
    """A line's type tells which event it is."""
    assert len({each.__name__ for each in get_args(Event)}) == len(get_args(Event))


def test_a_last_line_that_was_cut_off_is_left_out() -> None:
    """A killed drill's history can be judged up to there."""
    line = to_line(PhaseBegan(1.0, "failover"))
    assert parse_history([line, line[:10]], "history.jsonl") == [PhaseBegan(1.0, "failover")]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"type":"no_such_event"}',
        '{"type":"phase_began","at":1,"colour":"red"}',
        "[]",
        '{"at":1}',
    ],
)
def test_a_line_that_is_no_event_is_named(line: str) -> None:
    """File and line, exit code 2."""
    good = to_line(PhaseBegan(1.0, "failover"))
    with pytest.raises(InputError, match=r"history.jsonl: line 2: ") as caught:
        parse_history([good, line, good], "history.jsonl")
    assert caught.value.exit_code == 2
