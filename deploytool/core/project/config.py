"""deploytool.toml as frozen types. All problems of the file are reported at once."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from deploytool.core.errors import InputError, InputProblem, InputProblems, suggestion
from deploytool.core.project.drill_settings import DrillSettings, parse_drill_settings
from deploytool.core.project.regions import region_problem
from deploytool.core.project.tags import check_tags, parse_tags
from deploytool.core.route53.names import domain_problem

# A list is a tuple of texts.
Setting = str | int | bool | tuple[str, ...]

KEYS = ["project", "domain", "regions", "stages", "graph", "drill", "tags"]
STAGE_KEYS = ["domain", "settings", "protected", "tags"]
DEFAULT_GRAPH = "infra/stacks.yaml"

# The stage that answers at the domain itself, and whose stacks are protected by default.
PRODUCTION = "prod"

# The names of project and stage become parts of stack names, of which CloudFormation takes 128
# characters of letters, digits and hyphens. Buckets are named after them too, so in lower case.
PROJECT = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")
STAGE = re.compile(r"[a-z][a-z0-9]{0,15}")
PROJECT_RULE = "2 to 32 lower-case letters, digits and hyphens, a letter first"
STAGE_RULE = "1 to 16 lower-case letters and digits, a letter first"


@dataclass(frozen=True)
class Stage:
    """One stage: its name, the domain that clients call, and its own settings."""

    name: str
    domain: str

    # The settings that differ from the graph's defaults, with the same value in both regions.
    settings: Mapping[str, Setting]

    # The settings with a value for each region: region -> setting -> value.
    regional: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)

    # Whether the stacks have termination protection.
    protected: bool = False

    # The user's own tags of the stacks: those of the project, and those of the stage in their place.
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """The whole of deploytool.toml."""

    file: str  # for messages
    project: str
    regions: tuple[str, str]  # primary, secondary
    stages: Mapping[str, Stage]
    graph: str  # path of the graph file, relative to this file
    drill: DrillSettings = field(default_factory=DrillSettings)

    @property
    def primary(self) -> str:
        return self.regions[0]

    @property
    def secondary(self) -> str:
        return self.regions[1]

    def stage(self, name: str | None) -> Stage:
        """Return the stage of this name, or the only stage when no name is given.

        Raises InputError when there is no such stage, or several to choose from.
        """
        if name is None and len(self.stages) == 1:
            return next(iter(self.stages.values()))
        if name is not None and name in self.stages:
            return self.stages[name]

        names = ", ".join(self.stages)
        if name is None:
            message = f"there are several ({names}); choose one with --stage"
            raise InputError([InputProblem(self.file, "stages", message)])
        message = f"no such stage; the file has: {names}{suggestion(name, self.stages)}"
        raise InputError([InputProblem(self.file, f"stages.{name}", message)])


def parse_config(text: str, file: str) -> Config:
    """Parse the text of deploytool.toml. Raises InputError with every problem found."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError([InputProblem(file, "", f"not valid TOML: {error}")]) from error
    except RecursionError as error:
        raise InputError([InputProblem(file, "", "not valid TOML: nested too deeply")]) from error

    # Unknown keys come first: a key that is misspelled is then not reported as missing too.
    problems = InputProblems(file)
    problems.unknown_keys("", document, KEYS)

    project = _project(document.get("project"), problems)
    domain = _domain(document.get("domain"), "domain", problems)
    if "domain" not in document:
        problems.missing("domain", 'add the domain that you own, like domain = "example.com"')
    regions = _regions(document.get("regions"), problems)
    graph = document.get("graph", DEFAULT_GRAPH)
    if not isinstance(graph, str) or not graph:
        problems.add("graph", f"must be the path of the graph file, like {DEFAULT_GRAPH}")
    tags = parse_tags(document.get("tags", {}), "tags", problems)
    stages = _stages(document.get("stages"), domain, regions, tags, problems)
    drill = parse_drill_settings(document.get("drill", {}), problems)

    problems.raise_any()
    primary, secondary = regions
    return Config(file, project, (primary, secondary), stages, graph, drill)


def _project(value: object, problems: InputProblems) -> str:
    rule = f"{PROJECT_RULE}, like hello-api"
    if value is None:
        problems.missing("project", f"add it: {rule}")
        return ""
    if not isinstance(value, str) or not PROJECT.fullmatch(value):
        problems.add("project", f"{value!r} is not valid; it must be {rule}")
        return ""
    return value


def _domain(value: object, key: str, problems: InputProblems) -> str:
    """Return a domain; empty when it is missing or not valid."""
    if value is None:
        return ""
    if not isinstance(value, str):
        problems.add(key, f"{value!r} is not text")
        return ""
    if problem := domain_problem(value):
        problems.add(key, problem)
        return ""
    return value


