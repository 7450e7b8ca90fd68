"""deploytool drill: force the primary to fail, measure the failover, restore. The report is written as it happens."""

from argparse import Namespace
from collections.abc import Callable

from deploytool import __version__
from deploytool.commands._common import Run, opened
from deploytool.commands._interrupts import first_one_stops
from deploytool.commands.report import finish
from deploytool.core.drill.history import Event, FaultInjected, FaultInjecting
from deploytool.core.drill.scenario import Objectives, Scenario
from deploytool.environments import deployed_service, wall_time
from deploytool.historyfile import HistoryFile
from deploytool.render.drill import DrillProgress
from deploytool.work.drill import Setting, run_drill

LOCAL_RATE, AWS_RATE = 10.0, 1.0  # requests a second of wall time that the fresh client makes


def run(args: Namespace) -> int:
    """Drill; 0 when the verdict is pass, 1 otherwise."""
    with opened(args) as found:
        service = deployed_service(found.project, found.graph, found.target)
        setting = Setting(__version__, wall_time(), found.target.name, found.target.speed)
        args.report_dir.mkdir(parents=True, exist_ok=True)
        path = args.report_dir / "history.jsonl"
        with HistoryFile(path) as history, first_one_stops(found.terminal):
            listener = _listener(found, history)
            run_drill(found.target.environment, service, _scenario(args, found), Objectives(), setting, listener)
    return finish(found.terminal, path, args.report_dir)


def _scenario(args: Namespace, found: Run) -> Scenario:
    """The rate in requests a second of wall time becomes an interval in the target's seconds."""
    rate = args.rate or (LOCAL_RATE if found.target.name == "local" else AWS_RATE)
    interval = found.target.speed / rate
    return Scenario(client_interval=interval, dns_interval=interval, health_interval=max(2.0, interval))


def _listener(found: Run, history: HistoryFile) -> Callable[[Event], None]:
    say = DrillProgress(found.terminal)

    def listen(event: Event) -> None:
        history.write(event, sync=isinstance(event, FaultInjecting | FaultInjected))
        say(event)

    return listen
