"""The lines of a history are read as they were written, also after a kill in the last line."""

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

# One line of each event type, as the first version with that type wrote it.
OLD_LINES = (
    (
        '{"type":"drill_started","at":0.0,"schema_version":1,"tool":"0.1.0",'
        '"wall_time":"2026-01-02T03:04:05+00:00","target":"local","speed":10.0,"stage":"dev",'
        '"domain":"dev.example.com","path":"/v1","primary":"us-east-1",'
        '"secondary":"us-west-2","by_inverting":true,"attempt":0.02,'
        '"scenario":{"fault":"health-check","client_interval":1.0,"dns_interval":1.0,'
        '"health_interval":2.0,"lasting":5,"hold":10.0,"patience":null},'
        '"objectives":{"rto_seconds":90.0,"failback_seconds":null,"failed_share":null},'
        '"health_check":{"id":"check","version":1,"config":{"type":"HTTPS",'
        '"fqdn":"us-east-1.dev.example.com","ip_address":"","port":443,"resource_path":"/v1",'
        '"search_string":"","request_interval":10,"failure_threshold":3,"enable_sni":true,'
        '"inverted":false,"disabled":false}},"name_servers":["ns-1.example.org"],'
        '"resolvers":["127.0.0.53"],"monotonic":12.5}'
    ),
    '{"type":"phase_began","at":1.0,"phase":"failover"}',
    '{"type":"fault_injecting","at":2.0,"fault":"health-check"}',
    '{"type":"fault_injected","at":2.5}',
    (
        '{"type":"dns_answered","sent":3.0,"at":3.01,"lane":"name-server:ns-1",'
        '"rcode":"NOERROR","addresses":["127.0.0.11"],"ttl":60}'
    ),
    (
        '{"type":"served","sent":3.0,"at":3.1235,"lane":"client:fresh",'
        '"address":"127.0.0.11","status":200,"region":"us-east-1","version":"1"}'
    ),
    (
        '{"type":"health_seen","at":4.0,"version":2,"inverted":true,"disabled":false,'
        '"checkers":[{"region":"us-east-1","address":"127.0.0.9","healthy":false,'
        '"status":"Failure","checked":"2026-01-02T03:04:05Z"}]}'
    ),
    '{"type":"fault_restoring","at":5.0}',
    '{"type":"fault_restored","at":5.5,"verified":true}',
    '{"type":"switch_held","at":5.6}',
    '{"type":"switch_releasing","at":5.7}',
    '{"type":"switch_released","at":5.8,"verified":true}',
    '{"type":"switch_metric_failed","at":5.9,"failure":"no answer"}',
    '{"type":"observer_late","at":5.95,"seconds":1.5}',
    '{"type":"drill_aborted","at":6.0,"reason":"interrupted"}',
    '{"type":"drill_ended","at":7.0}',
)

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
def test_every_event_is_read_as_it_was_written(history: list[Event]) -> None:
    """An event and the event that is read from its line are equal."""
    assert parse_history([to_line(each) for each in history], "history.jsonl") == history


@given(st.lists(names, max_size=2).map(tuple))
def test_empty_fields_are_left_out_and_read_as_empty(resolvers: tuple[str, ...]) -> None:
    """A drill without resolvers writes no `resolvers`, and none are read."""
    config = HealthCheck("check", 1, HealthCheckConfig("HTTPS"))
    first = DrillStarted(
        0.0, 1, "0", "2026-01-01", "local", 1.0, "dev", "dev.example.com", "/v1", "us-east-1", "us-west-2",
        by_inverting=True, attempt=0.0, scenario=Scenario(), objectives=Objectives(), health_check=config, resolvers=resolvers,
    )  # fmt: skip
    assert parse_history([to_line(first)], "history.jsonl") == [first]


def test_old_lines_are_read_and_written_again_byte_for_byte() -> None:
    """A history that an older version wrote stays readable, and the format stays as it is."""
    history = parse_history(OLD_LINES, "history.jsonl")
    assert {type(event) for event in history} == set(get_args(Event))
    assert tuple(to_line(event) for event in history) == OLD_LINES


def test_every_type_has_a_name_of_its_own() -> None:
    """The type of a line tells the class of its event."""
    assert len({each.__name__ for each in get_args(Event)}) == len(get_args(Event))


def test_a_last_line_that_was_cut_off_is_left_out() -> None:
    """The history of a killed drill can be judged without the line."""
    line = to_line(PhaseBegan(1.0, "failover"))
    assert parse_history([line, line[:10]], "history.jsonl") == [PhaseBegan(1.0, "failover")]


def test_an_unknown_field_inside_a_field_is_named() -> None:
    """A newer version may mean something else by the fields that this one knows."""
    lines = [line.replace('"status":"Failure"', '"status":"","colour":1') for line in OLD_LINES]
    with pytest.raises(InputError, match=r"line 7: .*unknown fields: colour"):
        parse_history(lines, "history.jsonl")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"type":"no_such_event"}',
        '{"type":"phase_began","at":1,"colour":"red"}',
        '{"type":"phase_began","at":"one","phase":"failover"}',
        '{"type":"health_seen","at":1,"version":"2"}',
        '{"type":"health_seen","at":1,"checkers":[{"region":"a","colour":"red"}]}',
        "[]",
        '{"at":1}',
    ],
)
def test_a_line_that_is_not_an_event_is_named(line: str) -> None:
    """The error names the file and the line, and has exit code 2."""
    good = to_line(PhaseBegan(1.0, "failover"))
    with pytest.raises(InputError, match=r"history.jsonl: line 2: ") as caught:
        parse_history([good, line, good], "history.jsonl")
    assert caught.value.exit_code == 2
