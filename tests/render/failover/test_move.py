"""A movement of traffic in every output: lines in a log, a table on a terminal, the result."""

import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from deploytool.core.failover.direction import Direction, Person
from deploytool.core.failover.events import (
    ClientServed,
    Event,
    MetricPut,
    MoveStarted,
    NameServerAnswered,
    SwitchSet,
    Warned,
)
from deploytool.core.failover.move import Lane
from deploytool.core.failover.records import StandbyRecord, SwitchRecord
from deploytool.core.route53.timing import expected_switch
from deploytool.render.failover.lines import CLIENT, MoveLines
from deploytool.render.failover.live import LiveTable
from deploytool.render.failover.progress import move_progress
from deploytool.render.failover.result import moved_document, moved_lines, moved_markdown
from deploytool.render.terminal import Terminal
from deploytool.simulated.example import SWITCHED
from deploytool.simulated.world import World
from deploytool.work.failover.run import Moved, MoveSettings, move

EAST, WEST = "us-east-1", "us-west-2"
HOSTILE = "<b>us-east-1 | is [red]slow[/]</b>"
RECORD = SwitchRecord(1, True, "2026-11-25T12:00:00+00:00", "ana@laptop", HOSTILE, "command")


@pytest.fixture(scope="module")
def failover() -> tuple[Moved, list[Event]]:
    """A failover in the simulated world, with its events."""
    world = World(SWITCHED)
    world.deploy_switch()
    world.sleep(1.0)
    standby = world.standby.read(StandbyRecord)
    assert standby is not None
    events: list[Event] = []
    person = Person(RECORD.who, RECORD.since, RECORD.why)
    moved = move(
        world.move_ports(),
        standby,
        Direction.FAILOVER,
        person,
        MoveSettings(),
        expected_switch(held=True),
        events.append,
    )
    return moved, events


