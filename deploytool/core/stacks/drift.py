"""What was changed in a stack's resources behind CloudFormation's back. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deploytool.core.stacks.stack import StackStatus
from deploytool.core.stacks.templatediff import refers_to

# Where DetectStackDrift works (User Guide, "Detect drift on an entire stack")
CHECKABLE = frozenset(
    {
        StackStatus.CREATE_COMPLETE,
        StackStatus.UPDATE_COMPLETE,
        StackStatus.UPDATE_ROLLBACK_COMPLETE,
        StackStatus.UPDATE_ROLLBACK_FAILED,
    }
)
HIDDEN = "(hidden: NoEcho)"


@dataclass(frozen=True)
class Difference:
    """A property that is not as deployed: its path with slashes, and both values as CloudFormation
    gives them (JSON or text).
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
class StackDrift:
    """IN_SYNC, DRIFTED, or NOT_CHECKED and UNKNOWN with the reason."""

    status: str
    resources: tuple[ResourceDrift, ...] = ()
    reason: str = ""


def without_secrets(
    drift: StackDrift, document: Mapping[str, Any], no_echo: Collection[str]
) -> StackDrift:
    """The drift with every value hidden that may come from a NoEcho parameter of the stack's
    template.
    """
    if not no_echo:
        return drift
    resources: Mapping[str, Any] = document.get("Resources", {})
    return replace(
        drift,
        resources=tuple(
            _hidden(each, resources.get(each.logical_id), no_echo) for each in drift.resources
        ),
    )


def _hidden(
    drift: ResourceDrift, spec: Mapping[str, Any] | None, no_echo: Collection[str]
) -> ResourceDrift:
    return replace(
        drift,
        differences=tuple(
            replace(each, expected=HIDDEN, actual=HIDDEN)
            if spec is None or _is_secret(spec, each.path, no_echo)
            else each
            for each in drift.differences
        ),
    )


def _is_secret(spec: Mapping[str, Any], path: str, no_echo: Collection[str]) -> bool:
    """Whether the property, or the innermost part of the template that holds it, uses one of the
    parameters.
    """
    value: Any = spec.get("Properties", {})
    for key in path.strip("/").split("/"):
        if not isinstance(value, Mapping) or key not in value:
            break
        value = value[key]
    return refers_to(value, no_echo)
