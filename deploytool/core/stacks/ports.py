"""The ports of the work on stacks: CloudFormation, S3, locks and the user's requests to stop."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from deploytool.core.project.package import Package
from deploytool.core.stacks.changes import DeployedTemplate, ResourceChange
from deploytool.core.stacks.drift import StackDrift
from deploytool.core.stacks.failures import FailureReport
from deploytool.core.stacks.stack import Stack, StackEvent, StackRequest


class StackReader(Protocol):
    """Reads stacks. Every method raises CloudRefused when AWS refuses the call."""

    def list(self, region: str) -> Mapping[str, Stack]:
        """Return every stack of the region that is not deleted, by name."""
        ...

    def get(self, region: str, stack_id: str) -> Stack:
        """Return a stack by its id, also when it is deleted."""
        ...

    def events(self, region: str, stack_id: str, *tokens: str) -> Sequence[StackEvent]:
        """Return the events of the operation with these tokens, newest first."""
        ...

    def latest_events(self, region: str, stack_id: str) -> Sequence[StackEvent]:
        """Return the latest events of all operations, newest first: one page of them."""
        ...

    def failure_report(self, region: str, stack_id: str, operation_id: str) -> FailureReport:
        """Return the reasons of a failed operation that no event of a resource has.

        Without an id it is the stack's latest operation. This raises no CloudRefused: the report
        says what could not be read.
        """
        ...


class StackWriter(Protocol):
    """Starts operations on stacks. A call that is repeated with its token is the same call."""

    def create(self, region: str, request: StackRequest) -> str:
        """Start a creation and return the stack's id.

        Raises StackExists when a stack has the name, or a deleted stack has used the token.
        """
        ...

    def update(self, region: str, request: StackRequest) -> str | None:
        """Start an update through a change set and return the stack's id.

        None means that CloudFormation finds nothing to change.
        """
        ...

    def delete(self, region: str, stack_id: str, token: str) -> None:
        """Start a deletion."""
        ...


class StackRescuer(Protocol):
    """Repairs stacks, and protects them from deletion."""

    def continue_rollback(self, region: str, stack_id: str, token: str) -> None:
        """Continue the rollback of a stack in UPDATE_ROLLBACK_FAILED."""
        ...

    def cancel_update(self, region: str, stack_id: str, token: str) -> None:
        """Roll back the update under way; the events of the rollback have this token."""
        ...

    def protect(self, region: str, stack_id: str, *, on: bool) -> None:
        """Turn termination protection on or off."""
        ...


class Stacks(StackReader, StackWriter, StackRescuer, Protocol):
    """CloudFormation in any region of one account."""


class Buckets(Protocol):
    """The S3 buckets that packages are stored in."""

    def put(self, region: str, bucket: str, package: Package) -> bool:
        """Store the package unless its key exists; return whether it was stored."""
        ...

    def empty(self, region: str, bucket: str) -> int:
        """Delete every object and version, and return how many there were."""
        ...


class StoredValues(Protocol):
    """Values of Parameter Store."""

    def read(self, region: str, names: Sequence[str]) -> Mapping[str, str]:
        """Return the values by name. A name that does not exist is left out.

        Raises CloudRefused when AWS refuses the call, ApiUnavailable when it does not answer.
        """
        ...


class DeployedTemplates(Protocol):
    """The templates of deployed stacks."""

    def deployed(self, region: str, stack_id: str) -> DeployedTemplate:
        """Return the template and the parameters of a deployed stack."""
        ...


class Previews(DeployedTemplates, Protocol):
    """What CloudFormation knows about an update before it starts."""

    def preview(
        self, region: str, request: StackRequest, *, values: bool
    ) -> Sequence[ResourceChange] | None:
        """Return what the update would change, from a change set that is deleted again.

        The sequence is empty when only outputs change. None means that CloudFormation sees no
        change at all: the templates differ in what it does not count as one, such as DependsOn.
        `values` adds the values of the properties. Raises DeploytoolError when CloudFormation
        cannot create the change set.
        """
        ...


class Drifts(Protocol):
    """Drift detection."""

    def detect(self, region: str, stack_id: str) -> StackDrift:
        """Compare a stack's resources with its template. It takes seconds to minutes."""
        ...


class Locks(Protocol):
    """Names with a value, in a region. Only one process can create a name."""

    def read(self, region: str, name: str) -> str | None:
        """Return the value, or None when the name does not exist."""
        ...

    def make(self, region: str, name: str, value: str) -> bool:
        """Create the name unless it exists; return whether it was created."""
        ...

    def renew(self, region: str, name: str, value: str) -> None:
        """Change the value."""
        ...

    def remove(self, region: str, name: str) -> None:
        """Remove the name, if it exists."""
        ...
