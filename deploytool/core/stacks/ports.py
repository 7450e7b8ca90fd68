"""The seam of the deploy work: what it asks of CloudFormation, S3, locks and the user, in narrow
protocols.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from deploytool.core.project.package import Package
from deploytool.core.stacks.changes import DeployedTemplate, ResourceChange
from deploytool.core.stacks.drift import StackDrift
from deploytool.core.stacks.stack import Stack, StackEvent, StackRequest


class StackReader(Protocol):
    """What CloudFormation shows. Every method raises CloudRefused when AWS says no."""

    def list(self, region: str) -> Mapping[str, Stack]:
        """Every stack of the region that is not deleted, by name."""
        ...

    def get(self, region: str, stack_id: str) -> Stack:
        """One stack by its id; a deleted one too."""
        ...

    def events(self, region: str, stack_id: str, *tokens: str) -> Sequence[StackEvent]:
        """The events of the operation with these tokens, newest first."""
        ...

    def latest_events(self, region: str, stack_id: str) -> Sequence[StackEvent]:
        """The latest events, whoever's operation they are of, newest first: as many as one call
        gives.
        """
        ...


class StackWriter(Protocol):
    """What is asked of CloudFormation. Each begins an operation; a call repeated with its token is
    the same call.
    """

    def create(self, region: str, request: StackRequest) -> str:
        """Begin a creation; its stack id. Raises StackExists when the name is taken, or the token
        by a stack of the past.
        """
        ...

    def update(self, region: str, request: StackRequest) -> str | None:
        """Begin an update through a change set; the stack's id, or None when CloudFormation finds
        nothing to change.
        """
        ...

    def delete(self, region: str, stack_id: str, token: str) -> None:
        """Begin a deletion."""
        ...


class StackRescuer(Protocol):
    """What gets a stack out of a bad state, or guards it."""

    def continue_rollback(self, region: str, stack_id: str, token: str) -> None:
        """Go on with the rollback of an update that failed (UPDATE_ROLLBACK_FAILED)."""
        ...

    def cancel_update(self, region: str, stack_id: str, token: str) -> None:
        """Have an update under way rolled back; the rollback's events carry this token."""
        ...

    def protect(self, region: str, stack_id: str, *, on: bool) -> None:
        """Turn termination protection on or off."""
        ...


class Stacks(StackReader, StackWriter, StackRescuer, Protocol):
    """CloudFormation in any region of one account."""


class Buckets(Protocol):
    """S3: where packages are stored."""

    def put(self, region: str, bucket: str, package: Package) -> bool:
        """Store the package under its key unless it is there; whether it had to be stored."""
        ...

    def empty(self, region: str, bucket: str) -> int:
        """Delete every object and version; how many."""
        ...


class Previews(Protocol):
    """What CloudFormation knows of an update before it is made."""

    def preview(
        self, region: str, request: StackRequest, *, values: bool
    ) -> Sequence[ResourceChange]:
        """What the update would change, from a change set that is deleted again; `values` includes
        those of properties.

        Raises DeploytoolError when CloudFormation cannot make the change set.
        """
        ...

    def deployed(self, region: str, stack_id: str) -> DeployedTemplate:
        """A stack's template and parameters as deployed."""
        ...


class Drifts(Protocol):
    """Drift detection."""

    def detect(self, region: str, stack_id: str) -> StackDrift:
        """Compare a stack's resources with its template; takes seconds to minutes."""
        ...


class Locks(Protocol):
    """Names with a value, in a region, that only one can make."""

    def read(self, region: str, name: str) -> str | None:
        """The value, or None when there is none."""
        ...

    def make(self, region: str, name: str, value: str) -> bool:
        """Make it unless it is there; whether it was made."""
        ...

    def renew(self, region: str, name: str, value: str) -> None:
        """Give it another value."""
        ...

    def remove(self, region: str, name: str) -> None:
        """Remove it; nothing happens when it is not there."""
        ...


class Interrupts(Protocol):
    """How often the user (Ctrl-C) or the system (SIGTERM) has asked to stop."""

    def count(self) -> int: ...


class NoInterrupts:
    """Nobody asks to stop."""

    def count(self) -> int:
        """Never."""
        return 0
