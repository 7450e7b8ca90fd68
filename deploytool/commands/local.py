"""deploytool local: start, use, break and end the local cloud."""

import os
import shlex
import signal
import subprocess
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import assert_never

from deploytool.commands._context import terminal_of
from deploytool.commands.arguments.base import Arguments
from deploytool.commands.arguments.local import (
    ApiFault,
    Break,
    Delegate,
    Down,
    EdgeFault,
    Env,
    Fix,
    LocalArguments,
    Run,
    StartArguments,
    Status,
    StopRegion,
    Undelegate,
    Up,
)
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.project.config import parse_config
from deploytool.core.stacks.durations import KNOWN, OTHER
from deploytool.files.text import read_text
from deploytool.localcloud import lifecycle, orphans
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.durations import Durations
from deploytool.localcloud.edges.edge_state import EdgeCondition, EdgeState, parse_edge_state
from deploytool.localcloud.ministack.api_state import ApiCondition
from deploytool.localcloud.ministack.signature import GLOBAL_REGION
from deploytool.localcloud.settings import Settings
from deploytool.localcloud.state import State
from deploytool.net.clock import unix_time
from deploytool.render.local_cloud import status_lines
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.targets.factory import LOCAL_DIRECTORY, local_directory


def run(arguments: LocalArguments) -> int:
    """Run one action and return its exit code."""
    terminal = terminal_of(arguments)
    exit_code = 0
    match arguments:
        case Up():
            _up(arguments, terminal)
        case Down():
            _down(arguments, terminal)
        case Status():
            _status(arguments, terminal)
        case Env():
            _env(arguments, terminal)
        case Run():
            exit_code = _run(arguments, terminal)
        case Break() | StopRegion() | Fix():
            _set_region(arguments, terminal)
        case Delegate() | Undelegate():
            _set_delegation(arguments, terminal)
        case _:
            assert_never(arguments)
    return exit_code


def _up(arguments: Up, terminal: Terminal) -> None:
    state = lifecycle.up(_settings(arguments, _directory(arguments)))
    terminal.document(state.to_json())
    regions = ", ".join(state.regions)
    terminal.say(f"The local cloud is running ({regions}, speed {state.speed:g}).")
    terminal.say("  [dim]deploytool deploy --local --stage dev[/]   deploys to it")
    terminal.say(
        '  [dim]eval "$(deploytool local env)"[/]          points any AWS tool of this shell at it'
    )


def _down(arguments: Down, terminal: Terminal) -> None:
    was_running = lifecycle.down(_directory(arguments))
    terminal.document({"ended": was_running})
    if was_running:
        terminal.say("The local cloud has ended.")
    else:
        terminal.say("No local cloud was running.")


def _env(arguments: Env, terminal: Terminal) -> None:
    variables = lifecycle.environment(_running_cloud(arguments))
    terminal.document(variables)
    for name, value in variables.items():
        line = f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"
        # A path may have brackets, which rich would take for markup
        terminal.say(escape(line))


def _status(arguments: Status, terminal: Terminal) -> None:
    status = ControlClient(_running_cloud(arguments)).status()
    terminal.document(status.to_json())
    for line in status_lines(status):
        terminal.say(escape(line))


def _set_region(arguments: Break | StopRegion | Fix, terminal: Terminal) -> None:
    """Break or fix a region's edge, its AWS API, or both."""
    edge: EdgeState | None
    api: ApiCondition | None
    match arguments:
        case Break():
            edge = _broken_edge(arguments)
            api = _api_condition(arguments.api) if arguments.api else None
        case StopRegion():
            edge, api = parse_edge_state("refusing"), None
        case Fix():
            edge = None if arguments.api_only else parse_edge_state("serving")
            api = "answering"
        case _:
            assert_never(arguments)
    if edge is None and api is None:
        raise InputError("local break: nothing to break", hint="name a fault: --how, --api or both")

    cloud = _running_cloud(arguments)
    region = arguments.region
    # us-east-1 has an API in every cloud, and an edge only where it is one of the regions
    if isinstance(arguments, Fix) and region == GLOBAL_REGION and region not in cloud.regions:
        edge = None
    known = cloud.regions if edge else dict.fromkeys((*cloud.regions, GLOBAL_REGION))
    if region not in known:
        raise InputError(f"the local cloud has no region {region}; it has {', '.join(known)}")

    client = ControlClient(cloud)
    document: dict[str, object] = {"region": region}
    if edge:
        client.set_condition(region, edge.condition, edge.seconds)
        document |= asdict(edge)
        terminal.say(f"{region} {_description(edge.condition, edge.seconds)}")
    if api:
        client.set_api_condition(region, api)
        document["api"] = api
        terminal.say(f"The AWS API of {region} {_api_description(api)}")
    terminal.document(document)


def _broken_edge(arguments: Break) -> EdgeState | None:
    """Return the state of the edge to break, None when it is not to be broken."""
    if arguments.how is None:
        if arguments.seconds:
            raise InputError("--seconds: only --how slow has them")
        return None
    return parse_edge_state(_condition_of(arguments.how), arguments.seconds)


