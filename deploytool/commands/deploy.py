"""deploytool deploy: bring the stacks of a stage to their desired state."""

from argparse import Namespace
from collections import Counter

from deploytool.commands._common import Run, chosen, opened
from deploytool.commands._interrupts import exit_code, interrupts
from deploytool.core.events import Emit, Event, StackDone
from deploytool.core.plan import Action
from deploytool.render.progress import PAST, progress
from deploytool.render.results import outcome_document
from deploytool.work.deploy import DeployOptions, deploy
from deploytool.work.engine import Outcome


def run(args: Namespace) -> int:
    """Deploy; 0 when every stack is as desired, 1 when one is not."""
    with opened(args) as found:
        choice = chosen(args, found)
        with progress(found.terminal, found.target.ports.clock) as show, interrupts() as asked:
            options = DeployOptions(args.express, args.wait, asked)
            outcome = deploy(found.graph, found.target.ports, _with_delegation(found, show), choice, options)
        found.terminal.document(outcome_document(outcome))
        _say(found, outcome)
        return exit_code(outcome)


def _with_delegation(found: Run, show: Emit) -> Emit:
    """Say, the moment a new zone is there, what its parent must be told: until then no certificate of it is validated."""

    def emit(event: Event) -> None:
        show(event)
        if not isinstance(event, StackDone) or event.action != Action.CREATE or found.target.name != "aws":
            return
        if "NameServers" in event.outputs:
            found.terminal.note(
                f"[yellow]Now, at its registrar or in its parent's zone, point {found.domain} at these name servers:[/]"
            )
            found.terminal.note("  " + event.outputs["NameServers"].replace(",", ", "))
            found.terminal.note("  The certificates wait for it; this run goes on by itself once it resolves.")

    return emit


def _say(found: Run, outcome: Outcome) -> None:
    terminal, counts = found.terminal, Counter(outcome.done.values())
    changed = {action: count for action, count in counts.items() if action not in (Action.NOTHING, Action.NOT_CHOSEN)}
    if outcome.stopped:
        terminal.say(f"[yellow]stopped[/]: {len(outcome.done)} stacks are as they should be, {len(outcome.stopped)} are not")
    elif not outcome.ok:
        names = ", ".join(map(str, outcome.failed))
        terminal.say(f"[red]failed[/]: {names}; {len(outcome.cancelled)} not started, {len(outcome.done)} as they should be")
    elif not changed:
        terminal.say(f"Nothing to do: {counts[Action.NOTHING]} stacks are as they should be ({outcome.seconds:.1f} s).")
    else:
        said = ", ".join(f"{count} {PAST.get(action, action)}" for action, count in changed.items())
        terminal.say(f"[bold]https://{found.domain}{found.path}[/] is deployed: {said} ({outcome.seconds:.1f} s).")
