"""A drill as it happens, and its judgement: lines for a person, drill.json for everyone else."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rich.markup import escape

from deploytool.core.drill.history import (
    SCHEMA_VERSION,
    DnsAnswered,
    DrillAborted,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    PhaseBegan,
    Served,
    to_document,
)
from deploytool.core.drill.judge import Judgement, Verdict
from deploytool.core.drill.live_state import AddressBook
from deploytool.core.drill.measures import Latency, Movement
from deploytool.render.report.timeline import sentence
from deploytool.render.terminal import Terminal

COLORS = {Verdict.PASS: "green", Verdict.INCONCLUSIVE: "yellow", Verdict.FAIL: "red"}


class DrillProgress:
    """A listener that says what happens: the phases, the fault, and each lane that moves to another
    region.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._book = AddressBook()
        self._last: dict[str, str | None] = {}

    def __call__(self, event: Event) -> None:
        """Say an event, if it is worth a line."""
        self._book.learn(event)
        match event:
            case Served():
                self._moved(event.lane, event.at, event.region if event.good else None)
            case DnsAnswered():
                region = self._book.region_of(event.addresses)
                # Before anything has served, an address is nobody's
                if region or event.lane in self._last:
                    self._moved(event.lane, event.at, region)
            case _:
                if text := _mark_text(event):
                    self._say(event.at, text)

    def _moved(self, lane: str, at: float, region: str | None) -> None:
        if lane in self._last and self._last[lane] != region:
            self._say(
                at,
                f"  {escape(lane):36} {self._last[lane] or 'no answer'} -> [bold]{region or 'no answer'}[/]",
            )
        self._last[lane] = region

    def _say(self, at: float, text: str) -> None:
        self._terminal.note(f"{at:7.1f} s  {text}")


def _mark_text(event: Event) -> str:
    text = escape(sentence(event))
    return f"[{style}]{text}[/]" if (style := _style(event)) else text


def _style(event: Event) -> str:
    match event:
        case DrillStarted() | PhaseBegan() | FaultInjecting():
            return "bold"
        case FaultInjected():
            return "yellow"
        case FaultRestored(_, verified):
            return "green" if verified else "red"
        case DrillAborted():
            return "red"
        case _:
            return ""


def drill_document(judgement: Judgement) -> dict[str, Any]:
    """drill.json, as the design fixes it. Seconds from the injection (failback: from the restore);
    None: it did not happen.
    """
    started = judgement.started
    failover = judgement.failover
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": str(judgement.verdict),
        "reasons": list(judgement.reasons),
        "domain": started.domain,
        "stage": started.stage,
        "primary": started.primary,
        "secondary": started.secondary,
        "fault": started.scenario.fault,
        "target": started.target,
        "speed": started.speed,
        "started": started.wall_time,
        "served_by": dict(judgement.served_by),
        "seconds": {
            "detection": _rounded(failover.detection),
            "dns": _rounded(failover.dns),
            "client": _rounded(failover.client),
            "failback": _rounded(judgement.failback.client),
        },
        "expected_seconds": {
            name: _rounded(value) for name, value in judgement.expected.terms().items()
        },
        "likely_seconds": {name: asdict(each) for name, each in judgement.likely.items()},
        "measures": {
            "failover": _rounded_all(failover),
            "failback": _rounded_all(judgement.failback),
        },
        "requests": asdict(judgement.requests),
        "latency_seconds": {phase: _rounded_all(each) for phase, each in judgement.latency.items()},
        "restored": judgement.restored,
        "timeline": [to_document(event) for event in judgement.timeline],
    }


def drill_lines(judgement: Judgement) -> Iterator[str]:
    """The judgement for a person."""
    color, started = COLORS[judgement.verdict], judgement.started
    yield f"[bold {color}]{judgement.verdict.upper()}[/]  {escape('; '.join(judgement.reasons))}"
    served = judgement.served_by
    yield f"served by   {' -> '.join(served[phase] or 'nobody lastingly' for phase in ('before', 'during', 'after'))}"
    expected = judgement.expected
    failover, failback = judgement.failover, judgement.failback
    rows: Mapping[str, tuple[float | None, float | None, float]] = {
        "detection": (failover.detection, failback.detection, expected.detection),
        "DNS": (failover.dns, failback.dns, expected.dns),
        "client": (failover.client, failback.client, expected.total),
    }
    yield f"{'':12}{'failover':>10}{'failback':>10}{'at most':>10}"
    for name, values in rows.items():
        yield f"{name:12}" + "".join(f"{_seconds(value):>10}" for value in values)
    requests = judgement.requests
    by_region = ", ".join(
        f"{count} by {region}" for region, count in sorted(requests.by_region.items())
    )
    yield f"requests    {requests.total}, {requests.failed} failed" + (
        f"; {by_region}" if by_region else ""
    )
    yield f"restored    {'yes' if judgement.restored else '[red]NO[/]'}"
    if started.speed != 1:
        yield f"[dim]Seconds are the local cloud's, which passed {started.speed:g} times as fast as real ones.[/]"


def _rounded_all(measures: Movement | Latency) -> dict[str, float | None]:
    return {name: _rounded(value) for name, value in asdict(measures).items()}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
