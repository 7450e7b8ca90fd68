"""Conducts a drill, of a stage or of a pair of records: its history, its signals and its report."""

import getpass
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploytool import __version__
from deploytool.commands._interrupts import patient_signals
from deploytool.commands.arguments.drill import DrillArguments
from deploytool.commands.report import finish, judge_lines
from deploytool.core.drill.history import Event, FaultInjected, FaultInjecting
from deploytool.core.drill.judge import Judgement
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.drill_settings import DrillSettings, Objectives
from deploytool.core.service.service import Service
from deploytool.files.history import HISTORY, HistoryFile, prepare_reports
from deploytool.net.clock import iso_time
from deploytool.render.drill.activity import Activity
from deploytool.render.drill.progress import drill_progress
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.targets.target import Target
from deploytool.work.drill.preflight import preflight
from deploytool.work.drill.run import DrillContext, run_drill

# Requests a second of wall time that each client makes by default
LOCAL_RATE = 10.0
AWS_RATE = 1.0
# Seconds of the target's time between two looks at the health checkers, at least
SHORTEST_HEALTH_INTERVAL = 2.0


@dataclass(frozen=True)
class Drill:
    """A drill to conduct.

    `settings` are those of the configuration, which the arguments replace. `refuse` raises
    DrillRefused before anything is touched. `note` is told how the drill ended.
    """

    terminal: Terminal
    target: Target
    ports: DrillPorts
    service: Service
    settings: DrillSettings
    with_guard: bool
    refuse: Callable[[DrillPorts, Service], None] = preflight
    note: Callable[[Judgement], None] = lambda _judgement: None


def conduct(drill: Drill, arguments: DrillArguments) -> int:
    """Run the drill, write its history and its report; return 0 when the verdict is pass, else 1.

    Raises as `run_drill` does, after a report of what was done.
    """
    prepare_reports(arguments.report_dir)
    with HistoryFile(arguments.report_dir) as history:
        try:
            _run(drill, arguments, history)
        except BaseException:
            if history.folder is not None:
                _report_all_the_same(drill, history, history.folder)
            raise
    if history.folder is None:
        raise RuntimeError("a drill that ended without an error has no history")
    return _report(drill, history, history.folder)


def _report_all_the_same(drill: Drill, history: HistoryFile, folder: Path) -> None:
    """Report a drill that an error ended. The error matters more than one of the report."""
    try:
        _report(drill, history, folder)
    except DeploytoolError as error:
        drill.terminal.note(f"[yellow]! the report is not whole: {escape(str(error))}[/]")


def _report(drill: Drill, history: HistoryFile, folder: Path) -> int:
    """Report a drill from its history, as `deploytool report` does later; return the exit code."""
    judgement = judge_lines(history.lines(), folder / HISTORY)
    drill.note(judgement)
    return finish(drill.terminal, judgement, folder)


def _run(drill: Drill, arguments: DrillArguments, history: HistoryFile) -> None:
    """Run the drill and write its history. Raises as `run_drill` does."""
    scenario = _scenario(drill, arguments)
    objectives = _objectives(drill.settings, arguments)
    activity = Activity()
    with (
        patient_signals(drill.terminal, activity.answer) as signals,
        drill_progress(drill.terminal) as show,
    ):
        context = DrillContext(
            tool=__version__,
            wall_time=iso_time(drill.target.unix_time()),
            target=drill.target.name,
            speed=drill.target.speed,
            holder=f"{getpass.getuser()}@{socket.gethostname()}",
            with_guard=drill.with_guard,
            interrupts=signals,
        )

        def emit(event: Event) -> None:
            # What restore has to undo must be on the disk before and after the injection
            is_injection = isinstance(event, FaultInjecting | FaultInjected)
            history.write(event, sync=is_injection)
            activity.observe(event)
            show(event)

        run_drill(drill.ports, drill.service, scenario, objectives, context, emit, drill.refuse)


def _scenario(drill: Drill, arguments: DrillArguments) -> Scenario:
    """Return the scenario, with the rate (in wall time) as an interval in the target's seconds."""
    default_rate = LOCAL_RATE if drill.target.name == "local" else AWS_RATE
    rate = arguments.rate or drill.settings.rate or default_rate
    interval = drill.target.speed / rate
    return Scenario(
        arguments.fault,
        client_interval=interval,
        dns_interval=interval,
        health_interval=max(SHORTEST_HEALTH_INTERVAL, interval),
        patience=arguments.patience_seconds or drill.settings.patience_seconds,
    )


def _objectives(settings: DrillSettings, arguments: DrillArguments) -> Objectives:
    """Return the objectives of the configuration, replaced by those of the command line."""
    configured = settings.objectives
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