def test_a_log_has_a_line_for_each_change(
    failover: tuple[Moved, list[Event]], capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the bound, the switch, each name server that moves and the client; once each."""
    with move_progress(Terminal(color=False)) as show:
        for event in failover[1]:
            show(event)
    lines = capsys.readouterr().err.splitlines()
    assert "failover of stage dev: dev.example.com to us-west-2" in lines[0]
    assert "expected within 125 s at every name server and within 185 s for clients" in lines[0]
    assert "holds traffic at the secondary since 2026-11-25 12:00:00 UTC by ana@laptop" in lines[1]
    assert HOSTILE in lines[1]

    lanes = [f"ns-{number}.example.net" for number in range(1, 5)]
    for lane in (*lanes, CLIENT):
        changes = [line.split(lane)[1].split() for line in lines if f"  {lane}" in line]
        assert changes == [[EAST], [EAST, "->", WEST]]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Warned(1.0, "a drill is under way [x]"), "! a drill is under way [x]"),
        (MetricPut(1.0, True, "no [answer]"), "! the metric was not repeated: no [answer]"),
        (SwitchSet(1.0, RECORD, already=True), "already: the switch holds traffic"),
        (NameServerAnswered(1.0, "ns-1", failure="timeout"), "no answer"),
        (NameServerAnswered(1.0, "ns-1", ("192.0.2.9",)), "an unknown region"),
        (ClientServed(1.0, failure="timeout"), "no answer"),
    ],
)
def test_what_is_unusual_is_said(
    event: Event, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Warnings, a metric that was not repeated, and servers without an answer have a line."""
    MoveLines(Terminal(color=False))(event)
    assert text in capsys.readouterr().err


def test_a_metric_that_was_put_is_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    """It is put every 20 seconds."""
    MoveLines(Terminal(color=False))(MetricPut(1.0, True))
    assert capsys.readouterr().err == ""


def drawn(table: LiveTable) -> list[str]:
    console = Console(file=io.StringIO(), width=120, record=True, color_system=None)
    console.print(table.drawn())
    return console.export_text().splitlines()


def test_a_terminal_shows_where_each_is(failover: tuple[Moved, list[Event]]) -> None:
    """The table has the seconds beside their bounds, each name server, and the client."""
    table = LiveTable()
    assert drawn(table) == [""]
    started = failover[1][0]
    assert isinstance(started, MoveStarted)
    table(started)
    assert all(line.split()[-1] == "asked" for line in drawn(table)[1:])

    for event in failover[1][1:]:
        table(event)
    headline, *rows = drawn(table)
    assert headline.strip().endswith("s of expected 125 s (name servers) and 185 s (client)")
    assert len(rows) == 5
    assert all(row.split()[-1] == WEST for row in rows)


def test_the_result_has_the_measured_seconds_beside_their_bounds(
    failover: tuple[Moved, list[Event]], plain: Callable[..., str]
) -> None:
    """The last line says who moved traffic and why; hostile text stays text."""
    moved = failover[0]
    lines = plain(*moved_lines(moved, 600.0, " --local")).splitlines()
    assert lines[0] == (
        "✓ us-west-2 serves dev.example.com,"
        " and keeps it until deploytool failback --stage dev --local"
    )
    assert lines[1].split() == ["from", "the", "command", "to", "measured", "expected"]
    assert lines[2].split()[-2:] == ["125.0", "s"]
    assert lines[3].split()[-2:] == ["185.0", "s"]
    assert lines[4].endswith(f"by ana@laptop (command): {HOSTILE}")
    assert "<b>" not in moved_markdown(moved)


def test_the_document_is_json(failover: tuple[Moved, list[Event]]) -> None:
    """It has what a workflow needs, and nothing that JSON does not know."""
    document = json.loads(json.dumps(moved_document(failover[0])))
    assert list(document) == [
        "direction",
        "stage",
        "domain",
        "served_by",
        "switch",
        "name_servers",
        "seconds",
        "expected_seconds",
        "already",
        "problem",
    ]
    assert (document["direction"], document["served_by"]) == ("failover", WEST)
    assert document["switch"]["held"] is True
    assert {server["region"] for server in document["name_servers"].values()} == {WEST}
    assert document["seconds"]["name_servers"] <= document["expected_seconds"]["total"]
    assert document["problem"] is None


def test_traffic_that_was_there_has_no_seconds(
    failover: tuple[Moved, list[Event]], plain: Callable[..., str]
) -> None:
    """A second run says so instead of measuring nothing."""
    lanes = {name: Lane(WEST, 0.5, 3, WEST) for name in failover[0].move.name_servers}
    there = replace(failover[0].move, name_servers=lanes, client=Lane(WEST, 0.5, 3, WEST))
    lines = plain(*moved_lines(replace(failover[0], move=there, already=True), 600.0)).splitlines()
    assert lines[1] == "Traffic was there already."
    document = moved_document(replace(failover[0], move=there))
    assert document["seconds"] == {"name_servers": None, "client": None}


def test_a_movement_that_did_not_arrive_says_that_it_goes_on(
    failover: tuple[Moved, list[Event]], plain: Callable[..., str]
) -> None:
    """The switch is set, and the same command goes on waiting; a silent name server is named."""
    lanes = {"ns-1": Lane(EAST, 0.5, 3, EAST), "ns-2": Lane(silent=3, failure="timeout")}
    stuck = replace(
        failover[0],
        move=replace(failover[0].move, name_servers=lanes),
        problem="ns-1 answers with us-east-1",
    )
    lines = plain(*moved_lines(stuck, 600.0)).splitlines()
    assert lines[0] == (
        "✗ dev.example.com has not moved to us-west-2 within 600 s: ns-1 answers with us-east-1"
    )
    assert lines[1].strip().startswith("The switch is set")
    assert "deploytool failover --stage dev goes on waiting" in lines[1]
    assert lines[2] == "! ns-2 did not answer: timeout"
    assert moved_document(stuck)["problem"] == "ns-1 answers with us-east-1"
