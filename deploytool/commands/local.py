"""deploytool local: the local cloud's life, and a region of it broken and mended."""

import os
import shlex
import signal
import subprocess
from argparse import Namespace
from pathlib import Path

from deploytool.commands._common import terminal_of
from deploytool.core.config import parse_config
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.environments import LOCAL_DIRECTORY, local_directory
from deploytool.localcloud import lifecycle
from deploytool.localcloud.settings import Settings
from deploytool.localcloud.state import State
from deploytool.render.terminal import Terminal


def run(args: Namespace) -> int:
    """Dispatch on the action."""
    terminal = terminal_of(args)
    match args.action:
        case "up":
            return _up(args, terminal)
        case "down":
            return _down(args, terminal)
        case "run":
            return _run(args, terminal)
        case "env":
            return _env(args, terminal)
        case "status":
            return _status(args, terminal)
        case _:
            return _region(args, terminal)


def _directory(args: Namespace) -> Path:
    return local_directory(args.config.absolute().parent)


def _settings(args: Namespace, directory: Path) -> Settings:
    """The regions of the project's configuration; without a configuration those of the default."""
    durations = args.durations_scale if args.durations == "aws" else 0.0
    if not args.config.is_file():
        return Settings(directory, speed=args.speed, durations=durations)
    config = parse_config(args.config.read_text(encoding="utf-8"), args.config.name)
    return Settings(directory, config.regions, args.speed, durations=durations)


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
    terminal.say('  [dim]eval "$(deploytool local env)"[/]          points any AWS tool of this shell at it')
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
        terminal.say(f"export {name}={shlex.quote(value)}" if value else f"unset {name}")
    return 0


def _status(args: Namespace, terminal: Terminal) -> int:
    status = lifecycle.control(_running(args), "GET", "status")
    terminal.document(status)
    for name, value in status.items():
        terminal.say(f"{name}: {value}")
    return 0


def _region(args: Namespace, terminal: Terminal) -> int:
    state = "refusing" if args.action == "stop-region" else "serving"
    terminal.document(lifecycle.control(_running(args), "POST", f"regions/{args.name}", {"state": state}))
    terminal.say(f"{args.name} refuses connections." if state == "refusing" else f"{args.name} serves.")
    return 0


def _run(args: Namespace, terminal: Terminal) -> int:
    """A private cloud around one command; its exit code is the command's."""
    command = args.words[1:] if args.words[:1] == ["--"] else args.words
    if not command:
        raise InputError("local run: name a command after --, like: deploytool local run -- deploytool deploy --local")
    with lifecycle.private(_settings(args, _directory(args))) as state:
        terminal.note(f"[dim]a private local cloud is up: {', '.join(state.regions)}, {state.speed:g} times real time[/]")
        environment = {**os.environ, LOCAL_DIRECTORY: str(state.directory)}
        try:
            child = subprocess.Popen(command, env=environment)
        except OSError as error:
            raise DeploytoolError(f"cannot run {command[0]}: {error}") from error
        return _wait(child)


def _wait(child: "subprocess.Popen[bytes]") -> int:
    """The command's exit code. Ctrl-C reaches it too, SIGTERM is handed on; it gets the time to restore what it broke."""
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGTERM)
        else:
            return code if code >= 0 else 128 - code
