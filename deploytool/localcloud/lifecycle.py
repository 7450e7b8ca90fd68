"""The life of a local cloud, seen from other processes: start it, find it, end it. Synchronous."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from deploytool.core.errors import DeploytoolError, InputError
from deploytool.localcloud import lock, orphans, process
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.settings import (
    ACCESS_KEY,
    LOCAL_DIRECTORY,
    SECRET_KEY,
    STATE_FILE,
    TEMPORARY,
    Settings,
)
from deploytool.localcloud.state import State, read_state

_LOOPBACK = ("127.0.0.1", "127.0.0.0/8", "localhost", "::1")


def up(settings: Settings) -> State:
    """Start a cloud in the background and return its state once it is ready.

    If one with the same settings runs in the directory, return that one. Raises InputError when it
    has other settings or when this machine cannot run a cloud with them, DeploytoolError with the
    end of the log when the cloud does not start.
    """
    running = load(settings.directory)
    if running is None:
        return process.wait_until_ready(process.start(replace(settings, lifeline=False)))
    if running.has_settings(settings):
        return running
    raise InputError(
        f"a local cloud is running in {running.directory}, with {_describe_settings(running)}",
        hint="end it first: deploytool local down",
    )


def down(directory: Path) -> bool:
    """End the cloud of a directory and every process that it started; False when none runs.

    The cloud is asked to end, then gets SIGTERM, then SIGKILL. Raises DeploytoolError when it does
    not end even then.
    """
    state = load(directory)
    if state is None:
        return False
    for attempt in (_ask_to_end, _terminate, _kill):
        attempt(state)
        if lock.wait_until_free(directory, process.GRACE_SECONDS):
            # A function that is running would outlive the cloud.
            process.signal_group(state.pid, signal.SIGKILL)
            _remove_leftovers(directory)
            return True
    raise DeploytoolError(
        f"the local cloud's process {state.pid} does not end", hint=f"kill -9 -{state.pid}"
    )


def load(directory: Path) -> State | None:
    """Return the state of the cloud that runs in a directory, None when none does.

    In the latter case, remove the files of a cloud that was killed.
    """
    if not lock.is_held(directory):
        _remove_leftovers(directory)
        return None
    try:
        return read_state(directory)
    except FileNotFoundError:
        return None  # it is starting or ending


@contextmanager
def private(settings: Settings) -> Iterator[State]:
    """Run a cloud for the length of a block, in a directory that no other cloud uses.

    It ends with the block, and with this process even when that is killed. Raises as `up` does.
    """
    child = process.start(replace(settings, lifeline=True))
    state = process.wait_until_ready(child)
    try:
        yield state
    finally:
        process.end(child)


@dataclass(frozen=True)
class Companion:
    """A cloud that accompanies a command."""

    state: State
    child: process.Child

    def take_care_of(self, command: int) -> None:
        """Let the cloud end a command (its process id) when this process is killed."""
        process.tell(self.child, orphans.COMMAND + str(command).encode())


@contextmanager
def accompanying(make_settings: Callable[[Path], Settings]) -> Iterator[Companion]:
    """Run a cloud in a temporary directory for the length of a block. Raises as `up` does.

    Cloud, directory and command go with this process, even when that is killed.
    """
    with TemporaryDirectory(prefix=orphans.PREFIX, ignore_cleanup_errors=True) as directory:
        child = process.start(replace(make_settings(Path(directory)), lifeline=True))
        process.tell(child, orphans.TEMPORARY)
        state = process.wait_until_ready(child)
        try:
            yield Companion(state, child)
        finally:
            process.end(child)


def environment(state: State, inherited: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """Return the environment variables with which any AWS tool uses this cloud.

    They override everything relevant in `inherited` (by default this process's environment). None
    means to unset the variable: with an empty AWS_PROFILE the AWS CLI looks for a profile without a
    name.
    """
    known = os.environ if inherited is None else inherited
    region = next(iter(state.regions))

    variables: dict[str, str | None] = {}
    # The endpoint of a single service would win over AWS_ENDPOINT_URL.
    for name in known:
        if name.startswith("AWS_ENDPOINT_URL_"):
            variables[name] = state.endpoint_url
    for name in ("NO_PROXY", "no_proxy"):
        variables[name] = _without_proxy(known.get(name, ""))
    return variables | {
        "AWS_ENDPOINT_URL": state.endpoint_url,
        # Otherwise a user's "true" would make tools ignore AWS_ENDPOINT_URL.
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": None,
        "AWS_PROFILE": None,
        "AWS_DEFAULT_PROFILE": None,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # No tool shall wait for an instance's metadata service.
        "AWS_EC2_METADATA_DISABLED": "true",
        LOCAL_DIRECTORY: str(state.directory),
        "DEPLOYTOOL_DNS": str(state.dns),
        "DEPLOYTOOL_RESOLVER": str(state.resolver),
        "DEPLOYTOOL_PARENT": str(state.parent),
        "DEPLOYTOOL_HTTPS_PORT": str(state.https_port),
        "DEPLOYTOOL_CA": str(state.ca),
    }


def _without_proxy(inherited: str) -> str:
    """Return a value of NO_PROXY with the loopback addresses added."""
    others = [part for part in inherited.split(",") if part and part not in _LOOPBACK]
    return ",".join([*others, *_LOOPBACK])


def _describe_settings(state: State) -> str:
    parts = [f"regions {', '.join(state.regions)}", f"speed {state.speed:g}"]
    if not state.delegate:
        parts.append("without delegation")
    if state.durations:
        parts.append("resources that take time")
    if state.enforce_iam:
        parts.append("IAM enforced")
    if state.quotas:
        parts.append("AWS's quotas")
    return ", ".join(parts)


def _remove_leftovers(directory: Path) -> None:
    """Remove what a killed cloud left in its directory."""
    (directory / STATE_FILE).unlink(missing_ok=True)
    shutil.rmtree(directory / TEMPORARY, ignore_errors=True)


def _ask_to_end(state: State) -> None:
    with suppress(DeploytoolError):  # it may not respond; signals follow
        ControlClient(state).shut_down()


def _terminate(state: State) -> None:
    process.signal_group(state.pid, signal.SIGTERM)


def _kill(state: State) -> None:
    process.signal_group(state.pid, signal.SIGKILL)
