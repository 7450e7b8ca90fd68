"""deploytool deploy: bring the stacks of a stage to their desired state."""

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from deploytool.commands._context import CommandContext, open_context, service_role, stack_filter
from deploytool.commands._interrupts import exit_code, interrupts
from deploytool.commands._repair import NOTE, refuse_combinations
from deploytool.commands._standby import (
    all_standby_records,
    keep_deployment,
    kept_document,
    left_zone,
    report_kept,
)
from deploytool.commands._takeover import adopting, confirm_takeover, name_hint
from deploytool.commands.arguments.deploy import DeployArguments
from deploytool.core.certificates.certificate import zone_file_line
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.project.graph import NodeId
from deploytool.core.route53.names import regional_name
from deploytool.core.route53.zone import DnsRecord
from deploytool.core.stacks.events import Emit, Event, RecordsNeeded
from deploytool.core.stacks.outage import refusal_of_unreachable
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.planfile import PlanBasis, changes_since, plan_basis, read_plan_file
from deploytool.core.stacks.rollout import Endpoint, left_behind
from deploytool.files.text import read_text
from deploytool.render.run.outcome import (
    left_behind_line,
    left_zone_line,
    outage_lines,
    outcome_document,
    parity_document,
    parity_lines,
)
from deploytool.render.run.progress import progress
from deploytool.render.run.run_state import PAST
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.targets.service import deployed_service
from deploytool.work.alarms import check_alarms
from deploytool.work.certificates.external_dns import external_targets
from deploytool.work.certificates.guard import CertificateGuard
from deploytool.work.certificates.watch import CertificateWatch
from deploytool.work.certificates.zone_change import ZoneChangeGate
from deploytool.work.certificates.zone_check import ZoneCheck
from deploytool.work.check import wait_until_good
from deploytool.work.failover.standby import Kept
from deploytool.work.rollout.identity import IdentityCheck, IdentityPorts, IdentitySettings
from deploytool.work.rollout.parity import compare
from deploytool.work.rollout.rollout import Rollout, RolloutGate, RolloutPorts
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployOptions, find_reachable
from deploytool.work.stacks.stored_values import UnreadValues

EXPRESS_TIMEOUT = 300.0  # seconds until what express mode created must serve


@dataclass(frozen=True)
class _Deployment:
    """How a deployment ended, what the gate learned, and the DNS records to create elsewhere.

    `problems` are those of the changed regions, where only the check after the change tells them.
    `unread` says of which values in Parameter Store it is not known whether they have changed. `kept`
    says whether the records in the standby region were written.
    """

    outcome: Outcome
    gate: RolloutGate
    identity: IdentityCheck
    records: tuple[DnsRecord, ...]
    problems: tuple[str, ...]
    unread: tuple[str, ...]
    kept: Kept


def run(arguments: DeployArguments) -> int:
    """Deploy; return 0 when every chosen stack is in its desired state, 1 when one is not.

    4 when only what needs an API that does not answer is missing.
    """
    refuse_combinations(arguments)
    role_arn = service_role(arguments.role_arn)
    planned = _read_plan(arguments.plan_file) if arguments.plan_file else None
    with open_context(arguments, role_arn=role_arn, builds=True, changes=True) as context:
        is_selected = stack_filter(context, arguments.stacks, arguments.scope)
        if arguments.plan_file and planned:
            _check_plan(arguments.plan_file, planned, context)

        graph, terminal = context.graph, context.terminal
        check_alarms(graph, is_selected, context.target.alarms, context.project.config.file)
        if arguments.adopt:
            confirm_takeover(context, yes=arguments.yes)
        with progress(terminal, context.target.ports.clock, context.title("Deploy")) as show:
            deployment = _deploy(arguments, context, is_selected, show)
        outcome = deployment.outcome
        # The gate keeps the stacks as they were found, before this run changed them
        deployed_before = deployment.gate.deployed

        parity = compare(
            graph, _endpoint(context), deployed_before, outcome, lambda: context.target.parity
        )
        left = left_behind(graph, deployed_before)
        kept = deployment.kept
        zone = left_zone(context, deployment.identity.record, deployed_before, outcome)
        document = outcome_document(outcome, show.run_state) | {
            "records_to_create": [asdict(record) for record in deployment.records],
            "parity": parity_document(parity),
            "left_behind": [{"stack": node.stack, "region": node.region} for node in left],
            "left_zone": zone,
            "standby_record": kept_document(kept),
            "problems": list(deployment.problems),
            "unread_values": list(deployment.unread),
        }
        terminal.document(document)
        _print_outcome(context, outcome)
        if arguments.repair:
            terminal.note(f"[dim]{NOTE}[/]")
        for line in outage_lines(outcome, _command(context)):
            terminal.say(line)
        _print_findings(terminal, deployment)
        for line in parity_lines(parity):
            terminal.say(line)
        if left:
            terminal.say(left_behind_line(graph.stage, left))
        if zone:
            terminal.say(left_zone_line(zone))

        code = report_kept(context, kept, exit_code(outcome))
        if deployment.problems:
            return 1
        # While an API does not answer, the gate's check has done this
        ready_unknown = arguments.express and outcome.ok and not outcome.unreachable
        if ready_unknown and not _wait_until_ready(context):
            return 1
        return code


