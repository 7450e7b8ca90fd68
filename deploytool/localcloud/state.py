"""The addresses, ports and process of a running local cloud, as its state directory has them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploytool.core.errors import DeploytoolError
from deploytool.localcloud.durations import Durations
from deploytool.localcloud.settings import NO_DURATIONS, STATE_FILE, Settings


@dataclass(frozen=True)
class Endpoint:
    """A loopback address and port."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True)
class State:
    """A running cloud.

    `regions` (primary first) maps each region to its edge's address; all edges listen on
    `https_port`. `endpoint_url` is the AWS API. `dns` is the zones' authoritative name server,
    `resolver` the recursive one, `parent` the authoritative one of the zones' parents (UDP and TCP
    each). `ca` is the certificate authority's PEM file. `started` is Unix time in seconds. The
    other fields are those of Settings.
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
    quotas: bool = False
    left_out: tuple[str, ...] = ()

    def has_settings(self, settings: Settings) -> bool:
        """Whether the cloud was started with these settings, `lifeline` aside."""
        return (
            tuple(self.regions) == settings.regions
            and self.speed == settings.speed
            and self.delegate == settings.delegate
            and self.durations == settings.durations
            and self.enforce_iam == settings.enforce_iam
            and self.quotas == settings.quotas
            and set(self.left_out) == set(settings.left_out)
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for state.json and the control API."""
        return {
            **asdict(self),
            "regions": dict(self.regions),
            "left_out": list(self.left_out),
            "ca": str(self.ca),
            "directory": str(self.directory),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "State":
        """Read what `to_json` wrote; further keys are ignored.

        Raises KeyError, TypeError, ValueError or AttributeError for anything else.
        """
        return cls(
            pid=int(document["pid"]),
            speed=float(document["speed"]),
            regions={str(region): str(address) for region, address in document["regions"].items()},
            endpoint_url=str(document["endpoint_url"]),
            https_port=int(document["https_port"]),
            dns=_endpoint(document["dns"]),
            resolver=_endpoint(document["resolver"]),
            parent=_endpoint(document["parent"]),
            ca=Path(document["ca"]),
            directory=Path(document["directory"]),
            started=float(document["started"]),
            delegate=bool(document["delegate"]),
            durations=Durations.from_json(json.dumps(document["durations"])),
            enforce_iam=bool(document["enforce_iam"]),
            quotas=bool(document["quotas"]),
            left_out=tuple(str(name) for name in document["left_out"]),
        )

    def write(self) -> None:
        """Write state.json in one step: a reader sees the whole file or none."""
        path = self.directory / STATE_FILE
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")
        draft.replace(path)


def read_state(directory: Path) -> State:
    """Return the state that a cloud wrote.

    Raises FileNotFoundError when there is none, DeploytoolError when the file is not a state.
    """
    path = directory / STATE_FILE
    text = path.read_text(encoding="utf-8")
    try:
        return State.from_json(json.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DeploytoolError(
            f"{path}: not the state of a local cloud ({error})", hint=f"remove {path}"
        ) from error


def _endpoint(document: Mapping[str, Any]) -> Endpoint:
    return Endpoint(str(document["address"]), int(document["port"]))
