"""The settings of a stage: declarations, conditions on them (`when`), and lookups. Pure."""

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
    """Return a setting as CloudFormation takes it: true and false in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Condition:
    """A `when`: each setting must have one of its values. A condition without settings is true."""

    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def holds(self, settings: Mapping[str, Setting]) -> bool:
        return all(text_of(settings[name]) in values for name, values in self.of.items())

    def __str__(self) -> str:
        return ", ".join(f"{name} = {' or '.join(values)}" for name, values in self.of.items())


ALWAYS = Condition()


@dataclass(frozen=True)
class SettingSpec:
    """A setting that the graph file declares.

    `values` are the values that a stage may choose from; empty allows any. With `lookup` the value
    is read from AWS where a stage leaves it empty and `when` is true.
    """

    default: Setting
    values: tuple[Setting, ...] = ()
    lookup: str = ""
    when: Condition = ALWAYS

    def problem(self, value: Setting) -> str:
        """Return what is wrong with a stage's value; empty when it is valid."""
        if isinstance(self.default, bool) and not isinstance(value, bool):
            return f"'{value}' must be true or false, without quotes"
        if self.values and text_of(value) not in map(text_of, self.values):
            return f"'{text_of(value)}' is none of {', '.join(map(text_of, self.values))}"
        return ""


def built_in(config: Config, stage: Stage, region: str) -> dict[str, Setting]:
    """Return the built-in settings for a region."""
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
    """Return the settings that differ from region to region; a global stack cannot use them."""
    return {*PER_REGION, *(name for values in stage.regional.values() for name in values)}


def needed_lookups(
    config: Config, stage: Stage, declared: Mapping[str, SettingSpec]
) -> dict[str, str]:
    """Return the settings to look up for a stage, each with its kind (one of LOOKUPS).

    An example is {"hosted_zone_id": "hosted_zone"}.
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
    """Add the problems of a stage's settings: unused names, and values that are not allowed."""
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
