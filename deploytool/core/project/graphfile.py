"""infra/stacks.yaml as frozen types: the stacks, and where each parameter comes from.

All problems of the file are reported at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.core.errors import InputError, InputProblem, InputProblems
from deploytool.core.project.settings import (
    ALWAYS,
    BUILT_IN,
    LOOKUPS,
    Condition,
    SettingSpec,
    text_of,
)
from deploytool.core.project.template import load_yaml

PARTS = ("key", "version", "bucket")
SCOPES = ("global", "regional", "secondary")
# What a check and a drill need to know of a deployment: outputs, and those of which each region has
# its own.
SERVICE = ("hosted_zone", "health_check", "guard_function", "guard_role", "guard_schedules")
REGIONAL_SERVICE = ("function", "rest_api")


@dataclass(frozen=True)
class SettingSource:
    """A parameter's value from a setting."""

    name: str


@dataclass(frozen=True)
class OutputSource:
    """A parameter's value from a stack's output.

    The stack is in the same region, or in `region`: primary, secondary or a region's name.
    """

    stack: str
    output: str
    region: str = ""


@dataclass(frozen=True)
class ArtifactSource:
    """A parameter's value from a packaged artifact.

    The `part` is its key in the bucket, its version, or the bucket's name.
    """

    artifact: str
    part: str


@dataclass(frozen=True)
class LiteralSource:
    """A parameter's value as written."""

    value: str


Source = SettingSource | OutputSource | ArtifactSource | LiteralSource


@dataclass(frozen=True)
class ParameterSource:
    """Where a parameter comes from.

    With `only` (primary or secondary) the source applies to that role, and with `when` while the
    condition is true.
    """

    source: Source
    only: str = ""
    when: Condition = ALWAYS


# The first source that applies and whose stack the stage uses.
Alternatives = tuple[ParameterSource, ...]


@dataclass(frozen=True)
class Snapshot:
    """A resource that must be replaced whenever one of these stacks' templates changes."""

    resource: str
    of: tuple[str, ...]


@dataclass(frozen=True)
class StackSpec:
    """One entry below `stacks`. A stage uses the stack only if `when` is true."""

    name: str
    template: str
    scope: str
    parameters: Mapping[str, Alternatives]
    snapshot: Snapshot | None
    when: Condition


@dataclass(frozen=True)
class ArtifactSpec:
    """A folder to package, and the bucket (an output of a regional stack) to store it in."""

    name: str
    source: str
    bucket: OutputSource


@dataclass(frozen=True)
class GraphFile:
    """The whole of the graph file. Paths are relative to it."""

    file: str
    settings: Mapping[str, SettingSpec]
    artifacts: Mapping[str, ArtifactSpec]
    stacks: Mapping[str, StackSpec]
    service: Mapping[str, Alternatives]


def parse_graph_file(text: str, file: str) -> GraphFile:
    """Parse the graph file's text. Raises InputError with every problem found."""
    document = load_yaml(text, file)
    if not isinstance(document, dict):
        raise InputError([InputProblem(file, "", "must be a mapping with the key 'stacks'")])
    problems = InputProblems(file)
    _known(document, "", ["settings", "artifacts", "stacks", "service"], problems)
    settings = {
        name: _setting(name, each, problems)
        for name, each in _table(document, "settings", problems).items()
    }
    artifacts = {
        name: _artifact(name, each, problems)
        for name, each in _table(document, "artifacts", problems).items()
    }
    stacks = {
        name: _stack(name, each, problems)
        for name, each in _table(document, "stacks", problems).items()
    }
    if not stacks:
        problems.add("stacks", "has no stack; add at least one")
    service = {
        name: _service(name, each, problems)
        for name, each in _table(document, "service", problems).items()
    }
    problems.raise_any()
    return GraphFile(file, settings, artifacts, stacks, service)


def _known(table: Mapping[str, Any], key: str, known: list[str], problems: InputProblems) -> None:
    for name in table:
        if name not in known:
            problems.unknown(key, str(name), known)


def _table(
    parent: Mapping[str, Any], name: str, problems: InputProblems, path: str = ""
) -> dict[str, Any]:
    value = parent.get(name) or {}
    if not isinstance(value, dict):
        problems.add(f"{path}{name}", "must be a mapping")
        return {}
    return value


def _setting(name: str, value: object, problems: InputProblems) -> SettingSpec:
    key = f"settings.{name}"
    if name in BUILT_IN:
        problems.add(key, "is a built-in setting; choose another name")
    table = value if isinstance(value, dict) else {"default": value}
    _known(table, key, ["default", "values", "lookup", "when"], problems)
    default, values, lookup = (
        table.get("default", ""),
        table.get("values", []),
        table.get("lookup", ""),
    )
    if not isinstance(values, list) or not all(
        isinstance(each, str | int) for each in [default, *values]
    ):
        problems.add(
            key,
            "must be text, a whole number or true/false; or {default: VALUE, values: [VALUE, ...]}",
        )
        return SettingSpec("")
    if lookup and lookup not in LOOKUPS:
        problems.add(f"{key}.lookup", f"must be one of {', '.join(LOOKUPS)}")
    spec = SettingSpec(default, tuple(values), str(lookup), _when(table, key, problems))
    if problem := spec.problem(default):
        problems.add(f"{key}.default", problem)
    return spec


