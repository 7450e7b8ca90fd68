"""Transforms of a template: what CloudFormation expands before it creates anything. Pure.

deploytool sends a template as it is written, and CloudFormation expands it: `AWS::Include` and
`AWS::LanguageExtensions` with its loops (Fn::ForEach), SAM (`AWS::Serverless-2016-10-31`), and
macros of the account. What deploytool reads of a template is therefore what stands in it, and of a
loop the resources that its body declares.

Sources: CloudFormation Template Reference, "Transform" and "Fn::ForEach"; CloudFormation User Guide,
"Perform custom processing on templates with template macros".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
SERVERLESS = "AWS::Serverless-2016-10-31"
INCLUDE = "AWS::Include"

# The transforms that the local cloud can apply
LOCAL = frozenset({INCLUDE, LANGUAGE_EXTENSIONS, SERVERLESS})
# The transforms that AWS has ("Transform reference"). Any other name with this prefix is a mistake.
AWS_TRANSFORMS = LOCAL | {
    "AWS::CodeDeployBlueGreen",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
    "AWS::ServiceCatalog",
}

_TRANSFORM = "Fn::Transform"
_LOOP = "Fn::ForEach::"
# A placeholder of a loop in a name. In a name `&{Kind}` leaves out what is no letter or digit.
_PLACEHOLDER = re.compile(r"[$&]\{([A-Za-z0-9]+)\}")


def declared_resources(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the resources that a template declares, by logical id, as far as its text tells.

    A loop over literal values declares one for each of them; over other values it declares one
    whose name has the placeholder (`Topic${Kind}`). What a transform adds is not known.
    """
    return dict(_resources(document.get("Resources") or {}))


def _resources(section: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, entry in section.items():
        if is_loop(name):
            yield from _resources_of_loop(entry)
        elif name != _TRANSFORM and isinstance(entry, Mapping):
            yield name, entry


def _resources_of_loop(loop: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    match loop:
        case [str(variable), values, Mapping() as body]:
            pass
        case _:
            return  # CloudFormation and cfn-lint say what is wrong with it

    texts = _literal_values(values) or [f"${{{variable}}}"]
    for name, resource in _resources(body):
        for text in texts:
            yield _with_value(name, variable, text), resource


def _literal_values(values: object) -> list[str]:
    """Return the values of a loop's collection that is written out, and none of any other."""
    if not isinstance(values, list):
        return []
    if not all(isinstance(value, str | int | float) for value in values):
        return []
    return [str(value) for value in values]


def _with_value(name: str, variable: str, value: str) -> str:
    """Return a name with the placeholders of a variable replaced."""

    def replace(match: re.Match[str]) -> str:
        if match[1] != variable:
            return match[0]
        return re.sub(r"[^A-Za-z0-9]", "", value) if match[0].startswith("&") else value

    return _PLACEHOLDER.sub(replace, name)


def is_loop(name: object) -> bool:
    """Return whether the key of an entry is that of a loop."""
    return str(name).startswith(_LOOP)


def is_expanded(name: object) -> bool:
    """Return whether CloudFormation puts something else in the place of an entry with this key."""
    return is_loop(name) or name == _TRANSFORM


def transforms_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the transforms and macros that a template uses, in their order."""
    declared = document.get("Transform") or ()
    is_list = isinstance(declared, Sequence) and not isinstance(declared, str)
    names = declared if is_list else [declared]
    found = dict.fromkeys(_name_of(entry) for entry in names)
    sections = {key: part for key, part in document.items() if key != "Transform"}
    found.update(dict.fromkeys(_embedded(sections)))
    return tuple(name for name in found if name)


def _name_of(entry: object) -> str:
    """Return the name of a transform, which may have parameters."""
    if isinstance(entry, Mapping):
        return str(entry.get("Name", ""))
    return str(entry)


def _embedded(node: object) -> Iterator[str]:
    """Yield the names of the transforms within a template."""
    match node:
        case Mapping():
            for key, part in node.items():
                if key == _TRANSFORM:
                    parts = part if isinstance(part, list) else [part]
                    yield from (_name_of(each) for each in parts)
                yield from _embedded(part)
        case list():
            for item in node:
                yield from _embedded(item)


def only_on_aws(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the transforms and macros of a template that the local cloud cannot apply."""
    return tuple(name for name in transforms_of(document) if name not in LOCAL)


def transform_problems(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what CloudFormation refuses about transforms, as (key, message)."""
    names = transforms_of(document)
    for location in _include_locations(document):
        if not location.startswith("s3://"):
            yield "Fn::Transform", f"{INCLUDE} takes an s3:// address, and not '{location}'"
    for name in names:
        if name.startswith("AWS::") and name not in AWS_TRANSFORMS:
            known = ", ".join(sorted(AWS_TRANSFORMS))
            yield "Transform", f"AWS has no transform {name}; it has {known}"

    if LANGUAGE_EXTENSIONS not in names:
        for path in _loops(document, ()):
            yield path, f"a loop needs `Transform: {LANGUAGE_EXTENSIONS}` in the template"
    elif SERVERLESS in names and names.index(SERVERLESS) < names.index(LANGUAGE_EXTENSIONS):
        yield "Transform", f"{LANGUAGE_EXTENSIONS} must come before {SERVERLESS}"


def _include_locations(node: object) -> Iterator[str]:
    """Yield the addresses of the files that a template includes, where they are written out."""
    match node:
        case {"Name": "AWS::Include", "Parameters": {"Location": str(location)}}:
            yield location
        case Mapping():
            for part in node.values():
                yield from _include_locations(part)
        case list():
            for item in node:
                yield from _include_locations(item)


def _loops(node: object, path: tuple[str, ...]) -> Iterator[str]:
    """Yield the paths of all loops."""
    match node:
        case Mapping():
            for key, part in node.items():
                if is_loop(key):
                    yield ".".join((*path, str(key)))
                else:
                    yield from _loops(part, (*path, str(key)))
        case list():
            for item in node:
                yield from _loops(item, path)
