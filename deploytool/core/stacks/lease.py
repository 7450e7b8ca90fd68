"""Who deploys a stage: a lease as it is kept beside it. Pure."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

SECONDS = 120.0  # that a lease holds; its holder renews it when a third of that has passed


@dataclass(frozen=True)
class Holder:
    """A process: the user, the host that it runs on, its id there."""

    user: str
    host: str
    process: int

    def __str__(self) -> str:
        return f"{self.user} on {self.host} (process {self.process})"


@dataclass(frozen=True)
class Lease:
    """`since` when the holder deploys and until when its lease holds, in Unix seconds."""

    holder: Holder
    since: float
    expires: float

    def __str__(self) -> str:
        return f"{self.holder} since {_time(self.since)}"


def write_lease(lease: Lease) -> str:
    """As JSON, with times that people read."""
    holder = lease.holder
    values = {"holder": holder.user, "host": holder.host, "process": holder.process}
    return json.dumps({**values, "since": _time(lease.since), "expires": _time(lease.expires)})


def read_lease(text: str) -> Lease | None:
    """The lease, or None when the text is none: then it holds nobody."""
    try:
        values = json.loads(text)
        holder = Holder(str(values["holder"]), str(values["host"]), int(values["process"]))
        return Lease(
            holder,
            *(datetime.fromisoformat(values[key]).timestamp() for key in ("since", "expires")),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds")
