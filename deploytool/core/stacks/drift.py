"""Drift: changes to a stack's resources that were not made through CloudFormation. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deploytool.core.project.expressions import refers_to
from deploytool.core.stacks.stack import StackStatus
from deploytool.core.transforms import declared_resources

# The statuses in which DetectStackDrift works (User Guide, "Detect drift on an entire stack").
CHECKABLE = frozenset(
    {
        StackStatus.CREATE_COMPLETE,
        StackStatus.UPDATE_COMPLETE,
        StackStatus.UPDATE_ROLLBACK_COMPLETE,
        StackStatus.UPDATE_ROLLBACK_FAILED,
    }
)
# Shown in the place of a value that may come from a NoEcho parameter.
HIDDEN = "(hidden: NoEcho)"


@dataclass(frozen=True)
class Difference:
    """A property that is not as deployed, by its path with slashes.

    The values are as CloudFormation gives them: JSON or text.
    """

    path: str
    expected: str
    actual: str


@dataclass(frozen=True)
class ResourceDrift:
    """A resource that was changed (MODIFIED, with its differences) or deleted (DELETED)."""

    logical_id: str
    type: str
    status: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class UncheckedResource:
    """A resource that a detection left out: CloudFormation detects no drift of its type."""

    logical_id: str
    type: str


@dataclass(frozen=True)
class StackDrift:
    """The result of a detection: IN_SYNC, DRIFTED, or NOT_CHECKED or UNKNOWN with a reason.

    A stack is IN_SYNC whatever became of the resources in `unchecked`. That is None when AWS refuses
    to list them.
    """

    status: str
    resources: tuple[ResourceDrift, ...] = ()
    reason: str = ""
    unchecked: tuple[UncheckedResource, ...] | None = ()


def without_secrets(
    drift: StackDrift, document: Mapping[str, Any], no_echo: Collection[str]
) -> StackDrift:
    """Return the drift, with each value hidden that may come from a NoEcho parameter.

    `document` is the stack's template, `no_echo` the names of these parameters.
    """
    if not no_echo:
        return drift

    specs = declared_resources(document)
    resources: list[ResourceDrift] = []
    for resource in drift.resources:
        spec = specs.get(resource.logical_id)
        differences: list[Difference] = []
        for difference in resource.differences:
            # Where the values of a resource come from that the template does not have is unknown.
            if spec is None or _is_secret(spec, difference.path, no_echo):
                differences.append(replace(difference, expected=HIDDEN, actual=HIDDEN))
            else:
                differences.append(difference)
        resources.append(replace(resource, differences=tuple(differences)))
    return replace(drift, resources=tuple(resources))


def _is_secret(spec: Mapping[str, Any], path: str, no_echo: Collection[str]) -> bool:
    """Return whether a property may contain the value of one of the parameters.

    The template may describe a property only as a part of a larger value, for example of a list.
    Then the innermost value that contains it counts.
    """
    value: Any = spec.get("Properties", {})
    for key in path.strip("/").split("/"):
        if not isinstance(value, Mapping) or key not in value:
            break
        value = value[key]
    return refers_to(value, no_echo)
