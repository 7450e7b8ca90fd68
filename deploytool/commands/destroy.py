"""deploytool destroy: delete a stage's stacks in reverse order."""

import sys
from argparse import Namespace

from deploytool.commands._common import Run, opened, title
from deploytool.commands._interrupts import exit_code, interrupts
from deploytool.core.errors import InputError
from deploytool.render.progress import progress
from deploytool.render.results import outcome_document
from deploytool.work.deploy import DeployOptions, find_deployed
from deploytool.work.destroy import destroy


def run(args: Namespace) -> int:
    """Ask for the domain, then delete; 0 when every stack is gone."""
    if args.region:
        raise InputError("--region: destroy takes both regions; a stage with one region has no failover")
    with opened(args) as found:
        graph = found.graph.whole()
        existing = find_deployed(found.target.ports, graph)
        if existing and not args.yes:
            _ask(found, len(existing))
        with progress(found.terminal, found.target.ports.clock, title(found, "Destroy")) as emit, interrupts() as asked:
            outcome = destroy(graph, found.target.ports, emit, DeployOptions(wait=args.wait, interrupts=asked))
        found.terminal.document(outcome_document(outcome, emit.board))
        deleted = sum(action == "delete" for action in outcome.done.values())
        if outcome.ok:
            found.terminal.say(
                f"{deleted} stacks deleted ({outcome.seconds:.1f} s)."
                if deleted
                else "Nothing to do: no stack of this stage exists."
            )
            if deleted:
                found.terminal.say(
                    "The hosted zone is retained, so that a delegation stays valid; delete it in Route 53 when you are done."
                )
        return exit_code(outcome)


def _ask(found: Run, count: int) -> None:
    """Raises InputError unless the domain is typed."""
    where = " and ".join(found.project.config.regions)
    found.terminal.note(f"This deletes {count} stacks of stage {found.graph.stage} in {where} ({found.target.name}).")
    if not sys.stdin.isatty():
        raise InputError("nobody is there to confirm", hint="with --yes nothing is asked")
    found.terminal.note(f"Type the domain to go on ({found.domain}): ")
    if input().strip() != found.domain:
        raise InputError("that is not the domain; nothing was deleted")
