"""deploytool destroy: delete a stage's stacks in reverse order."""

from dataclasses import replace

from deploytool.commands._confirmation import confirm
from deploytool.commands._context import CommandContext, open_context, service_role
from deploytool.commands._interrupts import exit_code, interrupts
from deploytool.commands._standby import all_standby_records, remove_records, report_kept
from deploytool.commands.arguments.deploy import DestroyArguments
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.failover.identity import changed_regions, other_domain
from deploytool.core.stacks.outage import refusal_of_deletion
from deploytool.core.stacks.ownership import describe_foreign, foreign_of, ours_of
from deploytool.render.run.outcome import outcome_document
from deploytool.render.run.progress import progress
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.work.certificates.cleanup import ZoneCleaner
from deploytool.work.failover.standby import Kept
from deploytool.work.rollout.identity import find_standby_record
from deploytool.work.stacks.destroy import destroy
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployOptions, find_reachable


def run(arguments: DestroyArguments) -> int:
    """Ask for the domain, then delete; return 0 when every stack is gone."""
    if arguments.regions:
        raise InputError(
            "--region: destroy always deletes the stacks of all regions;"
            " a stage with one region has no failover"
        )
    role_arn = service_role(arguments.role_arn)
    with open_context(arguments, role_arn=role_arn, changes=True) as context:
        terminal, target = context.terminal, context.target
        # Stacks that the stage does not use any more are deleted too
        graph = context.graph.whole()
        found = find_reachable(target.ports.stacks, target.ports.executor, graph)
        refusal = refusal_of_deletion(found)
        if refusal is not None:
            raise refusal
        existing = ours_of(graph, found.deployed)
        not_ours = [
            describe_foreign(node_id, stack)
            for node_id, stack in foreign_of(graph, found.deployed).items()
        ]
        if existing:
            _refuse_another_stage(context)
        if (existing or arguments.delete_zone) and not arguments.yes:
            _confirm(context, len(existing), delete_zone=arguments.delete_zone)

        with (
            progress(terminal, target.ports.clock, context.title("Destroy")) as emit,
            interrupts() as signals,
        ):
            # Reads the outputs of the stacks, so it is made before they are deleted
            cleaner = ZoneCleaner(graph, existing, target.certificates, emit)
            leftovers = _Leftovers(context, cleaner, delete_zone=arguments.delete_zone)
            options = DeployOptions(
                wait=arguments.wait, interrupts=signals, finish=leftovers.remove
            )
            outcome = destroy(graph, target.ports, emit, options, cleaner.before)

        document = outcome_document(outcome, emit.run_state)
        kept, records = leftovers.kept, leftovers.records
        terminal.document(
            document
            | {
                "zones_kept": list(kept),
                "not_ours": not_ours,
                "errors": [str(error) for error in records.errors],
            }
        )
        _print_outcome(terminal, outcome, delete_zone=arguments.delete_zone)
        for line in not_ours:
            terminal.say(f"[yellow]left[/]: {escape(line)}")
        for reason in kept:
            terminal.say(f"[red]not deleted[/]: {reason}")
        code = 1 if kept else exit_code(outcome)
        return report_kept(context, records, code)


class _Leftovers:
    """What is left of a stage when its stacks are deleted: its zones' records, and its own records.

    `kept` are the reasons why hosted zones stay that should have been deleted.
    """

    def __init__(self, context: CommandContext, cleaner: ZoneCleaner, *, delete_zone: bool) -> None:
        self.kept: tuple[str, ...] = ()
        self.records = Kept(done=False)
        self._context = context
        self._cleaner = cleaner
        self._delete_zone = delete_zone

    def remove(self, outcome: Outcome) -> None:
        """Remove it. What fails is told: the stacks are deleted by now, and that is reported."""
        if not outcome.ok:
            return
        errors: tuple[DeploytoolError, ...] = ()
        try:
            self._cleaner.finish()
            if self._delete_zone:
                self.kept = self._cleaner.delete_zones()
        except DeploytoolError as error:
            errors = (error,)
        # After the function that writes into them is gone
        records = remove_records(self._context)
        self.records = replace(records, errors=(*errors, *records.errors))


def _refuse_another_stage(context: CommandContext) -> None:
    """Raise InputError unless regions and domain are those of the stacks.

    With other regions some stacks would stay unseen, and with another domain the user means another
    stage than the one that would be deleted.
    """
    record = find_standby_record(all_standby_records(context))
    if record is None:
        return
    config = context.project.config
    problems = [changed_regions(record, config), other_domain(record, config)]
    found = [problem for problem in problems if problem is not None]
    if found:
        raise InputError(found)


def _print_outcome(terminal: Terminal, outcome: Outcome, *, delete_zone: bool) -> None:
    if not outcome.ok:
        return
    deleted = sum(action == "delete" for action in outcome.done.values())
    if not deleted:
        terminal.say("Nothing to do: no stack of this stage exists.")
        return
    terminal.say(f"{deleted} stacks deleted ({outcome.seconds:.1f} s).")
    if not delete_zone:
        terminal.say(
            "The hosted zone is retained, so that its delegation stays valid;"
            " destroy --delete-zone deletes it too."
        )


def _confirm(context: CommandContext, count: int, *, delete_zone: bool) -> None:
    """Ask for the domain. Raises InputError unless it is typed."""
    zone = " and the hosted zone" if delete_zone else ""
    regions = " and ".join(context.graph.whole().all_regions)
    context.terminal.note(
        f"This deletes {count} stacks{zone} of stage {context.graph.stage}"
        f" in {regions} ({context.target.name})."
    )
    confirm(
        context.terminal,
        "the domain",
        context.domain,
        wrong="that is not the domain; nothing was deleted",
    )
