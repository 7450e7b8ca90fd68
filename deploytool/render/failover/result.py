"""How a movement ended: a document for programs, lines for a person, and Markdown."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from deploytool.core.failover.direction import Direction, describe
from deploytool.core.failover.move import Lane
from deploytool.core.failover.records import SwitchRecord
from deploytool.render.markdown import table, text
from deploytool.render.marks import ATTENTION, BAD, GOOD
from deploytool.render.text import escape
from deploytool.work.failover.run import Moved

NO_VALUE = "–"  # noqa: RUF001  # a dash, meant


def moved_document(moved: Moved) -> dict[str, Any]:
    """Return the end of a movement; docs/reference/command-line.md describes its fields.

    Seconds count from the moment before the switch is set. None: it has not moved, or it was there.
    """
    move = moved.move
    seconds = {"name_servers": _rounded(move.name_servers_at), "client": _rounded(move.client_at)}
    return {
        "direction": str(moved.direction),
        "stage": moved.standby.stage,
        "domain": moved.standby.domain,
        "served_by": move.client.region,
        "switch": _switch(moved.record),
        "name_servers": {name: _lane(lane) for name, lane in move.name_servers.items()},
        "seconds": seconds,
        "expected_seconds": moved.expected.terms(),
        "already": moved.already,
        "problem": moved.problem or None,
    }


def _switch(record: SwitchRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    document = asdict(record)
    del document["schema_version"]
    return document


def _lane(lane: Lane) -> dict[str, Any]:
    return {
        "region": lane.region,
        "addresses": list(lane.addresses),
        "failure": lane.failure or None,
    }


def _rounded(value: float | None) -> float | None:
    """Round seconds to a millisecond."""
    return None if value is None else round(value, 3)


def moved_lines(moved: Moved, timeout: float, option: str = "") -> Iterator[str]:
    """Yield the end of a movement as lines with rich's markup.

    `timeout` is how long it was waited for, in seconds. `option` selects the target.
    """
    command = f"deploytool {moved.direction} --stage {moved.standby.stage}{option}"
    if moved.problem:
        yield (
            f"{BAD.markup} {escape(moved.standby.domain)} has not moved to {moved.move.destination}"
            f" within {timeout:.0f} s: {escape(moved.problem)}"
        )
        state = "set" if moved.direction.holds else "released"
        yield f"  The switch is {state}, and traffic goes on moving; {command} goes on waiting."
    else:
        yield f"{GOOD.markup} {escape(_arrival(moved, option))}"
    for name in moved.move.silent:
        failure = moved.move.name_servers[name].failure
        yield f"{ATTENTION.markup} {escape(name)} did not answer: {escape(failure)}"
    yield from _durations(moved)
    yield escape(describe(moved.record))


def _arrival(moved: Moved, option: str) -> str:
    """Return who serves, and how traffic leaves again."""
    served = f"{moved.move.destination} serves {moved.standby.domain}"
    if moved.direction is Direction.FAILBACK:
        return served
    return f"{served}, and keeps it until deploytool failback --stage {moved.standby.stage}{option}"


def _durations(moved: Moved) -> Iterator[str]:
    """Yield a table of the measured and the expected durations, if traffic had to move."""
    rows = _rows(moved)
    if all(measured is None for _, measured, _ in rows):
        if not moved.problem:
            yield "Traffic was there already."
        return
    yield f"{'from the command to':32}{'measured':>10}{'expected':>10}"
    for name, measured, bound in rows:
        yield f"{name:32}{_seconds(measured):>10}{_seconds(bound):>10}"


def _rows(moved: Moved) -> tuple[tuple[str, float | None, float], ...]:
    move = moved.move
    return (
        ("every name server", move.name_servers_at, moved.expected.dns),
        ("a client that honours the TTL", move.client_at, moved.expected.total),
    )


def _seconds(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:.1f} s"


def moved_markdown(moved: Moved) -> str:
    """Return the end of a movement for a step summary."""
    rows = [
        (text(name), _seconds(measured), _seconds(bound)) for name, measured, bound in _rows(moved)
    ]
    outcome = moved.problem or _arrival(moved, "")
    lines = [
        f"### {moved.direction.capitalize()} of stage {text(moved.standby.stage)}\n",
        f"{text(outcome)}\n",
        *table(("from the command to", "measured", "expected"), rows),
        f"\n{text(describe(moved.record))}",
    ]
    return "\n".join(lines) + "\n"