def _deploy(
    arguments: DeployArguments,
    context: CommandContext,
    is_selected: Callable[[NodeId], bool],
    show: Emit,
) -> _Deployment:
    """Deploy with the hooks that the arguments ask for."""
    graph, target = context.graph, context.target
    records: list[DnsRecord] = []

    def emit(event: Event) -> None:
        if isinstance(event, RecordsNeeded):
            records.extend(event.records)
        show(event)

    changed = tuple(region for region in context.regions if region in graph.regions)
    rollout = Rollout(changed, is_selected, arguments.parallel, arguments.settle, target.speed)
    # The ports of the hooks are made when a hook needs them: a deployment with nothing to do does
    # not pay for DNS and HTTPS
    ports = RolloutPorts(target.ports.clock, lambda: target.probes)
    gate = RolloutGate(graph, _endpoint(context), ports, emit, rollout)
    identity = IdentityCheck(
        graph,
        context.project.config,
        _endpoint(context),
        IdentityPorts(ports.clock, lambda: all_standby_records(context), ports.probes),
        emit,
        IdentitySettings(arguments.replace_domain, arguments.settle, target.speed),
    )
    watch = CertificateWatch(graph, lambda: target.certificates, emit)
    file = context.project.config.file
    zone_check = ZoneCheck(graph, is_selected, lambda: target.certificates.zones, file)
    unread = UnreadValues()
    hooks: list[DeployHooks] = [identity, zone_check, gate, unread, watch]
    hooks.append(ZoneChangeGate(lambda: target.certificates))
    if arguments.delegation_check:
        timeout = arguments.delegation_timeout
        hooks.append(CertificateGuard(lambda: target.certificates, emit, timeout))

    kept: list[Kept] = []

    def finish(outcome: Outcome) -> None:
        kept.append(keep_deployment(context, gate.deployed, outcome))

    # The watch polls in threads, which must end with the run, however it ends
    with interrupts() as signals, closing(watch):
        options = DeployOptions(
            express=arguments.express,
            wait=arguments.wait,
            interrupts=signals,
            hooks=tuple(hooks),
            ready=arguments.scope is not None,
            repair=arguments.repair,
            command_options=_local_option(context),
            name_hint=name_hint(context),
            finish=finish,
        )
        if arguments.adopt:
            graph = adopting(graph)
        outcome = deploy(graph, target.ports, emit, is_selected, options)
        problems = gate.problems_after()

    # Both sources may name the same record; dict.fromkeys keeps the order. Half of the targets
    # would be half of a failover pair
    targets = () if outcome.unreachable else external_targets(graph, outcome.outputs)
    needed = dict.fromkeys((*records, *targets))
    return _Deployment(outcome, gate, identity, tuple(needed), problems, unread.lines, kept[0])


def _local_option(context: CommandContext) -> str:
    return " --local" if context.target.name == "local" else ""


def _command(context: CommandContext) -> str:
    """Return the command that deploys the whole stage."""
    return f"deploytool deploy --stage {context.graph.stage}{_local_option(context)}"


def _wait_until_ready(context: CommandContext) -> bool:
    """Wait until the API serves: in express mode CloudFormation does not wait for that."""
    service = deployed_service(context.project, context.graph, context.target)
    url = f"https://{context.domain}{context.graph.path}"
    context.terminal.note(f"[dim]Waiting until {url} is served, which express mode does not.[/]")

    target = context.target
    problems = wait_until_good(target.probes, target.ports.executor, service, EXPRESS_TIMEOUT)
    for problem in problems:
        context.terminal.say(f"[red]not ready[/]: {escape(problem)}")
    if problems:
        context.terminal.say(
            f"  after {EXPRESS_TIMEOUT:.0f} s; AWS does not say how long the resources take:"
            " deploytool check looks again"
        )
    return not problems


