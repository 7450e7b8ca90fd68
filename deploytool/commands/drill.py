"""deploytool drill: make the primary fail, measure the failover, restore.

The history is written while the drill runs.
"""

from functools import partial

from deploytool.commands._conduct import Drill, conduct
from deploytool.commands._confirmation import confirm_domain
from deploytool.commands._context import CommandContext, open_context
from deploytool.commands._pair import drill_pair
from deploytool.commands._resolvers import tell_left_out
from deploytool.commands.arguments.drill import DrillArguments
from deploytool.core.drill.judge import Judgement
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import record_name
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.service.service import Service
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.targets.service import deployed_service, drill_ports
from deploytool.work.drill.faults import make_fault
from deploytool.work.drill.last_drill import note_last_drill
from deploytool.work.drill.preflight import preflight
from deploytool.work.drill.undo import in_words


def run(arguments: DrillArguments) -> int:
    """Run a drill; return 0 when the verdict is pass, 1 otherwise."""
    if arguments.domain:
        return drill_pair(arguments)
    for option in ("zone_id", "region_header", "show_policy"):
        if getattr(arguments, option):
            raise InputError(f"--{option.replace('_', '-')}: is for a pair, with --domain")
    with open_context(arguments, changes=True) as context:
        terminal = context.terminal
        service = deployed_service(context.project, context.graph, context.target)
        ports = drill_ports(context.target, context.project, service)
        tell_left_out(terminal, context.target.network)
        if arguments.dry_run:
            return _dry_run(arguments, context, ports, service)

        confirm_domain(
            terminal,
            context.project.config.stage(context.graph.stage),
            "This drill moves its traffic to the other region and back.",
            answer=arguments.confirm,
            yes=arguments.yes,
        )
        if arguments.no_guard:
            terminal.note(
                "[yellow]! without the guard: if this process dies, nothing restores by itself[/]"
            )
        drill = Drill(
            terminal,
            context.target,
            ports,
            service,
            context.project.config.drill,
            with_guard=not arguments.no_guard,
            note=partial(_note, terminal, ports),
        )
        return conduct(drill, arguments)


def _note(terminal: Terminal, ports: DrillPorts, judgement: Judgement) -> None:
    """Note in the standby region how the drill ended.

    Nothing depends on the note, so that a failure is told and does not change the verdict.
    """
    try:
        note_last_drill(ports, judgement)
    except DeploytoolError as error:
        terminal.note(
            f"[yellow]! the standby region does not know of this drill: {escape(str(error))};"
            " its verdict stands[/]"
        )


def _dry_run(
    arguments: DrillArguments, context: CommandContext, ports: DrillPorts, service: Service
) -> int:
    """Print each call that would change something; return 0 when a drill could start.

    Raises DrillRefused when it could not.
    """
    fault = make_fault(arguments.fault, ports, service)
    preflight(ports, service)

    record = f"{record_name(service.project, service.stage)} in {service.secondary}"
    with_guard = fault.guarded and not arguments.no_guard
    calls = []
    if with_guard:
        calls.append("scheduler:CreateSchedule, which restores if this process dies")
    calls.append(f"ssm:PutParameter {record}")
    calls.extend(fault.calls())
    calls.extend(in_words(step) for step in fault.undo())
    calls.append(f"ssm:DeleteParameter {record}")
    if with_guard:
        calls.append("scheduler:DeleteSchedule")

    terminal = context.terminal
    terminal.document(
        {
            "fault": fault.name,
            "proves": fault.proves,
            "blast_radius": fault.blast_radius,
            "calls": calls,
        }
    )
    terminal.say(f"[bold]{fault.name}[/]")
    terminal.say(f"  tests: {fault.proves}")
    terminal.say(f"  blast radius: {fault.blast_radius}")
    terminal.say("A drill could start now. It would call:")
    for call in calls:
        terminal.say(f"  {call}")
    return 0
