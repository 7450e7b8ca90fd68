"""deploytool deploy: bring the stacks of a stage to their desired state."""

from argparse import Namespace
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from deploytool.commands._common import Run, chosen, opened, title
from deploytool.commands._interrupts import exit_code, interrupts
from deploytool.core.certificates import DnsRecord, zone_file_line
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.events import Emit, Event, RecordsNeeded
from deploytool.core.plan import Action
from deploytool.core.planfile import moved, read_plan_file, world_of
from deploytool.render.board import PAST
from deploytool.render.progress import progress
from deploytool.render.results import outcome_document
from deploytool.work.certificates import CertificateGuard, CertificateWatch, targets_elsewhere
from deploytool.work.deploy import DeployOptions, deploy, find_deployed
from deploytool.work.engine import Outcome


def run(args: Namespace) -> int:
    """Deploy; 0 when every stack is as desired, 1 when one is not."""
    if not args.delegation_timeout >= 0:
        raise InputError("--delegation-timeout: seconds, 0 or more")
    with opened(args) as found:
        choice = chosen(args, found)
        if args.plan_file:
            _check_plan(args.plan_file, found)
        needed: list[DnsRecord] = []
        with progress(found.terminal, found.target.ports.clock, title(found, "Deploy")) as show, interrupts() as asked:
            watch = CertificateWatch(found.graph, found.target.certificates, _keeping(needed, show))
            guard = CertificateGuard(found.target.certificates, watch, args.delegation_timeout)
            before = (guard.before,) if args.delegation_check else ()
            with closing(watch):
                options = DeployOptions(args.express, args.wait, asked, before, ready=args.scope is not None)
                outcome = deploy(found.graph, found.target.ports, guard, choice, options)
        records = tuple(dict.fromkeys((*needed, *targets_elsewhere(found.graph, outcome.outputs))))
        document = outcome_document(outcome, show.board) | {"records_to_create": [asdict(record) for record in records]}
        found.terminal.document(document)
        _say(found, outcome, records)
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


def _keeping(records: list[DnsRecord], emit: Emit) -> Emit:
    """Keep the records that somebody has to create; hand every event on."""

    def keep(event: Event) -> None:
        if isinstance(event, RecordsNeeded):
            records.extend(event.records)
        emit(event)

    return keep


def _say(found: Run, outcome: Outcome, records: tuple[DnsRecord, ...]) -> None:
    terminal, counts = found.terminal, Counter(outcome.done.values())
    changed = {
        action: count for action, count in counts.items() if action not in (Action.NOTHING, Action.NOT_CHOSEN, Action.LATER)
    }
    later = ", ".join(str(node) for node, action in outcome.done.items() if action == Action.LATER)
    if outcome.stopped:
        terminal.say(f"[yellow]stopped[/]: {len(outcome.done)} stacks are as they should be, {len(outcome.stopped)} are not")
    elif not outcome.ok:
        names = ", ".join(map(str, outcome.failed))
        terminal.say(f"[red]failed[/]: {names}; {len(outcome.cancelled)} not started, {len(outcome.done)} as they should be")
    elif not changed:
        terminal.say(f"Nothing to do: {counts[Action.NOTHING]} stacks are as they should be ({outcome.seconds:.1f} s).")
    else:
        said = ", ".join(f"{count} {PAST.get(action, action)}" for action, count in changed.items())
        whole = not (later or counts[Action.NOT_CHOSEN])
        what = f"[bold]https://{found.domain}{found.path}[/] is deployed" if whole else f"Stage {found.graph.stage}, in part"
        terminal.say(f"{what}: {said} ({outcome.seconds:.1f} s).")
    if later:
        terminal.say(f"Left for a later run, behind stacks that this one does not deploy: {later}.")
    if records:
        terminal.say(
            "The domain's DNS is hosted elsewhere; it needs these records there (the two of one name are a failover pair):"
        )
        for record in records:
            terminal.say(f"  {zone_file_line(record)}")