def _condition_of(how: EdgeFault) -> EdgeCondition:
    """Return the condition of an edge with a fault."""
    match how:
        case EdgeFault.REFUSE:
            return "refusing"
        case EdgeFault.BLACKHOLE:
            return "blackholed"
        case EdgeFault.SLOW:
            return "slow"
        case EdgeFault.ERROR:
            return "failing"
        case _:
            assert_never(how)


def _api_condition(fault: ApiFault) -> ApiCondition:
    """Return the condition of an API with a fault."""
    match fault:
        case ApiFault.ERROR:
            return "failing"
        case ApiFault.HANG:
            return "hanging"
        case ApiFault.UNREACHABLE:
            return "unreachable"
        case _:
            assert_never(fault)


def _api_description(condition: ApiCondition) -> str:
    """Describe what the clients of an API meet."""
    match condition:
        case "answering":
            return "answers."
        case "failing":
            return "answers 503."
        case "hanging":
            return "accepts connections and never answers."
        case "unreachable":
            return "closes each connection."
        case _:
            assert_never(condition)


def _description(condition: EdgeCondition, seconds: float) -> str:
    """Describe what the clients of an edge meet."""
    match condition:
        case "serving":
            return "serves."
        case "refusing":
            return "refuses connections."
        case "blackholed":
            return "lets connections time out."
        case "slow":
            return f"answers {seconds:g} s late."
        case "failing":
            return "answers 503."
        case _:
            assert_never(condition)


def _set_delegation(arguments: Delegate | Undelegate, terminal: Terminal) -> None:
    """Tell the parent zone what a registrar would tell it."""
    domain = arguments.domain
    # An empty list undelegates; None delegates to the name servers of the domain's hosted zone
    name_servers: list[str] | None = []
    if isinstance(arguments, Delegate):
        name_servers = list(arguments.name_servers) or None

    delegated = ControlClient(_running_cloud(arguments)).delegate(domain, name_servers)
    terminal.document({"domain": domain, "name_servers": list(delegated)})
    servers = ", ".join(name.rstrip(".") for name in delegated)
    if servers:
        terminal.say(f"The parent zone delegates {domain} to {servers}.")
    else:
        terminal.say(f"The parent zone has no delegation of {domain}.")


def _run(arguments: Run, terminal: Terminal) -> int:
    """Run a command with a private local cloud and return the command's exit code."""
    # argparse leaves the -- that ends the options of `local run`
    command = arguments.command_line
    if command[:1] == ("--",):
        command = command[1:]
    if not command:
        raise InputError(
            "local run: the command is missing",
            hint="name it after --, like: deploytool local run -- deploytool deploy --local",
        )

    orphans.remove_abandoned(unix_time())
    with lifecycle.accompanying(partial(_settings, arguments)) as cloud:
        state = cloud.state
        regions = ", ".join(state.regions)
        terminal.note(
            f"[dim]A private local cloud is running: {regions}, {state.speed:g} times real time.[/]"
        )
        # The command finds this cloud by its state directory
        environment = {**os.environ, LOCAL_DIRECTORY: str(state.directory)}
        try:
            process = subprocess.Popen(command, env=environment)
        except OSError as error:
            raise DeploytoolError(f"cannot run {command[0]}: {error}") from error
        cloud.take_care_of(process.pid)
        exit_code = _wait(process)
        # What the command has started in the background has no cloud any more
        orphans.signal_left(state.directory, signal.SIGTERM)
        return exit_code


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """Wait for the command and return its exit code.

    The terminal sends Ctrl-C to the command too. SIGTERM and SIGHUP are handed on to it as SIGTERM. The command then
    gets the time to restore what it broke, so this does not stop waiting.
    """
    while True:
        try:
            exit_code = process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGTERM)
            continue
        # A shell reports a command that signal N ended as 128 + N
        return exit_code if exit_code >= 0 else 128 - exit_code


def _directory(arguments: Arguments) -> Path:
    return local_directory(arguments.config.absolute().parent)


def _settings(arguments: StartArguments, directory: Path) -> Settings:
    """Return the settings, with the regions of the project's configuration if there is one."""
    durations = Durations()
    if arguments.durations == "aws":
        durations = typical_durations(arguments.durations_scale, arguments.durations_seed)
    settings = Settings(
        directory,
        speed=arguments.speed,
        delegate=arguments.delegate,
        durations=durations,
        enforce_iam=arguments.enforce_iam,
        quotas=arguments.quotas == "aws",
        left_out=arguments.left_out,
    )
    # A local cloud may also run without a project; it then has the default regions
    if not arguments.config.is_file():
        return settings
    text = read_text(arguments.config, "name it with --config")
    config = parse_config(text, arguments.config.name)
    return replace(settings, regions=config.regions)


def typical_durations(scale: float, seed: int | None) -> Durations:
    """Return what resources typically take on AWS, multiplied by `scale`."""
    seconds = {name: scale * value for name, value in KNOWN.items()}
    return Durations(seconds, scale * OTHER, seed)


def _running_cloud(arguments: Arguments) -> State:
    """Return the cloud that runs. Raises InputError when none does."""
    state = lifecycle.load(_directory(arguments))
    if state is None:
        raise InputError("no local cloud is running", hint="start one with: deploytool local up")
    return state
