"""deploytool deploy: bring the stacks of a stage to their desired state."""

from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from rich.markup import escape

from deploytool.commands._common import Run, chosen, opened, regions_checked, title
from deploytool.commands._interrupts import exit_code, interrupts
from deploytool.core.certificates.certificate import zone_file_line
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.project.graph import NodeId
from deploytool.core.route53.names import regional_name
from deploytool.core.route53.zone import DnsRecord
from deploytool.core.stacks.events import Emit, Event, RecordsNeeded
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.planfile import changes_since, plan_basis, read_plan_file
from deploytool.core.stacks.rollout import Endpoint, left_behind
from deploytool.render.run.outcome import (
    left_behind_line,
    outcome_document,
    parity_document,
    parity_lines,
)
from deploytool.render.run.progress import progress
from deploytool.render.run.run_state import PAST
from deploytool.services import deployed_service
from deploytool.work.certificates.retained_zone import RetainedZoneCheck
from deploytool.work.certificates.watch import CertificateGuard, CertificateWatch, targets_elsewhere
from deploytool.work.check import wait_until_good
from deploytool.work.rollout.parity import compare
from deploytool.work.rollout.rollout import Rollout, RolloutGate, RolloutPorts
from deploytool.work.stacks.deploy import DeployOptions, deploy, find_deployed
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.operations import Outcome

EXPRESS_PATIENCE = 300.0  # seconds until what express mode left behind must serve


def run(args: Namespace) -> int:
    """Deploy; 0 when every stack is as desired, 1 when one is not."""
    if not args.delegation_timeout >= 0:
        raise InputError("--delegation-timeout: seconds, 0 or more")
    if not args.settle >= 0:
        raise InputError("--settle: seconds, 0 or more")
    with opened(args) as found:
        choice = chosen(args, found)
        if args.plan_file:
            _check_plan(args.plan_file, found)
        needed: list[DnsRecord] = []
        with (
            progress(found.terminal, found.target.ports.clock, title(found, "Deploy")) as show,
            interrupts() as asked,
        ):
            emit = _keeping(needed, show)
            watch = CertificateWatch(found.graph, lambda: found.target.certificates, emit)
            gate = _gate(args, found, choice, emit)
            hooks: list[DeployHooks] = [
                gate,
                RetainedZoneCheck(lambda: found.target.certificates),
                watch,
            ]
            if args.delegation_check:
                hooks.append(
                    CertificateGuard(
                        lambda: found.target.certificates, emit, args.delegation_timeout
                    )
                )
            with closing(watch):
                options = DeployOptions(
                    args.express, args.wait, asked, tuple(hooks), ready=args.scope is not None
                )
                outcome = deploy(found.graph, found.target.ports, emit, choice, options)
        records = tuple(dict.fromkeys((*needed, *targets_elsewhere(found.graph, outcome.outputs))))
        parity = compare(
            found.graph, _endpoint(found), gate.deployed, outcome, lambda: found.target.parity
        )
        left = left_behind(found.graph, gate.deployed)
        document = outcome_document(outcome, show.run_state) | {
            "records_to_create": [asdict(record) for record in records],
            "parity": parity_document(parity),
            "left_behind": [{"stack": node.stack, "region": node.region} for node in left],
        }
        found.terminal.document(document)
        _say(found, outcome, records)
        for line in (
            *parity_lines(parity),
            *([left_behind_line(found.graph.stage, left)] if left else ()),
        ):
            found.terminal.say(line)
        if args.express and outcome.ok and not _ready(found):
            return 1
        return exit_code(outcome)


def _ready(found: Run) -> bool:
    """Express mode ends before resources are ready, so that readiness is for us to see."""
    service = deployed_service(found.project, found.graph, found.target)
    found.terminal.note(
        f"[dim]waiting until https://{found.domain}{found.path} is served (express mode does not)[/]"
    )
    wrong = wait_until_good(found.target.probes, service, EXPRESS_PATIENCE)
    for problem in wrong:
        found.terminal.say(f"[red]not ready[/]: {escape(problem)}")
    return not wrong


def _gate(args: Namespace, found: Run, choice: Callable[[NodeId], bool], emit: Emit) -> RolloutGate:
    ports = RolloutPorts(found.target.ports.clock, lambda: found.target.probes)
    rollout = Rollout(
        regions_checked(args, found.project), choice, args.parallel, args.settle, found.target.speed
    )
    return RolloutGate(found.graph, _endpoint(found), ports, emit, rollout)


def _endpoint(found: Run) -> Endpoint:
    regions = {
        region: regional_name(region, found.domain) for region in found.project.config.regions
    }
    return Endpoint(found.domain, found.path, regions)


def _check_plan(path: Path, found: Run) -> None:
    """Raises DeploytoolError when anything moved since the plan was made, InputError when the file
    is no plan of this stage.
    """
    try:
        planned = read_plan_file(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    now = plan_basis(found.graph, found.target.name, find_deployed(found.target.ports, found.graph))
    if (planned.project, planned.stage, planned.target) != (now.project, now.stage, now.target):
        raise InputError(
            f"{path}: is a plan for {planned.project}, stage {planned.stage} on {planned.target}"
        )
    if faults := changes_since(planned, now):
        said = "\n".join(["the world moved since the plan was made; nothing was deployed", *faults])
        raise DeploytoolError(
            said, hint=f"make the plan anew and look at it: deploytool plan --out {path}"
        )


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
        action: count
        for action, count in counts.items()
        if action not in (Action.NOTHING, Action.NOT_CHOSEN, Action.LATER)
    }
    later = ", ".join(str(node) for node, action in outcome.done.items() if action == Action.LATER)
    if outcome.stopped:
        terminal.say(
            f"[yellow]stopped[/]: {len(outcome.done)} stacks are as they should be, {len(outcome.stopped)} are not"
        )
    elif not outcome.ok:
        names = ", ".join(map(str, outcome.failed))
        terminal.say(
            f"[red]failed[/]: {names}; {len(outcome.cancelled)} not started, {len(outcome.done)} as they should be"
        )
    elif not changed:
        terminal.say(
            f"Nothing to do: {counts[Action.NOTHING]} stacks are as they should be ({outcome.seconds:.1f} s)."
        )
    else:
        said = ", ".join(f"{count} {PAST.get(action, action)}" for action, count in changed.items())
        whole = not (later or counts[Action.NOT_CHOSEN])
        what = (
            f"[bold]https://{found.domain}{found.path}[/] is deployed"
            if whole
            else f"Stage {found.graph.stage}, in part"
        )
        terminal.say(f"{what}: {said} ({outcome.seconds:.1f} s).")
    if later:
        terminal.say(f"Left for a later run, behind stacks that this one does not deploy: {later}.")
    if records:
        terminal.say(
            "The domain's DNS is hosted elsewhere; it needs these records there (the two of one name are a failover pair):"
        )
        for record in records:
            terminal.say(f"  {zone_file_line(record)}")
