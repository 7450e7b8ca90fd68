"""The ports with which traffic is moved by command. All of them work with the standby region alone."""

from typing import Protocol, TypeVar

from deploytool.core.failover.records import (
    LastDrill,
    OutputsRecord,
    ServingRecord,
    StandbyRecord,
    SwitchRecord,
)

T = TypeVar("T", StandbyRecord, SwitchRecord, ServingRecord, LastDrill, OutputsRecord)


class StandbyRecords(Protocol):
    """A stage's records in the standby region."""

    def read(self, kind: type[T]) -> T | None:
        """Return the record of that kind, None when there is none.

        Raises DeploytoolError when this version cannot read it, ApiUnavailable when the API of the
        standby region does not answer.
        """
        ...

    def write(self, record: StandbyRecord | SwitchRecord | LastDrill | OutputsRecord) -> None:
        """Write a record over the one that exists."""
        ...

    def remove_all(self) -> None:
        """Delete every record of the stage. Does nothing for one that does not exist."""
        ...


class SwitchMetric(Protocol):
    """The metric of a stage's switch."""

    def put(self, *, held: bool) -> None:
        """Put a data point of now: 1 when held, else 0."""
        ...
