"""deploytool destroy: delete a stage's stacks in reverse order."""

from argparse import Namespace

from deploytool.commands._common import Run, confirmed, opened, title
from deploytool.commands._interrupts import exit_code, interrupts
from deploytool.core.errors import InputError
from deploytool.render.run.outcome import outcome_document
from deploytool.render.run.progress import progress
from deploytool.work.certificates.cleanup import ZoneCleaner
from deploytool.work.stacks.deploy import DeployOptions, find_deployed
from deploytool.work.stacks.destroy import destroy


def run(args: Namespace) -> int:
    """Ask for the domain, then delete; 0 when every stack is gone."""
    if args.region:
        raise InputError(
            "--region: destroy takes both regions; a stage with one region has no failover"
        )
    with opened(args) as found:
        graph = found.graph.whole()
        existing = find_deployed(found.target.ports, graph)
        if (existing or args.delete_zone) and not args.yes:
            _ask(found, len(existing), zone=args.delete_zone)
        with (
            progress(found.terminal, found.target.ports.clock, title(found, "Destroy")) as emit,
            interrupts() as asked,
        ):
            cleaner = ZoneCleaner(graph, existing, found.target.certificates, emit)
            options = DeployOptions(wait=args.wait, interrupts=asked)
            outcome = destroy(graph, found.target.ports, emit, options, cleaner.before)
            if outcome.ok:
                cleaner.finish()
            kept = cleaner.delete_zones() if outcome.ok and args.delete_zone else ()
        found.terminal.document(
            outcome_document(outcome, emit.run_state) | {"zones_kept": list(kept)}
        )
        deleted = sum(action == "delete" for action in outcome.done.values())
        if outcome.ok:
            found.terminal.say(
                f"{deleted} stacks deleted ({outcome.seconds:.1f} s)."
                if deleted
                else "Nothing to do: no stack of this stage exists."
            )
            if deleted and not args.delete_zone:
                found.terminal.say(
                    "The hosted zone is retained, so that a delegation stays valid; destroy --delete-zone deletes it too."
                )
        for words in kept:
            found.terminal.say(f"[red]not deleted[/]: {words}")
        return 1 if kept else exit_code(outcome)


def _ask(found: Run, count: int, *, zone: bool) -> None:
    """Raises InputError unless the domain is typed."""
    where = " and ".join(found.project.config.regions)
    what = f"{count} stacks and the hosted zone" if zone else f"{count} stacks"
    found.terminal.note(
        f"This deletes {what} of stage {found.graph.stage} in {where} ({found.target.name})."
    )
    confirmed(
        found.terminal,
        "the domain",
        found.domain,
        wrong="that is not the domain; nothing was deleted",
    )
