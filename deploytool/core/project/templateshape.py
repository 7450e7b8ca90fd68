"""The shape of a template: what must be a mapping, a list, a text or a number. Pure.

What reads a template relies on it. Sources: CloudFormation User Guide, "Template sections" and
"Parameters syntax".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from deploytool.core.transforms import is_expanded

Problem = tuple[str, str]  # a key, and what is wrong with it

SECTIONS = ("Metadata", "Parameters", "Mappings", "Conditions", "Rules", "Resources", "Outputs")
# The sections whose entries are mappings
_OF_MAPPINGS = ("Parameters", "Mappings", "Rules", "Resources", "Outputs")
_NUMBERS = ("MinLength", "MaxLength", "MinValue", "MaxValue")
_TEXTS_OF_PARAMETER = ("Type", "Description", "AllowedPattern", "ConstraintDescription")
# The attributes of a resource that must be mappings, as far as anything here reads them
_MAPPINGS_OF_RESOURCE = ("Properties",)
_TEXTS_OF_RESOURCE = ("Type", "Condition")


def shape_problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what has another shape than CloudFormation takes."""
    if not _is_plain(document.get("Description", "")):
        yield "Description", "must be a text"
    for section in SECTIONS:
        entries = document.get(section)
        # A section without entries is None in YAML
        if entries is None:
            continue
        if not isinstance(entries, dict):
            yield section, "must be a mapping of names"
            continue
        for name, entry in entries.items():
            # CloudFormation puts something else in its place
            if not is_expanded(name):
                yield from _entry_problems(section, f"{section}.{name}", entry)


def _entry_problems(section: str, key: str, entry: object) -> Iterator[Problem]:
    if section not in _OF_MAPPINGS:
        return
    if not isinstance(entry, dict):
        yield key, "must be a mapping"
    elif section == "Parameters":
        yield from _parameter_problems(key, entry)
    elif section == "Resources":
        yield from _resource_problems(key, entry)


def _parameter_problems(key: str, entry: Mapping[str, Any]) -> Iterator[Problem]:
    for name in _TEXTS_OF_PARAMETER:
        if not _is_plain(entry.get(name, "")):
            yield f"{key}.{name}", "must be a text"
    if not _is_plain(entry.get("Default", "")):
        yield f"{key}.Default", "must be a text or a number; a list is a text with commas"
    for name in _NUMBERS:
        if name in entry and not _is_number(entry[name]):
            yield f"{key}.{name}", "must be a number"
    allowed = entry.get("AllowedValues")
    is_list = isinstance(allowed, list) and all(_is_plain(value) for value in allowed)
    if allowed is not None and not is_list:
        yield f"{key}.AllowedValues", "must be a list of texts or numbers"


def _resource_problems(key: str, entry: Mapping[str, Any]) -> Iterator[Problem]:
    for name in _TEXTS_OF_RESOURCE:
        if name in entry and not isinstance(entry[name], str):
            yield f"{key}.{name}", "must be a text"
    for name in _MAPPINGS_OF_RESOURCE:
        if not isinstance(entry.get(name) or {}, dict):
            yield f"{key}.{name}", "must be a mapping"
    needed = entry.get("DependsOn", ())
    names = [needed] if isinstance(needed, str) else needed
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        yield f"{key}.DependsOn", "must be the name of a resource, or a list of names"


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not _is_plain(value):
        return False
    try:
        return abs(float(str(value))) < float("inf")
    except ValueError:
        return False
