"""Parses the graph file. All problems of the file are reported at once. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from deploytool.core.errors import InputError, InputProblem, InputProblems
from deploytool.core.project.artifactparser import parse_artifact
from deploytool.core.project.config import are_settings, is_list
from deploytool.core.project.graphfile import (
    PARTS,
    REGIONAL_SERVICE,
    SCOPES,
    SERVICE,
    Alternatives,
    ArtifactSource,
    ArtifactSpec,
    GraphFile,
    LiteralSource,
    OutputSource,
    ParameterSource,
    SettingSource,
    Snapshot,
    Source,
    StackSpec,
)
from deploytool.core.project.regions import region_problem
from deploytool.core.project.settings import BUILT_IN, LOOKUPS, Condition, SettingSpec, text_of
from deploytool.core.project.yamltext import load_yaml

KEYS = ["settings", "artifacts", "stacks", "service"]
SETTING_KEYS = ["default", "values", "lookup", "when", "min_items", "max_items", "arn_region"]
STACK_KEYS = ["template", "scope", "region", "when", "parameters", "snapshot"]

# Of a section. An account has 2,000 stacks a region by default (CloudFormation quotas)
MOST_ENTRIES = 500

Spec = TypeVar("Spec")


def parse_graph_file(text: str, file: str) -> GraphFile:
    """Parse the graph file's text. Raises InputError with every problem found."""
    document = load_yaml(text, file)
    if not isinstance(document, dict):
        raise InputError([InputProblem(file, "", "must be a mapping with the key 'stacks'")])

    problems = InputProblems(file)
    problems.unknown_keys("", document, KEYS)
    settings = _section(document, "settings", _setting, problems)
    artifacts = _section(document, "artifacts", _artifact, problems)
    stacks = _section(document, "stacks", _stack, problems)
    service = _section(document, "service", _service, problems)
    if not document.get("stacks"):
        problems.add("stacks", "has no stack; add at least one")

    problems.raise_any()
    return GraphFile(file, settings, artifacts, stacks, service)


def _section(
    document: Mapping[str, Any],
    section: str,
    parse: Callable[[str, object, InputProblems], Spec],
    problems: InputProblems,
) -> dict[str, Spec]:
    """Parse the entries of one section of the file, by name."""
    specs: dict[str, Spec] = {}
    table = _table(document, section, section, problems)
    if len(table) > MOST_ENTRIES:
        problems.add(section, f"has {len(table):,} entries; at most {MOST_ENTRIES} are read")
        return specs
    for name, value in table.items():
        specs[name] = parse(name, value, problems)
    return specs


def _table(
    parent: Mapping[str, Any], name: str, key: str, problems: InputProblems
) -> dict[str, Any]:
    """Return the mapping below `name`, empty when it is missing; `key` is its whole path."""
    # YAML gives None for a key without a value.
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        problems.add(key, "must be a mapping")
        return {}
    return value


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401  # any node of YAML
    """Return a list as it is, and another value as the only item of one."""
    if isinstance(value, list):
        return value
    return [value]


def _setting(name: str, value: object, problems: InputProblems) -> SettingSpec:
    """Parse a declaration: the default alone, or a mapping with it."""
    key = f"settings.{name}"
    if name in BUILT_IN:
        problems.add(key, "is a built-in setting; choose another name")

    table = value if isinstance(value, dict) else {"default": value}
    problems.unknown_keys(key, table, SETTING_KEYS)
    default = table.get("default", "")
    if is_list(default):
        default = tuple(default)
    values = table.get("values", [])
    has_type = isinstance(default, tuple) or are_settings([default])
    if not has_type or not isinstance(values, list) or not are_settings(values):
        problems.add(
            key,
            "must be text, a whole number, true/false or a list of texts;"
            " or {default: VALUE, values: [VALUE, ...]}",
        )
        return SettingSpec("")

    lookup = table.get("lookup", "")
    if lookup not in ("", *LOOKUPS):
        problems.add(f"{key}.lookup", f"must be one of {', '.join(LOOKUPS)}")

    arn_region = table.get("arn_region", "")
    if arn_region not in ("", "primary", "secondary", "own"):
        problems.add(f"{key}.arn_region", "must be 'primary', 'secondary' or 'own'")

    spec = SettingSpec(
        default,
        tuple(values),
        str(lookup),
        _when(table, key, problems),
        min_items=_number(table, "min_items", key, problems) or 0,
        max_items=_number(table, "max_items", key, problems),
        arn_region=str(arn_region),
    )
    if problem := spec.problem(default):
        problems.add(f"{key}.default", problem)
    return spec


def _number(table: Mapping[str, Any], name: str, key: str, problems: InputProblems) -> int | None:
    """Return a whole number, None when it is missing or not valid."""
    value = table.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    problems.add(f"{key}.{name}", "must be a whole number above 0")
    return None


def _when(table: Mapping[str, Any], key: str, problems: InputProblems) -> Condition:
    """Return the condition below `when`: {SETTING: VALUE} or {SETTING: [VALUE, ...]}."""
    allowed: dict[str, tuple[str, ...]] = {}
    for name, value in _table(table, "when", f"{key}.when", problems).items():
        values = _as_list(value)
        # A condition with an empty list is never true, so it is a mistake.
        if not values or not are_settings(values):
            problems.add(
                f"{key}.when.{name}",
                "must be a value or a list of values, like {zone: [new, existing]}",
            )
        allowed[str(name)] = tuple(text_of(setting) for setting in values)
    return Condition(allowed)


