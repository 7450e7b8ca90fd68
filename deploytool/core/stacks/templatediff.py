"""What changes between two templates, resource by resource, where only CloudFormation could know it
exactly. Pure.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.core.stacks.changes import (
    SERVING,
    DeployedTemplate,
    Effect,
    PropertyChange,
    ResourceChange,
)

IN_SUB = re.compile(r"\$\{([^!}.][^}.]*)")
# Attributes whose change alone changes no resource
PASSIVE = {"DependsOn", "Condition", "Type", "Properties"}


def creations(
    document: Mapping[str, Any], parameters: Mapping[str, str | None]
) -> tuple[ResourceChange, ...]:
    """What a new stack of this template would hold. A parameter that is not known yet is None."""
    side = _Side(document, parameters)
    return tuple(
        ResourceChange(Effect.CREATE, name, side.type(name))
        for name in side.resources
        if side.present(name) is not False
    )


def estimate(
    before: DeployedTemplate, document: Mapping[str, Any], parameters: Mapping[str, str | None]
) -> tuple[ResourceChange, ...]:
    """What an update from `before` would change, as far as the templates say. A parameter that is
    not known yet is None.

    A resource that takes an unknown value, or something of a resource that is made anew, is said to
    change perhaps.
    """
    return _Estimate(_Side(before.document, before.parameters), _Side(document, parameters)).run()


def settled_outputs(
    before: DeployedTemplate,
    document: Mapping[str, Any],
    parameters: Mapping[str, str | None],
    changes: Collection[ResourceChange],
) -> frozenset[str]:
    """The outputs that an update with these changes leaves as they are, for certain.

    Their expression is the same, the parameters in it are known and the same, and nothing they take
    of a resource changes: an update in place leaves a resource's Ref alone, but perhaps not its
    attributes.
    """
    old, new = _Side(before.document, before.parameters), _Side(document, parameters)
    was, will = before.document.get("Outputs") or {}, document.get("Outputs") or {}
    touched = {change.logical_id: change.effect for change in changes}
    masked = old.no_echo | new.no_echo

    def same(name: str, value: object) -> bool:
        if name.startswith("AWS::"):
            return True
        if name in new.resources:
            return name not in touched or (
                touched[name] is Effect.UPDATE and value == {"Ref": name}
            )
        known = new.parameters.get(name)
        return known is not None and name not in masked and known == old.parameters.get(name)

    return frozenset(
        name
        for name, spec in will.items()
        if isinstance(was, Mapping)
        and was.get(name) == spec
        and all(same(each, spec["Value"]) for each in references(spec))
    )


def refers_to(value: object, names: Collection[str]) -> bool:
    """Whether a part of a template uses one of these parameters, resources or conditions."""
    return any(name in names for name in references(value))


def references(value: object) -> Iterator[str]:
    """The parameters, resources and conditions that a part of a template uses."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _named(str(key), each)
            yield from references(each)


def _named(function: str, argument: object) -> Iterator[str]:
    """What a function names itself, beside what its arguments hold."""
    match function, argument:
        case (("Ref" | "Condition"), str(name)):
            yield name
        case (("Fn::GetAtt" | "Fn::If"), [str(name), *_]):
            yield name
        case "Fn::GetAtt", str(name):
            yield name.split(".", 1)[0]
        case ("Fn::Sub", str(text)) | ("Fn::Sub", [str(text), *_]):
            yield from IN_SUB.findall(text)


class _Side:
    """A template with its parameters, the deployed or the desired one."""

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, str | None]) -> None:
        specs: Mapping[str, Any] = document.get("Parameters") or {}
        self.no_echo = frozenset(
            name for name, spec in specs.items() if str(spec.get("NoEcho", False)).lower() == "true"
        )
        defaults = {name: str(spec["Default"]) for name, spec in specs.items() if "Default" in spec}
        self.parameters: dict[str, str | None] = {**defaults, **parameters}
        self.conditions: Mapping[str, Any] = document.get("Conditions") or {}
        self.resources: Mapping[str, Any] = document["Resources"]

    def type(self, name: str) -> str:
        return str(self.resources[name].get("Type", ""))

    def present(self, name: str) -> bool | None:
        """Whether the stack has this resource; None when that depends on what is not known."""
        if name not in self.resources:
            return False
        condition = self.resources[name].get("Condition")
        return True if condition is None else self._holds({"Condition": condition})

    def _holds(self, expression: Any) -> bool | None:  # noqa: ANN401  # any expression of a template
        match expression:
            case {"Condition": name}:
                return self._holds(self.conditions.get(name))
            case {"Fn::Not": [inner]}:
                held = self._holds(inner)
                return None if held is None else not held
            case {"Fn::Equals": [left, right]}:
                known = self._value(left), self._value(right)
                return None if None in known else known[0] == known[1]
            case {"Fn::And": parts}:
                return _all([self._holds(each) for each in parts])
            case {"Fn::Or": parts}:
                none = _all(
                    [None if held is None else not held for held in map(self._holds, parts)]
                )
                return None if none is None else not none
        return None

    def _value(self, value: Any) -> str | None:  # noqa: ANN401  # the same
        match value:
            case {"Ref": str(name)}:
                return self.parameters.get(name)
            case str() | int() | float():
                return str(value)
        return None


