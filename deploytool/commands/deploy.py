"""deploytool deploy: bring the stacks of a stage to their desired state."""

from argparse import Namespace
from collections import Counter
from pathlib import Path

from deploytool.commands._common import Run, chosen, opened, title
from deploytool.commands._interrupts import exit_code, interrupts
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.events import Emit, Event, StackDone
from deploytool.core.plan import Action
from deploytool.core.planfile import moved, read_plan_file, world_of
from deploytool.render.board import PAST
from deploytool.render.progress import progress
from deploytool.render.results import outcome_document
from deploytool.work.deploy import DeployOptions, deploy, find_deployed
from deploytool.work.engine import Outcome


def run(args: Namespace) -> int:
    """Deploy; 0 when every stack is as desired, 1 when one is not."""
    with opened(args) as found:
        choice = chosen(args, found)
        if args.plan_file:
            _check_plan(args.plan_file, found)
        with progress(found.terminal, found.target.ports.clock, title(found, "Deploy")) as show, interrupts() as asked:
            options = DeployOptions(args.express, args.wait, asked)
            outcome = deploy(found.graph, found.target.ports, _with_delegation(found, show), choice, options)
        found.terminal.document(outcome_document(outcome, show.board))
        _say(found, outcome)
        return exit_code(outcome)


def _check_plan(path: Path, found: Run) -> None:
    """Raises DeploytoolError when anything moved since the plan was made, InputError when the file is no plan of this stage."""
    try:
        planned = read_plan_file(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    now = world_of(found.graph, found.target.name, find_deployed(found.target.ports, found.graph))
    if (planned.project, planned.stage, planned.target) != (now.project, now.stage, now.target):
        raise InputError(f"{path}: is a plan for {planned.project}, stage {planned.stage} on {planned.target}")
    if faults := moved(planned, now):
        said = "\n".join(["the world moved since the plan was made; nothing was deployed", *faults])
        raise DeploytoolError(said, hint=f"make the plan anew and look at it: deploytool plan --out {path}")


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
