"""The changes between two templates, resource by resource. Pure.

CloudFormation knows the changes exactly, from a change set. The functions here estimate them for a
stack that does not allow a change set yet.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from deploytool.core.project.expressions import Evaluator, references, refers_to
from deploytool.core.stacks.changes import (
    SERVING,
    DeployedTemplate,
    Effect,
    PropertyChange,
    ResourceChange,
)
from deploytool.core.transforms import declared_resources

# Attributes of a resource that are not compared as values of their own. A change of DependsOn or
# Condition alone changes no resource.
NOT_COMPARED = {"DependsOn", "Condition", "Type", "Properties"}


def creations(
    document: Mapping[str, Any], parameters: Mapping[str, str | None]
) -> tuple[ResourceChange, ...]:
    """Return the resources of a new stack, as changes.

    A parameter that is not known yet is None. A resource counts as created when its condition
    depends on such a parameter.
    """
    version = _Version(document, parameters)
    return tuple(
        ResourceChange(Effect.CREATE, name, version.type(name))
        for name in version.resources
        if version.present(name) is not False
    )


def estimate(
    before: DeployedTemplate,
    document: Mapping[str, Any],
    parameters: Mapping[str, str | None],
    same: Collection[str] = (),
) -> tuple[ResourceChange, ...]:
    """Return what an update from `before` would change, as far as the templates tell.

    A parameter that is not known yet is None. A resource may change when it uses an unknown value
    or refers to a resource that is replaced. The update keeps the value of the parameters in
    `same`, also where CloudFormation does not show it.
    """
    old = _Version(before.document, before.parameters)
    new = _Version(document, parameters)
    return _Estimate(old, new, same).run()


def settled_outputs(
    before: DeployedTemplate,
    document: Mapping[str, Any],
    parameters: Mapping[str, str | None],
    changes: Collection[ResourceChange],
) -> frozenset[str]:
    """Return the outputs whose values an update with these changes certainly keeps.

    Such an output has the same expression as before. The parameters in it are known and equal, and
    nothing that it takes from a resource changes. An update in place keeps the Ref of a resource,
    but perhaps not its attributes.
    """
    old = _Version(before.document, before.parameters)
    new = _Version(document, parameters)
    masked = old.no_echo | new.no_echo
    effects = {change.logical_id: change.effect for change in changes}

    def is_same(name: str, expression: object) -> bool:
        # A pseudo parameter, like AWS::Region, does not change in the life of a stack.
        if name.startswith("AWS::"):
            return True

        if name in new.resources:
            if name not in effects:
                return True
            return effects[name] is Effect.UPDATE and expression == {"Ref": name}

        value = new.parameters.get(name)
        return value is not None and name not in masked and value == old.parameters.get(name)

    settled: set[str] = set()
    old_outputs = before.document.get("Outputs")
    if not isinstance(old_outputs, Mapping):
        return frozenset()
    for output, spec in (document.get("Outputs") or {}).items():
        if old_outputs.get(output) != spec:
            continue
        if all(is_same(name, spec["Value"]) for name in references(spec)):
            settled.add(output)
    return frozenset(settled)


class _Version:
    """A template with its parameters: the deployed or the desired version of a stack."""

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, str | None]) -> None:
        specs: Mapping[str, Any] = document.get("Parameters") or {}
        self.no_echo = frozenset(
            name for name, spec in specs.items() if str(spec.get("NoEcho", False)).lower() == "true"
        )
        self.parameters: dict[str, str | None] = {}
        for name, spec in specs.items():
            if "Default" in spec:
                self.parameters[name] = str(spec["Default"])
        self.parameters.update(parameters)

        self.conditions: Mapping[str, Any] = document.get("Conditions") or {}
        self.resources = declared_resources(document)
        self._evaluator = Evaluator(document, parameters)

    def type(self, name: str) -> str:
        return str(self.resources[name].get("Type", ""))

    def present(self, name: str) -> bool | None:
        """Return whether the stack has this resource; None when its condition is unknown."""
        if name not in self.resources:
            return False
        return self._evaluator.has_resource(self.resources[name])


class _Estimate:
    """The comparison of two versions of a stack.

    `changed` and `unknown` are the names of parameters and conditions whose values differ or are not
    known. A resource that is replaced has an unknown Ref and unknown attributes, so its name becomes
    unknown too. The comparison is repeated until no name is added.
    """

    def __init__(self, before: _Version, after: _Version, same: Collection[str]) -> None:
        self.before = before
        self.after = after

        # CloudFormation does not show a NoEcho value, so it may have changed.
        masked = before.no_echo | after.no_echo
        changed: set[str] = set()
        unknown: set[str] = set()
        for name, value in after.parameters.items():
            if name in same:
                continue
            if value is None or name in masked:
                unknown.add(name)
            elif value != before.parameters.get(name):
                changed.add(name)
        for name in before.parameters.keys() - after.parameters.keys():
            changed.add(name)
        self.changed = self._with_conditions(changed)
        self.unknown = self._with_conditions(unknown)

    def _with_conditions(self, names: set[str]) -> set[str]:
        """Return the names and those of all conditions that use one of them."""
        # A condition may use another one, so this is repeated until no name is added.
        result = set(names)
        size = -1
        while size < len(result):
            size = len(result)
            for condition, expression in self.after.conditions.items():
                if refers_to(expression, result):
                    result.add(condition)
        return result

    def run(self) -> tuple[ResourceChange, ...]:
        # This ends because `unknown` grows in each round, and the template has finitely many names.
        while True:
            changes = self._compare()
            replaced: set[str] = set()
            for change in changes:
                if change.effect in (Effect.REPLACE, Effect.PERHAPS_REPLACE):
                    replaced.add(change.logical_id)
            if replaced <= self.unknown:
                return changes
            self.unknown |= replaced

    def _compare(self) -> tuple[ResourceChange, ...]:
        changes: list[ResourceChange] = []
        for name in dict.fromkeys([*self.after.resources, *self.before.resources]):
            change = self._change_of(name)
            if change is not None:
                changes.append(change)
        return tuple(changes)

    def _change_of(self, name: str) -> ResourceChange | None:
        was_present = self.before.present(name)
        is_present = self.after.present(name)

        # The value None means unknown: such a resource is compared as if it were present.
        if is_present is False:
            if was_present is False:
                return None
            policy = self.before.resources.get(name, {}).get("DeletionPolicy")
            is_kept = policy in ("Retain", "RetainExceptOnCreate")
            effect = Effect.RETAIN if is_kept else Effect.DELETE
            return ResourceChange(effect, name, self.before.type(name))

        type_ = self.after.type(name)
        if was_present is False:
            return ResourceChange(Effect.CREATE, name, type_)
        if type_ != self.before.type(name):
            return ResourceChange(Effect.REPLACE, name, type_, (PropertyChange("Type"),))

        paths = self._compare_paths(self.before.resources[name], self.after.resources[name])
        update = _effect(type_, paths)
        if update is None:
            return None
        names = dict.fromkeys([*paths.certain, *paths.possible])
        properties = tuple(map(PropertyChange, names))
        return ResourceChange(update, name, type_, properties)

    def _compare_paths(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> "_ChangedPaths":
        old_properties = old.get("Properties") or {}
        new_properties = new.get("Properties") or {}
        leaves = list(_leaves(new_properties))

        # Dictionaries keep the order and drop duplicates.
        certain = dict.fromkeys(different(old_properties, new_properties))
        for path, value in leaves:
            if refers_to(value, self.changed):
                certain[path] = None
        possible: dict[str, None] = {}
        for path, value in leaves:
            if path not in certain and refers_to(value, self.unknown):
                possible[path] = None

        for attribute in {**old, **new}:
            if attribute not in NOT_COMPARED and old.get(attribute) != new.get(attribute):
                certain[attribute] = None
        return _ChangedPaths(tuple(certain), tuple(possible))


@dataclass(frozen=True)
class _ChangedPaths:
    """The paths of a resource's properties that certainly change, and those that may change."""

    certain: tuple[str, ...]
    possible: tuple[str, ...]