def _when(table: Mapping[str, Any], key: str, problems: InputProblems) -> Condition:
    """Return the condition below `when`: {SETTING: VALUE} or {SETTING: [VALUE, ...]}."""
    of: dict[str, tuple[str, ...]] = {}
    for name, value in _table(table, "when", problems, f"{key}.").items():
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(each, str | int) for each in values):
            problems.add(
                f"{key}.when.{name}",
                "must be a value or a list of values, like {zone: [new, existing]}",
            )
        of[str(name)] = tuple(text_of(each) for each in values)
    return Condition(of)


def _artifact(name: str, value: object, problems: InputProblems) -> ArtifactSpec:
    key = f"artifacts.{name}"
    table = value if isinstance(value, dict) else {}
    _known(table, key, ["source", "bucket"], problems)
    source = table.get("source")
    if not isinstance(source, str):
        problems.add(
            f"{key}.source", "is missing; name the folder to package, relative to this file"
        )
    bucket = _parameter(table.get("bucket"), f"{key}.bucket", problems).source
    if not isinstance(bucket, OutputSource):
        problems.add(f"{key}.bucket", "must be an output, like {output: code-bucket.BucketName}")
        bucket = OutputSource("", "")
    return ArtifactSpec(name, str(source), bucket)


def _service(name: str, value: object, problems: InputProblems) -> Alternatives:
    if name not in (*SERVICE, *REGIONAL_SERVICE):
        problems.unknown("service", name, [*SERVICE, *REGIONAL_SERVICE])
    return _alternatives(value, f"service.{name}", problems)


def _stack(name: str, value: object, problems: InputProblems) -> StackSpec:
    key = f"stacks.{name}"
    if not isinstance(value, dict):
        problems.add(key, "must be a mapping with 'template' and 'scope'")
        value = {}
    _known(value, key, ["template", "scope", "when", "parameters", "snapshot"], problems)
    if not isinstance(value.get("template"), str):
        problems.add(
            f"{key}.template", "is missing; name the template's file, relative to this file"
        )
    if value.get("scope") not in SCOPES:
        message = "must be 'global' (one stack, in the primary region), 'regional' (one in each) or 'secondary' (one, in that region)"
        problems.add(f"{key}.scope", message)
    parameters = {
        parameter: _alternatives(each, f"{key}.parameters.{parameter}", problems)
        for parameter, each in _table(value, "parameters", problems, f"{key}.").items()
    }
    when = _when(value, key, problems)
    return StackSpec(
        name,
        str(value.get("template")),
        str(value.get("scope")),
        parameters,
        _snapshot(value, key, problems),
        when,
    )


def _snapshot(stack: Mapping[str, Any], key: str, problems: InputProblems) -> Snapshot | None:
    table = _table(stack, "snapshot", problems, f"{key}.")
    if not table:
        return None
    _known(table, f"{key}.snapshot", ["resource", "of"], problems)
    of = table.get("of")
    if not isinstance(table.get("resource"), str) or not isinstance(of, list) or not of:
        problems.add(
            f"{key}.snapshot",
            "must name a resource and the stacks whose templates it contains, like {resource: Deployment, of: [api, lambda]}",
        )
        return None
    return Snapshot(table["resource"], tuple(map(str, of)))


def _alternatives(value: object, key: str, problems: InputProblems) -> Alternatives:
    if value == []:
        problems.add(key, "is an empty list; name at least one source")
    return tuple(
        _parameter(each, key, problems) for each in (value if isinstance(value, list) else [value])
    )


def _parameter(value: object, key: str, problems: InputProblems) -> ParameterSource:
    if not isinstance(value, dict):
        return ParameterSource(_source(value, key, problems))
    only, when = str(value.get("only", "")), _when(value, key, problems)
    if only not in ("", "primary", "secondary"):
        problems.add(f"{key}.only", "must be 'primary' or 'secondary'")
    source = {name: each for name, each in value.items() if name not in ("only", "when")}
    return ParameterSource(_source(source, key, problems), only, when)


def _source(value: object, key: str, problems: InputProblems) -> Source:
    match value:
        case bool() | str() | int():
            return LiteralSource(text_of(value))
        case {"value": bool() | str() | int() as literal, **rest} if not rest:
            return LiteralSource(text_of(literal))
        case {"setting": str(name), **rest} if not rest:
            return SettingSource(name)
        case {"output": str(output), **rest} if output.count(".") == 1 and rest.keys() <= {
            "region"
        }:
            stack, name = output.split(".")
            return OutputSource(stack, name, str(rest.get("region", "")))
        case {"artifact": str(name), "part": str(part), **rest} if part in PARTS and not rest:
            return ArtifactSource(name, part)
    problems.add(
        key,
        "must be a literal (or {value: LITERAL}), {setting: NAME}, {output: STACK.OUTPUT} (region: primary|secondary|NAME)"
        " or {artifact: NAME, part: key|version|bucket}",
    )
    return LiteralSource("")
