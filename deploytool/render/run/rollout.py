"""The text of the events of a rollout, with rich's markup."""

from typing import assert_never

from deploytool.core.stacks.events import (
    RegionAlone,
    RegionNotReady,
    RegionPassed,
    RolloutEvents,
    RolloutOrdered,
    RolloutUnordered,
    StackHeld,
    StageUnnamed,
)
from deploytool.render.text import escape


def rollout_text(event: RolloutEvents) -> str:  # noqa: PLR0911  # one case an event
    """Describe an event."""
    match event:
        case RolloutOrdered(_, active, standby, serving):
            reason = f"{active} serves"
            if not serving:
                reason = f"[yellow]no region answers; {active} is assumed to be the active one[/]"
            return f"{reason}: {standby} is updated first, and must pass its check"
        case RolloutUnordered(_, regions):
            return (
                f"[bold red]--parallel: {' and '.join(regions)} are both changed without a check;"
                " a bad version takes down every region that it reaches[/]"
            )
        case StageUnnamed(_, domain):
            return (
                f"[yellow]neither {escape(domain)} nor a region's own name has an address:"
                " no client is served, so no region waits for the other[/]"
            )
        case StackHeld(_, _, standby):
            return f"[dim]waits until {standby} has passed its check[/]"
        case RegionAlone(_, region, url, problem):
            return (
                f"[bold yellow]{region} may be the only region that serves: {escape(url)}"
                f" {escape(problem)}; a bad version takes the stage down[/]"
            )
        case RegionNotReady(_, url, problem, left):
            return (
                f"[yellow]{escape(url)} {escape(problem)}; {left:.0f} s left to pass its check[/]"
            )
        case RegionPassed(_, url, _, version):
            text = f"[green]{escape(url)} has passed its check[/]"
            if version:
                text += f", version {escape(version)}"
            return text
        case _:
            assert_never(event)
