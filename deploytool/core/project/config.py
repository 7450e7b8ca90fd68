"""deploytool.toml as frozen types; every problem of the file at once, each with its key and the way
to mend it.
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
    """One stage: its name, the domain that clients call, and the settings that differ from the
    graph's defaults.

    `regional` holds those that were given a value a region: region -> setting -> value. The stacks
    of a `protected` one have termination protection.
    """

    name: str
    domain: str
    settings: Mapping[str, Setting]
    regional: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    protected: bool = False


@dataclass(frozen=True)
class Config:
    """The whole of deploytool.toml. `regions` is (primary, secondary); `graph` a path relative to
    the file.
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
        """The stage asked for; without a name the only one there is. Raises InputError."""
        if name is None and len(self.stages) == 1:
            return next(iter(self.stages.values()))
        names = ", ".join(self.stages)
        if name is None:
            raise InputError(
                [
                    InputProblem(
                        self.file, "stages", f"there are several ({names}); choose one with --stage"
                    )
                ]
            )
        if name not in self.stages:
            raise InputError(
                [InputProblem(self.file, f"stages.{name}", f"no such stage; the file has: {names}")]
            )
        return self.stages[name]


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
            "regions", 'add the two, the primary first, like regions = ["us-east-1", "us-west-2"]'
        )
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        problems.add(
            "regions",
            'must be a list of two regions, the primary first, like ["us-east-1", "us-west-2"]',
        )
        return []
    for region in value:
        if not REGION.fullmatch(region):
            problems.add("regions", f"'{region}' is not an AWS region; write it like us-east-1")
    for region in sorted({each for each in value if value.count(each) > 1}):
        problems.add(
            "regions", f"'{region}' stands there twice; a failover needs two different regions"
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
    seen: dict[str, str] = {}
    for stage in stages.values():
        if stage.domain in seen:
            problems.add(
                f"stages.{stage.name}.domain",
                f"'{stage.domain}' is stage {seen[stage.domain]}'s; each stage needs its own",
            )
        seen[stage.domain] = stage.name
        if domain and (problem := domain_problem(stage.domain)):
            problems.add(f"stages.{stage.name}.domain", problem)
    return stages


def _settings(
    value: object, key: str, regions: list[str], problems: InputProblems
) -> tuple[dict[str, Setting], dict[str, dict[str, Setting]]]:
    """A stage's settings: those of both regions, and by region those that are a table with a value
    for each.
    """
    if not isinstance(value, dict):
        problems.add(key, f"must be a table, like [{key}]")
        return {}, {}
    regional: dict[str, dict[str, Setting]] = {region: {} for region in regions}
    for name, each in value.items():
        if isinstance(each, str | int | bool):
            continue
        table = each if isinstance(each, dict) else {}
        if table.keys() != set(regions) or not all(
            isinstance(part, str | int | bool) for part in table.values()
        ):
            example = ", ".join(f"{region} = ..." for region in regions)
            problems.add(
                f"{key}.{name}",
                f"must be text, a whole number or true/false, or one of them a region: {{ {example} }}",
            )
            continue
        for region, part in table.items():
            regional[region][name] = part
    return {
        name: each for name, each in value.items() if isinstance(each, str | int | bool)
    }, regional
