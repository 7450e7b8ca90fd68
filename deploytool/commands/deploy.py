"""deploytool deploy: bring the stacks of a stage to their desired state."""

from argparse import Namespace
from collections import Counter
from contextlib import closing
from dataclasses import asdict

from deploytool.commands._common import Run, chosen, opened
from deploytool.core.certificates import DnsRecord, zone_file_line
from deploytool.core.errors import InputError
from deploytool.core.events import Emit, Event, RecordsNeeded
from deploytool.core.plan import Action
from deploytool.render.progress import PAST, progress
from deploytool.render.results import outcome_document
from deploytool.work.certificates import CertificateGuard, CertificateWatch, targets_elsewhere
from deploytool.work.deploy import deploy, nothing_before
from deploytool.work.engine import Outcome


def run(args: Namespace) -> int:
    """Deploy; 0 when every stack is as desired, 1 when one is not."""
    if not args.delegation_timeout >= 0:
        raise InputError("--delegation-timeout: seconds, 0 or more")
    with opened(args) as found:
        choice = chosen(args, found)
        needed: list[DnsRecord] = []
        with progress(found.terminal, found.target.ports.clock) as show:
            watch = CertificateWatch(found.graph, found.target.certificates, _keeping(needed, show))
            guard = CertificateGuard(found.target.certificates, watch, args.delegation_timeout)
            before = guard.before if args.delegation_check else nothing_before
            with closing(watch):
                outcome = deploy(found.graph, found.target.ports, guard, choice, before)
        records = tuple(dict.fromkeys((*needed, *targets_elsewhere(found.graph, outcome.outputs))))
        found.terminal.document(outcome_document(outcome) | {"records_to_create": [asdict(record) for record in records]})
        _say(found, outcome, records)
        return 0 if outcome.ok else 1


def _keeping(records: list[DnsRecord], emit: Emit) -> Emit:
    """Keep the records that somebody has to create; hand every event on."""

    def keep(event: Event) -> None:
        if isinstance(event, RecordsNeeded):
            records.extend(event.records)
        emit(event)

    return keep


def _say(found: Run, outcome: Outcome, records: tuple[DnsRecord, ...]) -> None:
    terminal, counts = found.terminal, Counter(outcome.done.values())
    changed = {action: count for action, count in counts.items() if action not in (Action.NOTHING, Action.NOT_CHOSEN)}
    if not outcome.ok:
        names = ", ".join(map(str, outcome.failed))
        terminal.say(f"[red]failed[/]: {names}; {len(outcome.cancelled)} not started, {len(outcome.done)} as they should be")
    elif not changed:
        terminal.say(f"Nothing to do: {counts[Action.NOTHING]} stacks are as they should be ({outcome.seconds:.1f} s).")
    else:
        said = ", ".join(f"{count} {PAST.get(action, action)}" for action, count in changed.items())
        terminal.say(f"[bold]https://{found.domain}{found.path}[/] is deployed: {said} ({outcome.seconds:.1f} s).")
    if records:
        terminal.say(
            "The domain's DNS is hosted elsewhere; it needs these records there (the two of one name are a failover pair):"
        )
        for record in records:
            terminal.say(f"  {zone_file_line(record)}")
