"""deploytool drill --domain and restore --domain: a failover pair that deploytool did not deploy."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploytool.aws.breaker import GLOBAL_REGION
from deploytool.aws.limits import PATIENT, QUICK, Limits
from deploytool.commands._announcement import announce, telling_if_offline
from deploytool.commands._conduct import Drill, conduct
from deploytool.commands._confirmation import confirm_foreign
from deploytool.commands._context import terminal_of
from deploytool.commands._resolvers import tell_left_out
from deploytool.commands._restored import report_restored
from deploytool.commands.arguments.base import StageArguments
from deploytool.commands.arguments.drill import DrillArguments
from deploytool.commands.arguments.restore import RestoreArguments
from deploytool.core.drill.drill_tag import FAULT, TAG
from deploytool.core.drill.pair import PairState, children_in_words, listed
from deploytool.core.drill.pair_policy import pair_policy
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.project.drill_settings import DrillSettings
from deploytool.core.route53.names import domain_problem
from deploytool.core.service.service import Service
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.targets.factory import Place, open_target_at
from deploytool.targets.pairs import find, find_drilled, pair_ports, pair_service
from deploytool.targets.target import Target
from deploytool.work.drill.faults import make_fault
from deploytool.work.drill.pair_preflight import pair_preflight
from deploytool.work.drill.restore import restore
from deploytool.work.drill.undo import in_words


def drill_pair(arguments: DrillArguments) -> int:
    """Drill the pair of --domain; return 0 when the verdict is pass, 1 otherwise."""
    domain = _domain_of(arguments, arguments.domain)
    if arguments.fault != FAULT:
        raise InputError(
            f"--fault {arguments.fault}: a pair that deploytool did not deploy is drilled by"
            f" {FAULT} only"
        )
    with _open(arguments) as (terminal, target):
        if arguments.show_policy:
            return _show_policy(target, domain, arguments.zone_id)
        state = find(target, domain, arguments.zone_id)
        service = pair_service(state.pair, state.health_check_id, arguments.path)
        ports = pair_ports(target, service, arguments.region_header)
        tell_left_out(terminal, target.network)
        if arguments.dry_run:
            return _plan(terminal, state, ports, service)

        for line in _found_lines(state, service):
            terminal.note(line)
        terminal.note(
            "[yellow]! there is no guard: if this process dies, restore from any machine with[/]"
            f" deploytool restore {escape(service.selector)}"
        )
        confirm_foreign(
            terminal,
            domain,
            "This drill moves its traffic to the secondary and back.",
            answer=arguments.confirm,
            yes=arguments.yes,
        )
        drill = Drill(
            terminal,
            target,
            ports,
            service,
            DrillSettings(),
            with_guard=False,
            refuse=pair_preflight(state),
        )
        return conduct(drill, arguments)


def restore_pair(arguments: RestoreArguments) -> int:
    """Undo what a drill of the pair of --domain left; return as `deploytool restore` does."""
    domain = _domain_of(arguments, arguments.domain)
    with _open(arguments, QUICK) as (terminal, target):
        service = find_drilled(target, domain, arguments.zone_id)
        result = restore(pair_ports(target, service), service)
        return report_restored(terminal, result, service.selector)


@contextmanager
def _open(arguments: StageArguments, limits: Limits = PATIENT) -> Iterator[tuple[Terminal, Target]]:
    terminal = terminal_of(arguments)
    place = Place(Path.cwd())
    with (
        open_target_at(place, local=arguments.local, limits=limits) as target,
        telling_if_offline(terminal, target),
    ):
        announce(terminal, target, (GLOBAL_REGION,))
        yield terminal, target


def _domain_of(arguments: StageArguments, domain: str) -> str:
    """Return the domain without a final dot. Raises InputError."""
    for option, given in (("--stage", arguments.stage), ("--region", arguments.regions)):
        if given:
            raise InputError(
                f"{option}: belongs to a stage of a project, and --domain to a pair that"
                " deploytool did not deploy; leave one of them out"
            )
    name = domain.rstrip(".").lower()
    if problem := domain_problem(name):
        raise InputError(f"--domain: {problem}")
    return name


def _show_policy(target: Target, domain: str, zone_id: str) -> int:
    """Print the least permissions; with the ids of the pair where it can be read."""
    try:
        state = find(target, domain, zone_id)
    except DeploytoolError:
        policy = pair_policy(zone_id, "")
    else:
        others = sorted({*state.children, *state.pair.secondary.health_checks()})
        policy = pair_policy(state.pair.zone_id, state.health_check_id, others)
    # A document for IAM, whatever the format of the results is
    sys.stdout.write(json.dumps(policy, indent=2) + "\n")
    Terminal.has_document = True
    return 0


def _found_lines(state: PairState, service: Service) -> Iterator[str]:
    """Yield what the drill works with."""
    pair = state.pair
    yield f"[bold]{escape(pair.domain)}[/] in hosted zone {pair.zone_id} ({escape(pair.zone_name)})"
    for role, region, side in (
        ("primary", service.primary, pair.primary),
        ("secondary", service.secondary, pair.secondary),
    ):
        where = "" if region == role else f"  ({region})"
        yield f"  {role:<10} {escape(side.name)}{escape(where)}"
    check = state.health_check.config
    yield f"  health check {state.health_check_id}, {check.type}"
    if state.children:
        yield f"    its children: {children_in_words(state)}"
    if state.followers:
        yield f"  these names move too: {escape(listed(state.followers))}"


def _plan(terminal: Terminal, state: PairState, ports: DrillPorts, service: Service) -> int:
    """Print what a drill would touch; return 0 when it could start. Raises DrillRefused."""
    fault = make_fault(FAULT, ports, service)
    pair_preflight(state)(ports, service)
    check = state.health_check_id
    calls = [
        f"route53:ChangeTagsForResource {check}, adds {TAG}",
        *fault.calls(),
        *(in_words(step) for step in fault.undo()),
        f"route53:ChangeTagsForResource {check}, removes {TAG}",
    ]
    records = [
        f"{record.name.rstrip('.')} {record.type} {record.failover or record.set_identifier}".strip()
        for record in state.pair.records()
    ]
    terminal.document(
        {
            "domain": state.pair.domain,
            "zone": state.pair.zone_id,
            "records": records,
            "health_check": check,
            "primary": service.primary,
            "secondary": service.secondary,
            "calls": calls,
        }
    )
    for line in _found_lines(state, service):
        terminal.say(line)
    terminal.say("A drill could start now. It changes no record. It would call:")
    for call in calls:
        terminal.say(f"  {escape(call)}")
    return 0
