"""Macros: CloudFormation runs a function of the account for each, which the local cloud has not.

MiniStack applies AWS::Include, AWS::LanguageExtensions and SAM, and ignores any other transform: a
template would be deployed as it is. It is refused instead. On AWS a macro that exists is applied,
and one that does not ends with "No transform named NAME found" (CloudFormation User Guide, "Perform
custom processing on templates with template macros").
"""

from collections.abc import Iterator, Mapping
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher

_IGNORED = "a macro is ignored"
PATCHES = {
    "stack_handlers._apply_transforms": _IGNORED,
    "changesets._apply_transforms": _IGNORED,
}

_APPLIED = {"AWS::Include", "AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"}


def install(patcher: Patcher) -> None:
    """Refuse what MiniStack does not apply."""

    def apply_transforms(
        template: Mapping[str, Any], provided_params: Any = None, previous_params: Any = None
    ) -> Any:
        macros = sorted({name for name in _names(template) if name not in _APPLIED})
        if macros:
            raise ValueError(
                f"the local cloud cannot run the macro {', '.join(macros)}, which works on AWS only"
            )
        return original(template, provided_params, previous_params)

    # Both modules import the same function.
    original = patcher.ministack.changesets._apply_transforms
    for target in PATCHES:
        patcher.replace(target, apply_transforms)


def _names(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all transforms of a template."""
    declared = template.get("Transform") or []
    for entry in declared if isinstance(declared, list) else [declared]:
        yield str(entry.get("Name", "")) if isinstance(entry, Mapping) else str(entry)
    yield from _embedded({key: part for key, part in template.items() if key != "Transform"})


def _embedded(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        transforms = node.get("Fn::Transform") or []
        for entry in transforms if isinstance(transforms, list) else [transforms]:
            if isinstance(entry, Mapping):
                yield str(entry.get("Name", ""))
        for part in node.values():
            yield from _embedded(part)
    elif isinstance(node, list):
        for item in node:
            yield from _embedded(item)
