"""deploytool.toml as frozen types. All problems of the file are reported at once, each with its key
and its fix.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploytool.core.errors import InputError, InputProblem, InputProblems
from deploytool.core.project.drill_settings import DrillSettings, parse_drill_settings
from deploytool.core.route53.names import domain_problem

Setting = str | int | bool
KEYS = ["project", "domain", "regions", "stages", "graph", "drill"]

PROJECT = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")
STAGE = re.compile(r"[a-z][a-z0-9]{0,15}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


@dataclass(frozen=True)
class Stage:
    """One stage: its name, the domain that clients call, and its own settings.

    `settings` differ from the graph's defaults. `regional` holds the settings that have a value for
    each region: region -> setting -> value. The stacks of a `protected` stage have termination
    protection.
    """

    name: str
    domain: str
    settings: Mapping[str, Setting]
    regional: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    protected: bool = False


@dataclass(frozen=True)
class Config:
    """The whole of deploytool.toml.

    `regions` is (primary, secondary), and `graph` a path relative to the file.
    """

    file: str
    project: str
    regions: tuple[str, str]
    stages: Mapping[str, Stage]
    graph: str
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
        message = f"no such stage; the file has: {names}"
        raise InputError([InputProblem(self.file, f"stages.{name}", message)])


def parse_config(text: str, file: str) -> Config:
    """Parse the text of deploytool.toml. Raises InputError with every problem found."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError([InputProblem(file, "", f"not valid TOML: {error}")]) from error
    problems = InputProblems(file)
    for key in document.keys() - set(KEYS):
        problems.unknown("", key, KEYS)
    project = _text(
        document,
        "project",
        problems,
        PROJECT,
        "2 to 32 lower-case letters, digits and hyphens, a letter first, like hello-api",
    )
    domain = _domain(document.get("domain"), "domain", problems, required=True)
    regions = _regions(document.get("regions"), problems)
    graph = document.get("graph", "infra/stacks.yaml")
    if not isinstance(graph, str):
        problems.add("graph", "must be the path of the graph file, like infra/stacks.yaml")
    stages = _stages(document.get("stages"), domain, regions, problems)
    drill = parse_drill_settings(document.get("drill", {}), problems)
    problems.raise_any()
    return Config(file, project, (regions[0], regions[1]), stages, graph, drill)


def _text(
    table: Mapping[str, Any],
    key: str,
    problems: InputProblems,
    pattern: re.Pattern[str],
    shape: str,
) -> str:
    value = table.get(key)
    if value is None:
        problems.missing(key, f"add it: {shape}")
    elif not isinstance(value, str) or not pattern.fullmatch(value):
        problems.add(key, f"{value!r} is not valid; it must be {shape}")
    else:
        return value
    return ""


def _domain(value: object, key: str, problems: InputProblems, *, required: bool) -> str:
    if value is None:
        if required:
            problems.missing(key, 'add the domain that you own, like domain = "example.com"')
        return ""
    problem = domain_problem(value) if isinstance(value, str) else f"{value!r} is not text"
    if problem:
        problems.add(key, problem)
        return ""
    return str(value)


def _regions(value: object, problems: InputProblems) -> list[str]:
    if value is None:
        problems.missing(
            "regions",
            'add two regions, the primary first, like regions = ["us-east-1", "us-west-2"]',
        )
        return []
    if not isinstance(value, list) or not all(isinstance(region, str) for region in value):
        problems.add(
            "regions",
            'must be a list of two regions, the primary first, like ["us-east-1", "us-west-2"]',
        )
        return []
    for region in value:
        if not REGION.fullmatch(region):
            problems.add("regions", f"'{region}' is not an AWS region; write it like us-east-1")
    for region in sorted({region for region in value if value.count(region) > 1}):
        problems.add(
            "regions", f"'{region}' is listed twice; a failover needs two different regions"
        )
    if len(set(value)) == len(value) and len(value) != 2:
        problems.add("regions", f"must name two regions, the primary first; it names {len(value)}")
    return value


def _stages(
    value: object, domain: str, regions: list[str], problems: InputProblems
) -> dict[str, Stage]:
    if not isinstance(value, dict) or not value:
        problems.missing("stages", "add at least one, like [stages.dev]")
        return {}
    stages = {}
    for name, table in value.items():
        key = f"stages.{name}"
        if not STAGE.fullmatch(name):
            problems.add(
                key, "a stage's name is 1 to 16 lower-case letters and digits, a letter first"
            )
        if not isinstance(table, dict):
            problems.add(key, f"must be a table, like [{key}]")
            continue
        for unknown in table.keys() - {"domain", "settings", "protected"}:
            problems.unknown(key, unknown, ["domain", "settings", "protected"])
        own = _domain(table.get("domain"), f"{key}.domain", problems, required=False)
        settings, regional = _settings(
            table.get("settings", {}), f"{key}.settings", regions, problems
        )
        protected = table.get("protected", name == "prod")
        if not isinstance(protected, bool):
            problems.add(f"{key}.protected", "must be true or false")
        own = own or (domain if name == "prod" else f"{name}.{domain}")
        stages[name] = Stage(name, own, settings, regional, protected is True)
    owners: dict[str, str] = {}
    for stage in stages.values():
        if stage.domain in owners:
            problems.add(
                f"stages.{stage.name}.domain",
                f"'{stage.domain}' is the domain of stage {owners[stage.domain]} too; each stage needs its own",
            )
        owners[stage.domain] = stage.name
        if domain and (problem := domain_problem(stage.domain)):
            problems.add(f"stages.{stage.name}.domain", problem)
    return stages


def _settings(
    value: object, key: str, regions: list[str], problems: InputProblems
) -> tuple[dict[str, Setting], dict[str, dict[str, Setting]]]:
    """Return a stage's settings for both regions, and by region those with a value for each."""
    if not isinstance(value, dict):
        problems.add(key, f"must be a table, like [{key}]")
        return {}, {}
    regional: dict[str, dict[str, Setting]] = {region: {} for region in regions}
    settings: dict[str, Setting] = {}
    for name, given in value.items():
        if isinstance(given, str | int | bool):
            settings[name] = given
            continue
        table = given if isinstance(given, dict) else {}
        has_values = all(isinstance(part, str | int | bool) for part in table.values())
        if table.keys() != set(regions) or not has_values:
            example = ", ".join(f"{region} = ..." for region in regions)
            problems.add(
                f"{key}.{name}",
                f"must be text, a whole number or true/false, or one value for each region: {{ {example} }}",
            )
            continue
        for region, part in table.items():
            regional[region][name] = part
    return settings, regional
