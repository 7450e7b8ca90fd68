"""The seam of the deploy work: what it asks of CloudFormation and S3, in narrow protocols."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from deploytool.core.changes import DeployedTemplate, ResourceChange
from deploytool.core.drift import StackDrift
from deploytool.core.package import Package
from deploytool.core.stacks import Stack, StackEvent, StackRequest


class Stacks(Protocol):
    """CloudFormation in any region of one account. Every method raises CloudRefused when AWS says no."""

    def list(self, region: str) -> Mapping[str, Stack]:
        """Every stack of the region that is not deleted, by name."""
        ...

    def get(self, region: str, stack_id: str) -> Stack:
        """One stack by its id; a deleted one too."""
        ...

    def create(self, region: str, request: StackRequest) -> str:
        """Begin a creation; its stack id."""
        ...

    def update(self, region: str, request: StackRequest) -> str | None:
        """Begin an update through a change set; the stack's id, or None when CloudFormation finds nothing to change."""
        ...

    def delete(self, region: str, stack_id: str, token: str) -> None:
        """Begin a deletion."""
        ...

    def events(self, region: str, stack_id: str, token: str) -> Sequence[StackEvent]:
        """The events of the operation `token`, newest first."""
        ...


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

    def preview(self, region: str, request: StackRequest, *, values: bool) -> Sequence[ResourceChange]:
        """What the update would change, from a change set that is deleted again; `values` includes those of properties.

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
