"""AllowedValues of a parameter that is a list: each value of the list must be one of them.

MiniStack compares the whole text. CloudFormation applies AllowedValues to every item of a
CommaDelimitedList since December 2022 (cfn-lint pull request 2521, by AWS: "the same rules enforced
on the server-side").
"""

from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher

_WHOLE = "AllowedValues are compared with the whole text of a list"
PATCHES = {
    "changesets._resolve_parameters": _WHOLE,
    "stack_handlers._resolve_parameters": _WHOLE,
}
_LIST = "CommaDelimitedList"


def install(patcher: Patcher) -> None:
    """Compare each value of a list with the allowed ones."""
    for target in PATCHES:
        _install(patcher, target)


def _install(patcher: Patcher, target: str) -> None:
    def resolve_parameters(
        template: dict[str, Any],
        provided_params: list[dict[str, Any]],
        previous_params: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        declared = template.get("Parameters", {})
        lists = {
            name: definition for name, definition in declared.items() if _is_limited(definition)
        }
        others = {name: _without_values(lists, name, declared[name]) for name in declared}
        resolved: dict[str, Any] = original(
            {**template, "Parameters": others}, provided_params, previous_params
        )
        for name, definition in lists.items():
            _check_values(name, definition["AllowedValues"], resolved[name]["Value"])
        return resolved

    original = patcher.replace(target, resolve_parameters)


def _is_limited(definition: dict[str, Any]) -> bool:
    return definition.get("Type") == _LIST and bool(definition.get("AllowedValues"))


def _without_values(lists: dict[str, Any], name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """Return the definition of a parameter, that of a list without its allowed values."""
    if name not in lists:
        return definition
    return {key: value for key, value in definition.items() if key != "AllowedValues"}


def _check_values(name: str, allowed: list[Any], text: str) -> None:
    """Raise ValueError, which MiniStack answers as ValidationError, for another value."""
    known = {str(value) for value in allowed}
    for value in text.split(","):
        if value.strip() not in known:
            raise ValueError(
                f"Parameter '{name}' value '{value}' is not in AllowedValues: {allowed}"
            )
