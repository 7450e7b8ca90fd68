"""deploytool drill: force the primary to fail, measure the failover, restore. The report is written
as it happens.
"""

import getpass
import socket
from argparse import Namespace
from collections.abc import Callable

from deploytool import __version__
from deploytool.commands._common import Run, confirmed, opened
from deploytool.commands._interrupts import first_one_stops
from deploytool.commands.report import finish
from deploytool.core.drill.history import Event, FaultInjected, FaultInjecting
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import record_name
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import InputError
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.service.service import Service
from deploytool.files.history import HistoryFile
from deploytool.render.drill.progress import drill_progress
from deploytool.services import deployed_service, drill_ports
from deploytool.targets import wall_time
from deploytool.work.drill.faults import make_fault
from deploytool.work.drill.run import DrillContext, preflight, run_drill
from deploytool.work.drill.undo import in_words

LOCAL_RATE, AWS_RATE = 10.0, 1.0  # requests a second of wall time that each client makes


def run(args: Namespace) -> int:
    """Drill; 0 when the verdict is pass, 1 otherwise."""
    with opened(args) as found:
        service = deployed_service(found.project, found.graph, found.target)
        ports = drill_ports(found.target, found.project, service)
        if args.dry_run:
            return _dry_run(args, found, ports, service)
        _confirm(args, found)
        context = DrillContext(
            __version__,
            wall_time(),
            found.target.name,
            found.target.speed,
            _holder(),
            not args.no_guard,
        )
        if args.no_guard:
            found.terminal.note(
                "[yellow]! without the guard: if this process dies, nothing restores by itself[/]"
            )
        args.report_dir.mkdir(parents=True, exist_ok=True)
        path = args.report_dir / "history.jsonl"
        with (
            HistoryFile(path) as history,
            first_one_stops(found.terminal),
            drill_progress(found.terminal) as say,
        ):
            run_drill(
                ports,
                service,
                _scenario(args, found),
                _objectives(args, found),
                context,
                _listener(history, say),
            )
    return finish(found.terminal, path, args.report_dir)


def _dry_run(args: Namespace, found: Run, ports: DrillPorts, service: Service) -> int:
    """Say each call that would change something; 0 when a drill could begin."""
    fault = make_fault(args.fault, ports, service)
    preflight(ports, service)
    record = f"{record_name(service.project, service.stage)} in {service.secondary}"
    guarded = fault.guarded and not args.no_guard
    calls = [
        *(
            ["scheduler:CreateSchedule, which undoes it all should this process die"]
            if guarded
            else []
        ),
        f"ssm:PutParameter {record}",
        *fault.calls(),
        *map(in_words, fault.undo()),
        f"ssm:DeleteParameter {record}",
        *(["scheduler:DeleteSchedule"] if guarded else []),
    ]
    found.terminal.document(
        {
            "fault": fault.name,
            "proves": fault.proves,
            "blast_radius": fault.blast_radius,
            "calls": calls,
        }
    )
    found.terminal.say(
        f"[bold]{fault.name}[/] tests {fault.proves}. Blast radius: {fault.blast_radius}."
    )
    found.terminal.say("A drill could begin now, and would call:")
    for call in calls:
        found.terminal.say(f"  {call}")
    return 0


def _confirm(args: Namespace, found: Run) -> None:
    """Raises InputError unless the domain of a protected stage is typed, now or as --confirm; a
    wrong one counts on any stage.
    """
    if args.confirm:
        if args.confirm.strip() != found.domain:
            raise InputError(
                f"--confirm {args.confirm}: the domain is {found.domain}; nothing was touched"
            )
        return
    if args.yes or not found.project.config.stage(found.graph.stage).protected:
        return
    found.terminal.note(
        f"Stage {found.graph.stage} is protected. This drill moves its traffic to the other region and back."
    )
    wrong, hint = (
        "that is not the domain; nothing was touched",
        f"type it beforehand: --confirm {found.domain}",
    )
    confirmed(found.terminal, "the domain", found.domain, wrong=wrong, hint=hint)


def _holder() -> str:
    """Who runs this, and where, for whoever finds the drill's record."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def _scenario(args: Namespace, found: Run) -> Scenario:
    """The rate in requests a second of wall time becomes an interval in the target's seconds."""
    default = LOCAL_RATE if found.target.name == "local" else AWS_RATE
    interval = found.target.speed / (args.rate or found.project.config.drill.rate or default)
    return Scenario(
        args.fault,
        client_interval=interval,
        dns_interval=interval,
        health_interval=max(2.0, interval),
    )


def _objectives(args: Namespace, found: Run) -> Objectives:
    """What the command line says wins over the configuration."""
    configured = found.project.config.drill.objectives
    return Objectives(
        configured.rto_seconds if args.rto_seconds is None else args.rto_seconds,
        configured.failback_seconds if args.failback_seconds is None else args.failback_seconds,
        configured.failed_share if args.failed_share is None else args.failed_share,
    )


def _listener(history: HistoryFile, say: Callable[[Event], None]) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        history.write(event, sync=isinstance(event, FaultInjecting | FaultInjected))
        say(event)

    return listen