def _artifact(name: str, value: object, problems: InputProblems) -> ArtifactSpec:
    key = f"artifacts.{name}"
    table = value if isinstance(value, dict) else {}
    bucket = _parameter(table.get("bucket"), f"{key}.bucket", problems).source
    if not isinstance(bucket, OutputSource):
        problems.add(f"{key}.bucket", "must be an output, like {output: code-bucket.BucketName}")
        bucket = OutputSource("", "")
    return parse_artifact(name, table, bucket, problems)


def _service(name: str, value: object, problems: InputProblems) -> Alternatives:
    known = [*SERVICE, *REGIONAL_SERVICE]
    if name not in known:
        problems.unknown("service", name, known)
    return _alternatives(value, f"service.{name}", problems)


def _stack(name: str, value: object, problems: InputProblems) -> StackSpec:
    key = f"stacks.{name}"
    table = value if isinstance(value, dict) else {}
    if not isinstance(value, dict):
        problems.add(key, "must be a mapping with 'template' and 'scope'")
    problems.unknown_keys(key, table, STACK_KEYS)

    template = table.get("template")
    if not isinstance(template, str):
        problems.add(
            f"{key}.template", "is missing; name the template's file, relative to this file"
        )

    scope = table.get("scope")
    if scope not in SCOPES:
        problems.add(
            f"{key}.scope",
            "must be 'global' (one stack, in the primary region or in `region`),"
            " 'regional' (one in each) or 'secondary' (one, in that region)",
        )

    parameters: dict[str, Alternatives] = {}
    below = f"{key}.parameters"
    for parameter, sources in _table(table, "parameters", below, problems).items():
        parameters[parameter] = _alternatives(sources, f"{below}.{parameter}", problems)

    snapshot = _snapshot(table, f"{key}.snapshot", problems)
    when = _when(table, key, problems)
    region = _region(table, str(scope), f"{key}.region", problems)
    return StackSpec(name, str(template), str(scope), parameters, snapshot, when, region)


def _region(table: Mapping[str, Any], scope: str, key: str, problems: InputProblems) -> str:
    """Return the region that a stack names; empty when it names none, or not a valid one."""
    region = table.get("region", "")
    if region == "":
        return ""
    problem = region_problem(region)
    if problem:
        problems.add(key, problem)
        return ""
    if scope != "global":
        problems.add(key, f"only a stack of scope 'global' can name its region, not '{scope}'")
        return ""
    return str(region)


def _snapshot(stack: Mapping[str, Any], key: str, problems: InputProblems) -> Snapshot | None:
    table = _table(stack, "snapshot", key, problems)
    if not table:
        return None

    problems.unknown_keys(key, table, ["resource", "of"])
    resource = table.get("resource")
    stacks = table.get("of")
    if not isinstance(resource, str) or not is_list(stacks) or not stacks:
        problems.add(
            key,
            "must name a resource and the stacks whose templates it contains,"
            " like {resource: Deployment, of: [api, lambda]}",
        )
        return None
    return Snapshot(resource, tuple(stacks))


def _alternatives(value: object, key: str, problems: InputProblems) -> Alternatives:
    """Parse the sources of a parameter: a list of them, or one that is written without a list."""
    if value == []:
        problems.add(key, "is an empty list; name at least one source")
    return tuple(_parameter(source, key, problems) for source in _as_list(value))


def _parameter(value: object, key: str, problems: InputProblems) -> ParameterSource:
    if not isinstance(value, dict):
        return ParameterSource(_source(value, key, problems))

    # Without the two keys that say where it applies, the mapping is the source itself.
    source = dict(value)
    only = str(source.pop("only", ""))
    source.pop("when", None)
    if only not in ("", "primary", "secondary"):
        problems.add(f"{key}.only", "must be 'primary' or 'secondary'")
    when = _when(value, key, problems)
    return ParameterSource(_source(source, key, problems), only, when)


def _source(value: object, key: str, problems: InputProblems) -> Source:
    match value:
        case bool() | str() | int() | float():
            return LiteralSource(text_of(value))
        case {"value": bool() | str() | int() | float() as literal, **rest} if not rest:
            return LiteralSource(text_of(literal))
        case {"setting": str(name), **rest} if rest.keys() <= {"item"} and _is_item(rest):
            item: Any = rest.get("item")
            return SettingSource(name, item)
        case {"output": str(output), **rest} if _is_output(output) and _is_region(rest):
            stack, name = output.split(".")
            return OutputSource(stack, name, str(rest.get("region", "")))
        case {"artifact": str(name), "part": str(part), **rest} if part in PARTS and not rest:
            return ArtifactSource(name, part)

    problems.add(
        key,
        "must be a literal (or {value: LITERAL}), {setting: NAME} (item: 1), {output: STACK.OUTPUT}"
        " (region: primary|secondary|NAME) or {artifact: NAME, part: key|version|bucket}",
    )
    return LiteralSource("")


def _is_item(keys: Mapping[Any, object]) -> bool:
    """Return whether `item`, if it is there, is the number of an item, from 1 on."""
    item = keys.get("item", 1)
    return isinstance(item, int) and not isinstance(item, bool) and item > 0


def _is_region(keys: Mapping[Any, object]) -> bool:
    """Return whether there is nothing but `region`, if it is there, and it is a text."""
    return keys.keys() <= {"region"} and isinstance(keys.get("region", ""), str)


def _is_output(text: str) -> bool:
    """Return whether the text has the form STACK.OUTPUT."""
    return text.count(".") == 1
