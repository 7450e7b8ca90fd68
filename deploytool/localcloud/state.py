"""What a running local cloud says of itself in its state directory: addresses, ports, process.
Written atomically.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploytool.core.errors import DeploytoolError
from deploytool.localcloud.durations import Durations
from deploytool.localcloud.settings import NO_DURATIONS, STATE_FILE


@dataclass(frozen=True)
class Endpoint:
    """A loopback address and port."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True)
class State:
    """A running cloud. `regions` (primary first) maps each region to its edge's address, all edges
    listen on `https_port`.

    `endpoint_url` is the AWS API; `dns` the zones' authoritative name server, `resolver` the
    recursive one, `parent` the authoritative one of the zones' parents (UDP and TCP each); `ca` the
    certificate authority's PEM file; `started` is Unix time in seconds; `delegate` whether new
    hosted zones are delegated at once; `durations` and `enforce_iam` as in Settings.
    """

    pid: int
    speed: float
    regions: Mapping[str, str]
    endpoint_url: str
    https_port: int
    dns: Endpoint
    resolver: Endpoint
    parent: Endpoint
    ca: Path
    directory: Path
    started: float
    delegate: bool
    durations: Durations = NO_DURATIONS
    enforce_iam: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values for state.json and for the control API."""
        return {
            **asdict(self),
            "regions": dict(self.regions),
            "ca": str(self.ca),
            "directory": str(self.directory),
        }

    def write(self) -> None:
        """Put state.json in place in one step: a reader sees the whole file or none."""
        path = self.directory / STATE_FILE
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")
        draft.replace(path)


def read_state(directory: Path) -> State:
    """The state that a cloud wrote. Raises FileNotFoundError when there is none, DeploytoolError
    when it is not a state.
    """
    path = directory / STATE_FILE
    text = path.read_text(encoding="utf-8")
    try:
        fields = json.loads(text)
        return State(
            pid=int(fields["pid"]),
            speed=float(fields["speed"]),
            regions={str(region): str(address) for region, address in fields["regions"].items()},
            endpoint_url=str(fields["endpoint_url"]),
            https_port=int(fields["https_port"]),
            dns=Endpoint(str(fields["dns"]["address"]), int(fields["dns"]["port"])),
            resolver=Endpoint(str(fields["resolver"]["address"]), int(fields["resolver"]["port"])),
            parent=Endpoint(str(fields["parent"]["address"]), int(fields["parent"]["port"])),
            ca=Path(fields["ca"]),
            directory=Path(fields["directory"]),
            started=float(fields["started"]),
            delegate=bool(fields["delegate"]),
            durations=Durations.from_json(json.dumps(fields["durations"])),
            enforce_iam=bool(fields["enforce_iam"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DeploytoolError(
            f"{path}: not the state of a local cloud ({error})", hint=f"remove {path}"
        ) from error
