"""deploytool local: the local cloud's life, and a region of it broken and mended."""

import os
import shlex
import signal
import subprocess
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.markup import escape

from deploytool.commands._common import terminal_of
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.project.config import parse_config
from deploytool.core.stacks.durations import KNOWN, OTHER
from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.durations import Durations
from deploytool.localcloud.edges.edge_state import parse_edge_state
from deploytool.localcloud.settings import Settings
from deploytool.localcloud.state import State
from deploytool.render.terminal import Terminal
from deploytool.targets import LOCAL_DIRECTORY, local_directory

_CONDITIONS = {
    "stop-region": "refusing",
    "start-region": "serving",
    "fix": "serving",
    "refuse": "refusing",
    "blackhole": "blackholed",
    "slow": "slow",
    "error": "failing",
}
_SAID = {
    "serving": "serves.",
    "refusing": "refuses connections.",
    "blackholed": "answers no attempt to connect.",
    "slow": "answers {seconds:g} s late.",
    "failing": "answers 503.",
}


def run(args: Namespace) -> int:
    """Dispatch on the action."""
    action: Callable[[Namespace, Terminal], int] = {
        "up": _up,
        "down": _down,
        "run": _run,
        "env": _env,
        "status": _status,
        "delegate": _delegation,
        "undelegate": _delegation,
    }.get(args.action, _region)
    return action(args, terminal_of(args))


def _directory(args: Namespace) -> Path:
    return local_directory(args.config.absolute().parent)


def typical_durations(scale: float, seed: int | None) -> Durations:
    """What resources typically take on AWS, `scale` times as long."""
    seconds = {name: scale * value for name, value in KNOWN.items()}
    return Durations(seconds, scale * OTHER, seed)


def _settings(args: Namespace, directory: Path) -> Settings:
    """The regions of the project's configuration; without a configuration those of the default."""
    durations = Durations()
    if args.durations == "aws":
        durations = typical_durations(args.durations_scale, args.durations_seed)
    found = Settings(
        directory,
        speed=args.speed,
        delegate=not args.no_delegation,
        durations=durations,
        enforce_iam=args.enforce_iam,
    )
    if not args.config.is_file():
        return found
    return replace(
        found,
        regions=parse_config(args.config.read_text(encoding="utf-8"), args.config.name).regions,
    )


def _running(args: Namespace) -> State:
    state = lifecycle.load(_directory(args))
    if state is None:
        raise InputError("no local cloud is running", hint="start one with: deploytool local up")
    return state


def _up(args: Namespace, terminal: Terminal) -> int:
    state = lifecycle.up(_settings(args, _directory(args)))
    terminal.document(state.to_json())
    terminal.say(f"The local cloud is up ({', '.join(state.regions)}, speed {state.speed:g}).")
    terminal.say("  [dim]deploytool deploy --local --stage dev[/]   deploys to it")
    terminal.say(
        '  [dim]eval "$(deploytool local env)"[/]          points any AWS tool of this shell at it'
    )
    return 0


def _down(args: Namespace, terminal: Terminal) -> int:
    was_up = lifecycle.down(_directory(args))
    terminal.document({"ended": was_up})
    terminal.say("The local cloud is down." if was_up else "No local cloud was running.")
    return 0


def _env(args: Namespace, terminal: Terminal) -> int:
    values = lifecycle.environment(_running(args))
    terminal.document(values)
    for name, value in values.items():
        line = f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"
        terminal.say(escape(line))  # brackets in a path are no markup
    return 0


def _status(args: Namespace, terminal: Terminal) -> int:
    status = ControlClient(_running(args)).status().to_json()
    terminal.document(status)
    for name, value in status.items():
        terminal.say(f"{name}: {value}")
    return 0


def _region(args: Namespace, terminal: Terminal) -> int:
    cloud = _running(args)
    if args.name not in cloud.regions:
        raise InputError(
            f"the local cloud has no region {args.name}, only {', '.join(cloud.regions)}"
        )
    state = parse_edge_state(
        _CONDITIONS[getattr(args, "how", args.action)], getattr(args, "seconds", 0.0)
    )
    ControlClient(cloud).set_condition(args.name, state.condition, state.seconds)
    terminal.document({"region": args.name, **asdict(state)})
    terminal.say(f"{args.name} {_SAID[state.condition].format(seconds=state.seconds)}")
    return 0


def _delegation(args: Namespace, terminal: Terminal) -> int:
    """What the domain's registrar or parent zone would be told."""
    servers = (args.name_servers or None) if args.action == "delegate" else []
    name_servers = ControlClient(_running(args)).delegate(args.domain, servers)
    terminal.document({"domain": args.domain, "name_servers": list(name_servers)})
    told = ", ".join(name.rstrip(".") for name in name_servers)
    terminal.say(
        f"The parent points {args.domain} to {told}."
        if told
        else f"The parent says that there is no {args.domain}."
    )
    return 0


def _run(args: Namespace, terminal: Terminal) -> int:
    """A private cloud around one command; its exit code is the command's."""
    command = args.words[1:] if args.words[:1] == ["--"] else args.words
    if not command:
        raise InputError(
            "local run: name a command after --, like: deploytool local run -- deploytool deploy --local"
        )
    with (
        TemporaryDirectory(prefix="deploytool-") as directory,
        lifecycle.private(_settings(args, Path(directory))) as state,
    ):
        terminal.note(
            f"[dim]a private local cloud is up: {', '.join(state.regions)}, {state.speed:g} times real time[/]"
        )
        environment = {**os.environ, LOCAL_DIRECTORY: str(state.directory)}
        try:
            child = subprocess.Popen(command, env=environment)
        except OSError as error:
            raise DeploytoolError(f"cannot run {command[0]}: {error}") from error
        return _wait(child)


def _wait(child: "subprocess.Popen[bytes]") -> int:
    """The command's exit code. Ctrl-C reaches it too, SIGTERM is handed on; it gets the time to
    restore what it broke.
    """
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGTERM)
        else:
            return code if code >= 0 else 128 - code
