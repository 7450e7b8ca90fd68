"""What `failover` and `failback` do: read, check, confirm, move, say how it ended.

Nothing here calls us-east-1, Route 53's API or IAM: on the day these may be down. So the stage's
graph is not built, which may look up a hosted zone, and its stacks are not read.
"""

import getpass
import os
import socket
from dataclasses import replace

from deploytool.aws.limits import QUICK
from deploytool.commands._announcement import announce, telling_if_offline
from deploytool.commands._confirmation import confirm_domain
from deploytool.commands._context import terminal_of
from deploytool.commands._interrupts import first_one_stops
from deploytool.commands.arguments.failover import MoveArguments
from deploytool.core.failover.direction import Direction, Person
from deploytool.core.failover.records import StandbyRecord
from deploytool.core.route53.timing import expected_switch
from deploytool.files.builds import Building
from deploytool.files.project import load_project
from deploytool.net.clock import wall_time
from deploytool.render.failover.progress import move_progress
from deploytool.render.failover.result import moved_document, moved_lines, moved_markdown
from deploytool.render.github import add_to_step_summary
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.targets.factory import open_target
from deploytool.targets.move import move_ports
from deploytool.work.failover.ports import MovePorts
from deploytool.work.failover.preflight import check_destination, endpoint_problem, read_standby
from deploytool.work.failover.run import Moved, MoveSettings, move

# Seconds of wall time: between two probes of a name server, and between two data points
SHORTEST_INTERVAL = 0.1
SHORTEST_REPEAT = 1.0
LATER_INTERRUPT = "still stopping: a call is under way and ends in a moment"

EFFECTS = {
    Direction.FAILOVER: "This moves its traffic to {region} and keeps it there.",
    Direction.FAILBACK: "This lets its traffic come back to {region}.",
}


def move_traffic(arguments: MoveArguments, direction: Direction) -> int:
    """Move a stage's traffic; return 0 when it has arrived, 1 when it has not in time."""
    terminal = terminal_of(arguments)
    project = load_project(arguments.config, Building(reads=False))
    stage = project.config.stage(arguments.stage)
    option = " --local" if arguments.local else ""

    with (
        open_target(project, local=arguments.local, limits=QUICK) as target,
        telling_if_offline(terminal, target),
    ):
        announce(terminal, target, project.config.regions)
        ports = move_ports(target, project, stage.name)
        standby = read_standby(ports, stage.name, project.config.secondary, option)
        _check(terminal, ports, standby, direction, force=arguments.force)
        confirm_domain(
            terminal,
            # The domain that is deployed is the one whose traffic moves
            replace(stage, domain=standby.domain),
            EFFECTS[direction].format(region=direction.destination(standby)),
            answer=arguments.confirm,
            yes=arguments.yes,
        )
        settings = _settings(arguments, target.speed)
        with first_one_stops(terminal, LATER_INTERRUPT), move_progress(terminal) as show:
            moved = move(
                ports,
                standby,
                direction,
                _person(arguments.reason),
                settings,
                expected_switch(held=direction.holds),
                show,
            )
    _report(terminal, moved, settings.timeout, option)
    return 1 if moved.problem else 0


def _check(
    terminal: Terminal,
    ports: MovePorts,
    standby: StandbyRecord,
    direction: Direction,
    *,
    force: bool,
) -> None:
    """Refuse a region that does not serve; with `force` only say so."""
    if not force:
        check_destination(ports, standby, direction)
        return
    region = direction.destination(standby)
    problem = endpoint_problem(ports, standby, region)
    if problem:
        terminal.note(f"[yellow]! {escape(f'{region} does not serve: {problem}')}[/]")


def _settings(arguments: MoveArguments, speed: float) -> MoveSettings:
    """Return the settings in the target's seconds. A fast clock must not busy this machine."""
    defaults = MoveSettings()
    return MoveSettings(
        interval=max(defaults.interval, SHORTEST_INTERVAL * speed),
        repeat=max(defaults.repeat, SHORTEST_REPEAT * speed),
        timeout=arguments.timeout,
    )


def _person(reason: str) -> Person:
    """Return who runs this command: the user and the host, in GitHub Actions who started it."""
    actor = os.environ.get("GITHUB_ACTOR")
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    if actor and os.environ.get("GITHUB_ACTIONS"):
        who = f"{actor}@github"
    return Person(who, wall_time(), reason)


def _report(terminal: Terminal, moved: Moved, timeout: float, option: str) -> None:
    terminal.document(moved_document(moved))
    for line in moved_lines(moved, timeout, option):
        terminal.say(line)
    # Writes nothing outside GitHub Actions
    add_to_step_summary(moved_markdown(moved), terminal)
