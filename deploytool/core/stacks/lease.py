"""The lease of the run that deploys a stage, and its text in the account. Pure."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

LEASE_SECONDS = 120.0  # how long a lease is valid; its holder renews it after a third of that


@dataclass(frozen=True)
class Holder:
    """The process that has a lease: its user, its host, and its process id there.

    `run` is drawn at random for each run. Hosts may have the same name, and process ids come again.
    """

    user: str
    host: str
    process: int
    run: str = ""

    def __str__(self) -> str:
        return f"{self.user} on {self.host} (process {self.process})"


@dataclass(frozen=True)
class Lease:
    """The right to deploy a stage, from `since` until `expires`, in Unix seconds."""

    holder: Holder
    since: float
    expires: float

    def __str__(self) -> str:
        return f"{self.holder} since {_iso_time(self.since)}"


def write_lease(lease: Lease) -> str:
    """Return the lease as JSON, with times in ISO 8601 so that people can read them."""
    document = {
        "holder": lease.holder.user,
        "host": lease.holder.host,
        "process": lease.holder.process,
        "run": lease.holder.run,
        "since": _iso_time(lease.since),
        "expires": _iso_time(lease.expires),
    }
    return json.dumps(document)


def read_lease(text: str) -> Lease | None:
    """Return the lease, or None when the text is none; then nobody has the lease."""
    try:
        document = json.loads(text)
        holder = Holder(
            user=str(document["holder"]),
            host=str(document["host"]),
            process=int(document["process"]),
            # Versions before 2026-11-26 wrote none
            run=str(document.get("run", "")),
        )
        since = _unix_time(document["since"])
        expires = _unix_time(document["expires"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return Lease(holder, since, expires)


def _iso_time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds")


def _unix_time(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
