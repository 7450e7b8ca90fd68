"""Starting, finding, using and ending a local cloud from outside its process. Plain synchronous
functions.
"""

import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from deploytool.core.errors import DeploytoolError, InputError
from deploytool.localcloud import lock, process
from deploytool.localcloud.settings import ACCESS_KEY, SECRET_KEY, STATE_FILE, TEMPORARY, Settings
from deploytool.localcloud.state import State, read_state

_LOOPBACK = ("127.0.0.1", "127.0.0.0/8", "localhost", "::1")


def up(settings: Settings) -> State:
    """Start a cloud in the background and return once it is ready.

    The one that runs in the directory is returned when it was started with the same settings.
    Raises InputError when it has others or when the settings are impossible on this machine,
    DeploytoolError with the log's end when it does not start.
    """
    running = load(settings.directory)
    if running is None:
        return process.wait_until_ready(process.start(replace(settings, lifeline=False)))
    found = (
        tuple(running.regions),
        running.speed,
        running.delegate,
        running.durations,
        running.enforce_iam,
    )
    if found == (
        settings.regions,
        settings.speed,
        settings.delegate,
        settings.durations,
        settings.enforce_iam,
    ):
        return running
    raise InputError(
        f"a local cloud is running in {running.directory}, with regions {', '.join(running.regions)}, speed {running.speed:g}"
        + ("" if running.delegate else ", without delegation")
        + (", resources that take time" if running.durations else "")
        + (", IAM enforced" if running.enforce_iam else ""),
        hint="end it first: deploytool local down",
    )


def down(directory: Path) -> bool:
    """End the cloud of a directory and every process that it started: ask, then SIGTERM, then
    SIGKILL. False when none runs.

    Raises DeploytoolError when it does not end even so.
    """
    state = load(directory)
    if state is None:
        return False
    for attempt in (_ask_to_end, _terminate, _kill):
        attempt(state)
        if lock.wait_until_free(directory, process.GRACE_SECONDS):
            # A function at work outlives it otherwise
            process.signal_group(state.pid, signal.SIGKILL)
            load(directory)  # which removes what a killed one leaves
            return True
    raise DeploytoolError(
        f"the local cloud's process {state.pid} does not end", hint=f"kill -9 -{state.pid}"
    )


def load(directory: Path) -> State | None:
    """The cloud that runs in a directory, None when none does; what a killed one left behind is
    removed then.
    """
    if lock.is_held(directory):
        with suppress(FileNotFoundError):  # it is starting or ending
            return read_state(directory)
        return None
    (directory / STATE_FILE).unlink(missing_ok=True)
    shutil.rmtree(directory / TEMPORARY, ignore_errors=True)
    return None


@contextmanager
def private(settings: Settings) -> Iterator[State]:
    """A cloud of one's own for the length of a block, in a directory that no other cloud has (a
    temporary one).

    It ends with the block, and with this process even when that is killed. Raises as `up` does.
    """
    child = process.start(replace(settings, lifeline=True))
    state = process.wait_until_ready(child)
    try:
        yield state
    finally:
        process.end(child)


def environment(state: State, inherited: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """What to export so that any AWS tool talks to this cloud, whatever it `inherited` (this
    process's environment by default).

    None: to unset, like a profile. An empty one would not do: the AWS CLI looks for a profile with
    no name.
    """
    known = os.environ if inherited is None else inherited
    region = next(iter(state.regions))
    result: dict[str, str | None] = {
        name: state.endpoint_url for name in known if name.startswith("AWS_ENDPOINT_URL_")
    }
    for name in ("NO_PROXY", "no_proxy"):
        others = [part for part in known.get(name, "").split(",") if part and part not in _LOOPBACK]
        result[name] = ",".join([*others, *_LOOPBACK])
    return result | {
        "AWS_ENDPOINT_URL": state.endpoint_url,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": None,
        "AWS_PROFILE": None,
        "AWS_DEFAULT_PROFILE": None,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "DEPLOYTOOL_LOCAL_DIR": str(state.directory),
        "DEPLOYTOOL_DNS": str(state.dns),
        "DEPLOYTOOL_RESOLVER": str(state.resolver),
        "DEPLOYTOOL_PARENT": str(state.parent),
        "DEPLOYTOOL_HTTPS_PORT": str(state.https_port),
        "DEPLOYTOOL_CA": str(state.ca),
    }


def status(state: State) -> dict[str, Any]:
    """What the cloud's parts are doing now: its state, its edges, health checks with their
    verdicts, memory in MB.
    """
    found: dict[str, Any] = control(state, "GET", "status")
    return found


def set_region(state: State, region: str, condition: str, seconds: float = 0.0) -> dict[str, Any]:
    """Let a region's edge be serving, refusing, blackholed, slow (by true `seconds`, 0 for the
    default) or failing.

    The condition as the control API tells it. Raises DeploytoolError when there is no such region
    or condition.
    """
    now: dict[str, Any] = control(
        state, "POST", f"regions/{region}", {"state": condition, "seconds": seconds}
    )
    return now


def condition_of(state: State, region: str) -> str:
    """What a client of a region's edge meets now. Raises DeploytoolError when there is no such
    region.
    """
    return str(control(state, "GET", f"regions/{region}")["state"])


def truth(state: State) -> dict[str, list[dict[str, Any]]]:
    """How answers, verdicts, edges and clients have moved since the start, each with its moment on
    `time.monotonic()`.
    """
    found: dict[str, list[dict[str, Any]]] = control(state, "GET", "truth")
    return found


def control(state: State, method: str, path: str, document: object = None) -> Any:  # noqa: ANN401 - it is JSON
    """Call the cloud's control API below /_deploytool/ and return its JSON. Raises DeploytoolError
    when it refuses or is gone.

    No proxy is asked: this is loopback.
    """
    host, _, port = state.endpoint_url.removeprefix("http://").partition(":")
    connection = HTTPConnection(host, int(port), timeout=process.GRACE_SECONDS)
    try:
        connection.request(
            method, f"/_deploytool/{path}", None if document is None else json.dumps(document)
        )
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, HTTPException, ValueError) as error:
        raise DeploytoolError(
            f"the local cloud at {state.endpoint_url} does not answer: {error}"
        ) from error
    finally:
        connection.close()
    if response.status != 200:
        raise DeploytoolError(f"the local cloud refused {method} {path}: {answer['error']}")
    return answer


def _ask_to_end(state: State) -> None:
    with suppress(DeploytoolError):  # it may be stuck: then signals follow
        control(state, "POST", "shutdown")


def _terminate(state: State) -> None:
    process.signal_group(state.pid, signal.SIGTERM)


def _kill(state: State) -> None:
    process.signal_group(state.pid, signal.SIGKILL)
