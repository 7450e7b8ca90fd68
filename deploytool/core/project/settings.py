"""The settings of a stage: what the graph file declares, conditions on them (`when`), and those
that are looked up. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deploytool.core.errors import InputProblems
from deploytool.core.project.config import Config, Setting, Stage
from deploytool.core.route53.names import regional_name

EVERYWHERE = ("project", "stage", "domain", "primary_region", "secondary_region")
PER_REGION = ("regional_domain", "region", "role")
BUILT_IN = EVERYWHERE + PER_REGION
LOOKUPS = ("hosted_zone",)  # the public hosted zone that holds the stage's domain


def text_of(value: Setting) -> str:
    """A setting as CloudFormation takes it: true and false in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Condition:
    """A `when`: each setting named must have one of the values beside it. Without any it holds
    always.
    """

    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def holds(self, settings: Mapping[str, Setting]) -> bool:
        return all(text_of(settings[name]) in values for name, values in self.of.items())

    def __str__(self) -> str:
        return ", ".join(f"{name} = {' or '.join(values)}" for name, values in self.of.items())


ALWAYS = Condition()


@dataclass(frozen=True)
class SettingSpec:
    """A setting that the graph file declares.

    `values` are what a stage may choose among, empty when anything goes. With `lookup` the value is
    asked of AWS where a stage leaves it empty and `when` holds.
    """

    default: Setting
    values: tuple[Setting, ...] = ()
    lookup: str = ""
    when: Condition = ALWAYS

    def problem(self, value: Setting) -> str:
        """What is wrong with a stage's value, empty when nothing."""
        if isinstance(self.default, bool) and not isinstance(value, bool):
            return f"'{value}' must be true or false, without quotes"
        if self.values and text_of(value) not in map(text_of, self.values):
            return f"'{text_of(value)}' is none of {', '.join(map(text_of, self.values))}"
        return ""


def built_in(config: Config, stage: Stage, region: str) -> dict[str, Setting]:
    """The built-in settings for a region."""
    return {
        "project": config.project,
        "stage": stage.name,
        "domain": stage.domain,
        "regional_domain": regional_name(region, stage.domain),
        "region": region,
        "role": "PRIMARY" if region == config.primary else "SECONDARY",
        "primary_region": config.primary,
        "secondary_region": config.secondary,
    }


def differing(stage: Stage) -> set[str]:
    """The settings that differ from region to region: a global stack has none of its own."""
    return {*PER_REGION, *(name for values in stage.regional.values() for name in values)}


def needed_lookups(
    config: Config, stage: Stage, declared: Mapping[str, SettingSpec]
) -> dict[str, str]:
    """The settings that a stage wants looked up, and what each is (one of LOOKUPS), like
    {"hosted_zone_id": "hosted_zone"}.
    """
    settings = {**{name: spec.default for name, spec in declared.items()}, **stage.settings}
    settings |= {
        name: value
        for name, value in built_in(config, stage, config.primary).items()
        if name in EVERYWHERE
    }
    return {
        name: spec.lookup
        for name, spec in declared.items()
        if spec.lookup
        and settings[name] == ""
        and name not in differing(stage)
        and spec.when.of.keys() <= settings.keys()
        and spec.when.holds(settings)
    }


def check_stage_settings(
    stage: Stage, declared: Mapping[str, SettingSpec], used: set[str], problems: InputProblems
) -> None:
    """The problems of a stage's settings: a name that no stack uses, a value that the graph file does
    not allow.
    """
    known = sorted({*declared, *used} - {*BUILT_IN})
    given = [
        *stage.settings.items(),
        *(item for values in stage.regional.values() for item in values.items()),
    ]
    for name, value in given:
        key = f"stages.{stage.name}.settings"
        if name not in known:
            problems.unknown(key, name, known)
        elif name in declared and (problem := declared[name].problem(value)):
            problems.add(f"{key}.{name}", problem)
