"""deploytool drill: make the primary fail, measure the failover, restore.

The history is written while the drill runs.
"""

import getpass
import socket
from pathlib import Path

from deploytool import __version__
from deploytool.commands._confirmation import confirm_domain
from deploytool.commands._context import CommandContext, open_context
from deploytool.commands._interrupts import patient_signals
from deploytool.commands._pair import drill_pair
from deploytool.commands._resolvers import tell_left_out
from deploytool.commands.arguments.drill import DrillArguments
from deploytool.commands.report import finish, judge_lines
from deploytool.core.drill.history import Event, FaultInjected, FaultInjecting
from deploytool.core.drill.judge import Judgement
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import record_name
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.service.service import Service
from deploytool.files.history import HISTORY, HistoryFile, prepare_reports
from deploytool.net.clock import iso_time
from deploytool.render.drill.activity import Activity
from deploytool.render.drill.progress import drill_progress
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.targets.service import deployed_service, drill_ports
from deploytool.work.drill.faults import make_fault
from deploytool.work.drill.last_drill import note_last_drill
from deploytool.work.drill.preflight import preflight
from deploytool.work.drill.run import DrillContext, run_drill
from deploytool.work.drill.undo import in_words

# Requests a second of wall time that each client makes by default
LOCAL_RATE = 10.0
AWS_RATE = 1.0
# Seconds of the target's time between two looks at the health checkers, at least
SHORTEST_HEALTH_INTERVAL = 2.0


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
        prepare_reports(arguments.report_dir)
        with HistoryFile(arguments.report_dir) as history:
            try:
                _drill(arguments, context, ports, service, history)
            except BaseException:
                if history.folder is not None:
                    _report_all_the_same(terminal, ports, history, history.folder)
                raise
        if history.folder is None:
            raise RuntimeError("a drill that ended without an error has no history")
        return _report(terminal, ports, history, history.folder)


def _report_all_the_same(
    terminal: Terminal, ports: DrillPorts, history: HistoryFile, folder: Path
) -> None:
    """Report a drill that an error ended. The error matters more than one of the report."""
    try:
        _report(terminal, ports, history, folder)
    except DeploytoolError as error:
        terminal.note(f"[yellow]! the report is not whole: {escape(str(error))}[/]")


def _report(terminal: Terminal, ports: DrillPorts, history: HistoryFile, folder: Path) -> int:
    """Report a drill from its history, as `deploytool report` does later; return the exit code."""
    judgement = judge_lines(history.lines(), folder / HISTORY)
    _note(terminal, ports, judgement)
    return finish(terminal, judgement, folder)


def _drill(
    arguments: DrillArguments,
    context: CommandContext,
    ports: DrillPorts,
    service: Service,
    history: HistoryFile,
) -> None:
    """Run the drill and write its history. Raises as `run_drill` does."""
    terminal = context.terminal
    scenario = _scenario(arguments, context)
    objectives = _objectives(arguments, context)
    activity = Activity()
    with (
        patient_signals(terminal, activity.answer) as signals,
        drill_progress(terminal) as show,
    ):
        drill_context = DrillContext(
            tool=__version__,
            wall_time=iso_time(context.target.unix_time()),
            target=context.target.name,
            speed=context.target.speed,
            holder=f"{getpass.getuser()}@{socket.gethostname()}",
            with_guard=not arguments.no_guard,
            interrupts=signals,
        )

        def emit(event: Event) -> None:
            # What restore has to undo must be on the disk before and after the injection
            is_injection = isinstance(event, FaultInjecting | FaultInjected)
            history.write(event, sync=is_injection)
            activity.observe(event)
            show(event)

        run_drill(ports, service, scenario, objectives, drill_context, emit)


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


def _scenario(arguments: DrillArguments, context: CommandContext) -> Scenario:
    """Return the scenario, with the rate (in wall time) as an interval in the target's seconds."""
    default_rate = LOCAL_RATE if context.target.name == "local" else AWS_RATE
    rate = arguments.rate or context.project.config.drill.rate or default_rate
    interval = context.target.speed / rate
    return Scenario(
        arguments.fault,
        client_interval=interval,
        dns_interval=interval,
        health_interval=max(SHORTEST_HEALTH_INTERVAL, interval),
        patience=arguments.patience_seconds or context.project.config.drill.patience_seconds,
    )


def _objectives(arguments: DrillArguments, context: CommandContext) -> Objectives:
    """Return the objectives of the configuration, replaced by those of the command line."""
    configured = context.project.config.drill.objectives
    rto_seconds = arguments.rto_seconds
    failback_seconds = arguments.failback_seconds
    failed_share = arguments.failed_share
    # 0 is a valid share, so `or` would not do
    if rto_seconds is None:
        rto_seconds = configured.rto_seconds
    if failback_seconds is None:
        failback_seconds = configured.failback_seconds
    if failed_share is None:
        failed_share = configured.failed_share
    return Objectives(rto_seconds, failback_seconds, failed_share)