def _effect(type_: str, paths: _ChangedPaths) -> Effect | None:
    """Return the strongest effect that the changed paths have, or None without any."""
    if _needs_replacement(type_, paths.certain):
        return Effect.REPLACE
    if _needs_replacement(type_, paths.possible):
        return Effect.PERHAPS_REPLACE
    if paths.certain:
        return Effect.UPDATE
    if paths.possible:
        return Effect.PERHAPS_UPDATE
    return None


def _needs_replacement(type_: str, paths: Collection[str]) -> bool:
    """Return whether one of the paths is, contains or is within a property that needs replacement."""
    # With the dot at the end, `A.B` is no prefix of `A.Bc`.
    for fixed in SERVING.get(type_, ()):
        for path in paths:
            if f"{path}.".startswith(f"{fixed}.") or f"{fixed}.".startswith(f"{path}."):
                return True
    return False


def different(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Find the paths, with dots, at which two mappings differ.

    A list or a CloudFormation function counts as one value.
    """
    for key in {**before, **after}:
        old = before.get(key)
        new = after.get(key)
        if old == new:
            continue
        if _is_branch(old) and _is_branch(new):
            for path in different(old, new):
                yield f"{key}.{path}"
        else:
            yield key


def _leaves(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Find the values that are no branches, with their paths."""
    for key, member in value.items():
        if _is_branch(member):
            for path, leaf in _leaves(member):
                yield f"{key}.{path}", leaf
        else:
            yield key, member


def _is_branch(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is a mapping of properties, and not a function like Ref or Fn::Sub."""
    if not isinstance(value, Mapping):
        return False
    return not any(key in ("Ref", "Condition") or str(key).startswith("Fn::") for key in value)