def _regions(value: object, problems: InputProblems) -> list[str]:
    """Return the regions as they are written; they are two where there is no problem."""
    example = '["us-east-1", "us-west-2"]'
    if value is None:
        problems.missing("regions", f"add two regions, the primary first, like regions = {example}")
        return []
    if not isinstance(value, list) or not all(isinstance(region, str) for region in value):
        problems.add("regions", f"must be a list of two regions, the primary first, like {example}")
        return []

    for region in value:
        problem = region_problem(region)
        if problem:
            problems.add("regions", problem)
        if value.count(region) > 1:
            # Once for each time that it is listed: equal problems are reported as one.
            message = f"'{region}' is listed twice; a failover needs two different regions"
            problems.add("regions", message)

    # A region that is listed twice is reported as that, and not as a wrong number.
    if len(set(value)) == len(value) and len(value) != 2:
        problems.add("regions", f"must name two regions, the primary first; it names {len(value)}")
    return value


def _stages(
    value: object,
    domain: str,
    regions: list[str],
    tags: Mapping[str, str],
    problems: InputProblems,
) -> dict[str, Stage]:
    if not isinstance(value, dict) or not value:
        problems.missing("stages", "add at least one, like [stages.dev]")
        return {}

    stages: dict[str, Stage] = {}
    for name, table in value.items():
        stage = _stage(name, table, domain, regions, tags, problems)
        if stage:
            stages[name] = stage

    # Two stages at one domain would answer for each other.
    owners: dict[str, str] = {}
    for stage in stages.values():
        key = f"stages.{stage.name}.domain"
        if stage.domain in owners:
            owner = owners[stage.domain]
            message = (
                f"'{stage.domain}' is the domain of stage {owner} too; each stage needs its own"
            )
            problems.add(key, message)
        owners[stage.domain] = stage.name

        # A name that is formed from a valid domain can be too long. Without a valid domain, that is
        # the problem to report, and not the names formed from it.
        if domain and (problem := domain_problem(stage.domain)):
            problems.add(key, problem)
    return stages


def _stage(
    name: str,
    table: object,
    domain: str,
    regions: list[str],
    tags: Mapping[str, str],
    problems: InputProblems,
) -> Stage | None:
    """Parse one stage; `domain` and `tags` are the project's. None when it is no table."""
    key = f"stages.{name}"
    if not STAGE.fullmatch(name):
        problems.add(key, f"a stage's name is {STAGE_RULE}")
    if not isinstance(table, dict):
        problems.add(key, f"must be a table, like [{key}]")
        return None
    problems.unknown_keys(key, table, STAGE_KEYS)

    stage_domain = _domain(table.get("domain"), f"{key}.domain", problems)
    if not stage_domain and name == PRODUCTION:
        stage_domain = domain
    elif not stage_domain:
        stage_domain = f"{name}.{domain}"

    settings_key = f"{key}.settings"
    settings, regional = _settings(table.get("settings", {}), settings_key, regions, problems)

    protected = table.get("protected", name == PRODUCTION)
    if not isinstance(protected, bool):
        problems.add(f"{key}.protected", "must be true or false")

    own_tags = parse_tags(table.get("tags", {}), f"{key}.tags", problems)
    all_tags = {**tags, **own_tags}
    check_tags(all_tags, f"{key}.tags" if own_tags else "tags", problems)
    return Stage(name, stage_domain, settings, regional, protected is True, all_tags)


def _settings(
    value: object, key: str, regions: list[str], problems: InputProblems
) -> tuple[dict[str, Setting], dict[str, dict[str, Setting]]]:
    """Return a stage's settings for both regions, and by region those with a value for each."""
    if not isinstance(value, dict):
        problems.add(key, f"must be a table, like [{key}]")
        return {}, {}

    settings: dict[str, Setting] = {}
    regional: dict[str, dict[str, Setting]] = {region: {} for region in regions}
    for name, given in value.items():
        if isinstance(given, str | int | bool):
            settings[name] = given
        elif is_list(given):
            settings[name] = tuple(given)
        elif _is_regional(given, regions):
            for region, regional_value in given.items():
                regional[region][name] = regional_value
        else:
            example = ", ".join(f"{region} = ..." for region in regions)
            problems.add(
                f"{key}.{name}",
                "must be text, a whole number, true/false or a list of texts,"
                f" or one value for each region: {{ {example} }}",
            )
    return settings, regional


def _is_regional(value: object, regions: list[str]) -> bool:
    """Return whether a setting is a table with one value for each region."""
    if not isinstance(value, dict) or value.keys() != set(regions):
        return False
    return are_settings(value.values())


def is_list(value: object) -> TypeGuard[list[str]]:
    """Return whether a value is a list of texts, as a setting can be."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def are_settings(values: Iterable[object]) -> bool:
    """Return whether all values are of the types of a setting that is no list."""
    return all(isinstance(value, str | int | bool) for value in values)