def _all(held: list[bool | None]) -> bool | None:
    return False if False in held else None if None in held else True


@dataclass
class _Paths:
    """The properties of a resource that change for sure, and those that change perhaps."""

    sure: dict[str, None]
    perhaps: dict[str, None]


class _Estimate:
    """Compares two sides. What is made anew changes what refers to it, so it looks again until
    nothing new is found.
    """

    def __init__(self, before: _Side, after: _Side) -> None:
        self.before, self.after = before, after
        names = {*before.parameters, *after.parameters}
        masked = before.no_echo | after.no_echo
        unknown = {
            name for name in names if after.parameters.get(name) is None or name in masked
        } & {*after.parameters}
        moved = {
            name
            for name in names - unknown
            if before.parameters.get(name) != after.parameters.get(name)
        }
        self.moved, self.unknown = self._with_conditions(moved), self._with_conditions(unknown)

    def _with_conditions(self, names: set[str]) -> set[str]:
        found = set(names)
        while new := {
            each
            for each, value in self.after.conditions.items()
            if each not in found and refers_to(value, found)
        }:
            found |= new
        return found

    def run(self) -> tuple[ResourceChange, ...]:
        while True:
            changes = self._once()
            anew = {
                each.logical_id
                for each in changes
                if each.effect in (Effect.REPLACE, Effect.PERHAPS_REPLACE)
            }
            if anew <= self.unknown:
                return changes
            self.unknown |= anew

    def _once(self) -> tuple[ResourceChange, ...]:
        names = dict.fromkeys([*self.after.resources, *self.before.resources])
        return tuple(change for name in names if (change := self._of(name)))

    def _of(self, name: str) -> ResourceChange | None:
        was, will = self.before.present(name), self.after.present(name)
        if will is False:
            spec = self.before.resources.get(name, {})
            kept = spec.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
            gone = ResourceChange(
                Effect.RETAIN if kept else Effect.DELETE, name, self.before.type(name)
            )
            return gone if was is not False else None
        kind = self.after.type(name)
        if was is False:
            return ResourceChange(Effect.CREATE, name, kind)
        if kind != self.before.type(name):
            return ResourceChange(Effect.REPLACE, name, kind, (PropertyChange("Type"),))
        paths = self._paths(self.before.resources[name], self.after.resources[name])
        effect = _effect(kind, paths)
        properties = tuple(map(PropertyChange, {**paths.sure, **paths.perhaps}))
        return ResourceChange(effect, name, kind, properties) if effect else None

    def _paths(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> _Paths:
        before, after = old.get("Properties") or {}, new.get("Properties") or {}
        attributes = [
            key for key in {**old, **new} if key not in PASSIVE and old.get(key) != new.get(key)
        ]
        sure = dict.fromkeys(
            [
                *different(before, after),
                *(path for path, each in _leaves(after) if refers_to(each, self.moved)),
            ]
        )
        perhaps = dict.fromkeys(
            path
            for path, each in _leaves(after)
            if path not in sure and refers_to(each, self.unknown)
        )
        return _Paths({**sure, **dict.fromkeys(attributes)}, perhaps)


def _effect(kind: str, paths: _Paths) -> Effect | None:
    if _needs_replacement(kind, paths.sure):
        return Effect.REPLACE
    if _needs_replacement(kind, paths.perhaps):
        return Effect.PERHAPS_REPLACE
    if paths.sure:
        return Effect.UPDATE
    return Effect.PERHAPS_UPDATE if paths.perhaps else None


def _needs_replacement(kind: str, paths: Collection[str]) -> bool:
    """Whether one of the paths is a property that cannot be updated in place, lies in one or holds
    one.
    """
    return any(
        f"{path}.".startswith(f"{fixed}.") or f"{fixed}.".startswith(f"{path}.")
        for fixed in SERVING.get(kind, ())
        for path in paths
    )


def different(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The paths, with dots, that differ between two mappings. A list or a function of
    CloudFormation counts as one value.
    """
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if _is_branch(old) and _is_branch(new):
            yield from (f"{key}.{path}" for path in different(old, new))  # type: ignore[arg-type]  # both are mappings
        else:
            yield key


def _leaves(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, each in value.items():
        if _is_branch(each):
            yield from ((f"{key}.{path}", leaf) for path, leaf in _leaves(each))
        else:
            yield key, each


def _is_branch(value: object) -> bool:
    """A mapping of properties, not a function like Ref or Fn::Sub."""
    return isinstance(value, Mapping) and not any(
        key in ("Ref", "Condition") or str(key).startswith("Fn::") for key in value
    )
