"""What the events of a rollout say, as text with rich's markup."""

from rich.markup import escape

from deploytool.core.stacks.events import (
    RegionFaulty,
    RegionPassed,
    RolloutEvents,
    RolloutOrdered,
    RolloutUnordered,
    StackHeld,
    StageUnnamed,
)


def rollout_line(event: RolloutEvents, started: float, width: int) -> str:
    """An event as a line of a log; `started` is the run's start, `width` that of the stacks'
    names.
    """
    where = str(event.node) if isinstance(event, StackHeld) else ""
    return f"{event.at - started:7.1f} s  {where:{width}} {_words(event)}"


def _words(event: RolloutEvents) -> str:
    match event:
        case RolloutOrdered(_, active, standby, serving):
            said = (
                f"{active} serves"
                if serving
                else f"[yellow]no region answers; {active} is taken for the active one[/]"
            )
            return f"{said}: {standby} is updated first, and must pass its check"
        case RolloutUnordered(_, regions):
            return (
                f"[bold red]--parallel: {' and '.join(regions)} changed without a check; "
                "a bad version takes down every region that it reaches[/]"
            )
        case StageUnnamed(_, domain):
            return f"[yellow]{escape(domain)} has no address, nor has a region's own name: nobody is served, no region waits[/]"
        case StackHeld(_, _, standby):
            return f"[dim]waits until {standby} has passed its check[/]"
        case RegionFaulty(_, url, fault, left):
            return f"[yellow]{escape(url)} {escape(fault)}; it has {left:.0f} s more[/]"
        case RegionPassed(_, url, _, version):
            return f"[green]{escape(url)} answers as it must[/]" + (
                f", version {escape(version)}" if version else ""
            )
