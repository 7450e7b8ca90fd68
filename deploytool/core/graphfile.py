"""infra/stacks.yaml as frozen types: the stacks, where each parameter comes from, and every fault of the file at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.core.config import Faults, Setting
from deploytool.core.errors import InputError, InputFault
from deploytool.core.template import load_yaml

BUILT_IN = ("project", "stage", "domain", "regional_domain", "region", "role", "primary_region", "secondary_region")
PARTS = ("key", "version", "bucket")
SCOPES = ("global", "regional", "secondary")
# What a check and a drill need to know of a deployment: outputs, and those of which each region has its own.
SERVICE = ("hosted_zone", "health_check", "guard_function", "guard_role", "guard_schedules")
REGIONAL_SERVICE = ("function", "rest_api")


@dataclass(frozen=True)
class SettingSource:
    """A parameter's value from a setting."""

    name: str


@dataclass(frozen=True)
class OutputSource:
    """A parameter's value from a stack's output: in the same region, or in `region` (primary, secondary or its name)."""

    stack: str
    output: str
    region: str = ""


@dataclass(frozen=True)
class ArtifactSource:
    """A parameter's value from a packaged artifact: its key in the bucket, its version, or the bucket's name."""

    artifact: str
    part: str


@dataclass(frozen=True)
class LiteralSource:
    """A parameter's value as written."""

    value: str


Source = SettingSource | OutputSource | ArtifactSource | LiteralSource


@dataclass(frozen=True)
class ParameterSource:
    """Where a parameter comes from; with `only` (primary or secondary) for the stack of that role alone."""

    source: Source
    only: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A resource that must be made anew whenever one of these stacks' templates changes."""

    resource: str
    of: tuple[str, ...]


@dataclass(frozen=True)
class StackSpec:
    """One entry below `stacks`."""

    name: str
    template: str
    scope: str
    parameters: Mapping[str, ParameterSource]
    snapshot: Snapshot | None


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
    settings: Mapping[str, Setting]
    artifacts: Mapping[str, ArtifactSpec]
    stacks: Mapping[str, StackSpec]
    service: Mapping[str, OutputSource]


def parse_graph_file(text: str, file: str) -> GraphFile:
    """Parse the graph file's text. Raises InputError with every fault found."""
    document = load_yaml(text, file)
    if not isinstance(document, dict):
        raise InputError([InputFault(file, "", "must be a mapping with the key 'stacks'")])
    faults = Faults(file)
    _known(document, "", ["settings", "artifacts", "stacks", "service"], faults)
    settings = _table(document, "settings", faults)
    for name, value in settings.items():
        if name in BUILT_IN:
            faults.add(f"settings.{name}", "is a built-in setting; choose another name")
        if not isinstance(value, str | int | bool):
            faults.add(f"settings.{name}", "must be text, a whole number or true/false")
    artifacts = {name: _artifact(name, each, faults) for name, each in _table(document, "artifacts", faults).items()}
    stacks = {name: _stack(name, each, faults) for name, each in _table(document, "stacks", faults).items()}
    if not stacks:
        faults.add("stacks", "names no stack")
    service = {name: _service(name, each, faults) for name, each in _table(document, "service", faults).items()}
    faults.raise_any()
    return GraphFile(file, settings, artifacts, stacks, service)


def _known(table: Mapping[str, Any], key: str, known: list[str], faults: Faults) -> None:
    for name in table:
        if name not in known:
            faults.unknown(key, str(name), known)


def _table(parent: Mapping[str, Any], name: str, faults: Faults, path: str = "") -> dict[str, Any]:
    value = parent.get(name) or {}
    if not isinstance(value, dict):
        faults.add(f"{path}{name}", "must be a mapping")
        return {}
    return value


def _artifact(name: str, value: object, faults: Faults) -> ArtifactSpec:
    key = f"artifacts.{name}"
    table = value if isinstance(value, dict) else {}
    _known(table, key, ["source", "bucket"], faults)
    source = table.get("source")
    if not isinstance(source, str):
        faults.add(f"{key}.source", "is missing; name the folder to package, relative to this file")
    bucket = _source(table.get("bucket"), f"{key}.bucket", faults)
    if not isinstance(bucket, OutputSource):
        faults.add(f"{key}.bucket", "must be an output, like {output: code-bucket.BucketName}")
        bucket = OutputSource("", "")
    return ArtifactSpec(name, str(source), bucket)


def _service(name: str, value: object, faults: Faults) -> OutputSource:
    if name not in (*SERVICE, *REGIONAL_SERVICE):
        faults.unknown("service", name, [*SERVICE, *REGIONAL_SERVICE])
    source = _source(value, f"service.{name}", faults)
    if isinstance(source, OutputSource):
        return source
    faults.add(f"service.{name}", "must be an output, like {output: health-check.HealthCheckId}")
    return OutputSource("", "")


def _stack(name: str, value: object, faults: Faults) -> StackSpec:
    key = f"stacks.{name}"
    if not isinstance(value, dict):
        faults.add(key, "must be a mapping with 'template' and 'scope'")
        value = {}
    _known(value, key, ["template", "scope", "parameters", "snapshot"], faults)
    if not isinstance(value.get("template"), str):
        faults.add(f"{key}.template", "is missing; name the template's file, relative to this file")
    if value.get("scope") not in SCOPES:
        message = (
            "must be 'global' (one stack, in the primary region), 'regional' (one in each) or 'secondary' (one, in that region)"
        )
        faults.add(f"{key}.scope", message)
    parameters = {
        parameter: _parameter(each, f"{key}.parameters.{parameter}", faults)
        for parameter, each in _table(value, "parameters", faults, f"{key}.").items()
    }
    return StackSpec(name, str(value.get("template")), str(value.get("scope")), parameters, _snapshot(value, key, faults))


def _snapshot(stack: Mapping[str, Any], key: str, faults: Faults) -> Snapshot | None:
    table = _table(stack, "snapshot", faults, f"{key}.")
    if not table:
        return None
    _known(table, f"{key}.snapshot", ["resource", "of"], faults)
    of = table.get("of")
    if not isinstance(table.get("resource"), str) or not isinstance(of, list) or not of:
        faults.add(
            f"{key}.snapshot",
            "must name a resource and the stacks whose templates it holds, like {resource: Deployment, of: [api, lambda]}",
        )
        return None
    return Snapshot(table["resource"], tuple(map(str, of)))


def _parameter(value: object, key: str, faults: Faults) -> ParameterSource:
    only = ""
    if isinstance(value, dict) and "only" in value:
        only = str(value["only"])
        value = {name: each for name, each in value.items() if name != "only"}
        if only not in ("primary", "secondary"):
            faults.add(f"{key}.only", "must be 'primary' or 'secondary'")
    return ParameterSource(_source(value, key, faults), only)


def _source(value: object, key: str, faults: Faults) -> Source:
    match value:
        case bool():
            return LiteralSource(str(value).lower())
        case str() | int():
            return LiteralSource(str(value))
        case {"setting": str(name), **rest} if not rest:
            return SettingSource(name)
        case {"output": str(output), **rest} if output.count(".") == 1 and rest.keys() <= {"region"}:
            stack, name = output.split(".")
            return OutputSource(stack, name, str(rest.get("region", "")))
        case {"artifact": str(name), "part": str(part), **rest} if part in PARTS and not rest:
            return ArtifactSource(name, part)
    faults.add(
        key,
        "must be a literal, {setting: NAME}, {output: STACK.OUTPUT} (region: primary|secondary|NAME)"
        " or {artifact: NAME, part: key|version|bucket}",
    )
    return LiteralSource("")