def _endpoint(context: CommandContext) -> Endpoint:
    domain = context.domain
    regions = {region: regional_name(region, domain) for region in context.project.config.regions}
    return Endpoint(domain, context.graph.path, regions)


def _read_plan(path: Path) -> PlanBasis:
    """Return what a plan file is based on. Raises InputError when it is not one."""
    return read_plan_file(read_text(path, "make one: deploytool plan --out FILE"), str(path))


def _check_plan(path: Path, planned: PlanBasis, context: CommandContext) -> None:
    """Compare the plan file with what is deployed now.

    Raises DeploytoolError when anything has changed since the plan was made, InputError when the
    file is not a plan of this stage, ApiUnavailable when a region cannot be compared.
    """
    ports = context.target.ports
    found = find_reachable(ports.stacks, ports.executor, context.graph)
    refusal = refusal_of_unreachable(
        context.graph, found, context.graph.nodes, options=_local_option(context)
    )
    if refusal is not None:
        raise refusal
    now = plan_basis(context.graph, context.target.name, found.deployed)
    if (planned.project, planned.stage, planned.target) != (now.project, now.stage, now.target):
        raise InputError(
            f"{path}: is a plan for {planned.project}, stage {planned.stage} on {planned.target}"
        )

    changes = changes_since(planned, now)
    if changes:
        headline = "the plan is out of date; nothing was deployed"
        raise DeploytoolError(
            "\n".join([headline, *changes]),
            hint=f"make a new plan and review it: deploytool plan --out {path}",
        )


def _print_outcome(context: CommandContext, outcome: Outcome) -> None:
    terminal = context.terminal
    counts: Counter[str] = Counter(outcome.done.values())
    later = [str(node) for node, action in outcome.done.items() if action == Action.LATER]

    if outcome.stopped:
        terminal.say(
            f"[yellow]stopped[/]: {len(outcome.done)} stacks are in their desired state,"
            f" {len(outcome.stopped)} are not"
        )
    elif outcome.failed:
        names = ", ".join(str(node) for node in outcome.failed)
        terminal.say(
            f"[red]failed[/]: {names}; {len(outcome.cancelled)} not started,"
            f" {len(outcome.done)} in their desired state"
        )
    else:
        _print_success(context, counts, outcome.seconds)
    if later:
        terminal.say(
            "Left for a later run, because they need stacks that this run does not deploy:"
            f" {', '.join(later)}."
        )


def _print_success(context: CommandContext, counts: Counter[str], seconds: float) -> None:
    unchanged = (Action.NOTHING, Action.NOT_CHOSEN, Action.LATER, Action.LEFT)
    changed = [
        f"{count} {PAST.get(action, action)}"
        for action, count in counts.items()
        if action not in unchanged
    ]
    if not changed:
        left = counts[Action.LEFT]
        subject = f"Nothing was changed, {left} left" if left else "Nothing to do"
        context.terminal.say(
            f"{subject}: {counts[Action.NOTHING]} stacks are in their desired state"
            f" ({seconds:.1f} s)."
        )
        return

    is_partial = counts[Action.LATER] or counts[Action.NOT_CHOSEN] or counts[Action.LEFT]
    if is_partial:
        subject = f"Part of stage {context.graph.stage} is deployed"
    else:
        subject = f"[bold]https://{context.domain}{context.graph.path}[/] is deployed"
    context.terminal.say(f"{subject}: {', '.join(changed)} ({seconds:.1f} s).")


def _print_findings(terminal: Terminal, deployment: _Deployment) -> None:
    for line in deployment.unread:
        terminal.say(f"[yellow]not known[/]: {escape(line)}")
    for problem in deployment.problems:
        terminal.say(f"[red]not ready[/]: {escape(problem)}")
    _print_records(terminal, deployment.records)


def _print_records(terminal: Terminal, records: tuple[DnsRecord, ...]) -> None:
    if not records:
        return
    terminal.say(
        "The domain's DNS is hosted elsewhere. Create these records there"
        " (two records of one name are a failover pair):"
    )
    for record in records:
        terminal.say(f"  {zone_file_line(record)}")
