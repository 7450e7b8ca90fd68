"""A movement as lines of a log: the switch, and each name server and client that moves."""

from typing import assert_never

from deploytool.core.failover.direction import describe
from deploytool.core.failover.events import (
    ClientServed,
    Event,
    MetricPut,
    MoveStarted,
    NameServerAnswered,
    SwitchSet,
    Warned,
)
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape

LANE_WIDTH = 32  # columns of the name of a name server
CLIENT = "a client that honours the TTL"


class MoveLines:
    """A listener that prints a line for each event that says something new."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._seen: dict[str, str] = {}  # what was last printed of each name server and the client

    def __call__(self, event: Event) -> None:
        """Take in one event, and print it if it is news."""
        match event:
            case NameServerAnswered():
                self._report_news(event.at, event.name_server, answer_of(event))
            case ClientServed():
                self._report_news(event.at, CLIENT, answer_of(event))
            case _:
                text = sentence(event)
                if text:
                    self._report(event.at, text)

    def _report_news(self, at: float, lane: str, answer: str) -> None:
        if self._seen.get(lane) == answer:
            return
        before = self._seen.get(lane)
        self._seen[lane] = answer
        change = f"{before} -> {answer}" if before else answer
        self._report(at, f"  {escape(lane):{LANE_WIDTH}} {escape(change)}")

    def _report(self, at: float, text: str) -> None:
        self._terminal.note(f"{at:7.1f} s  {text}")


def answer_of(event: NameServerAnswered | ClientServed) -> str:
    """Return the region of an answer; without one what is known instead."""
    if event.failure:
        return "no answer"
    return event.region or "an unknown region"


def sentence(event: MoveStarted | Warned | SwitchSet | MetricPut) -> str:
    """Return an event in words with rich's markup, "" when it is no news."""
    match event:
        case MoveStarted():
            text = (
                f"{event.direction} of stage {event.stage}: {event.domain} to {event.destination};"
                f" expected within {event.expected.dns:.0f} s at every name server and within"
                f" {event.expected.total:.0f} s for clients that honour the TTL (AWS publishes no"
                f" number for {event.expected.estimated:.0f} s of these)"
            )
            return f"[bold]{escape(text)}[/]"
        case Warned():
            return f"[yellow]! {escape(event.message)}[/]"
        case SwitchSet():
            already = "already: " if event.already else ""
            return escape(f"{already}{describe(event.record)}")
        case MetricPut():
            if not event.failure:
                return ""
            return f"[yellow]! the metric was not repeated: {escape(event.failure)}[/]"
        case _:
            assert_never(event)
