"""The settings of a stage: declarations, conditions on them (`when`), and lookups. Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from deploytool.core.errors import InputProblems
from deploytool.core.project.config import Config, Setting, Stage
from deploytool.core.route53.names import regional_name

# The built-in settings that are the same in both regions, and those that each region has of its own.
STAGE_WIDE = ("project", "stage", "domain", "primary_region", "secondary_region")
PER_REGION = ("regional_domain", "region", "role")
BUILT_IN = STAGE_WIDE + PER_REGION

# The kinds of lookup. `hosted_zone` is the public hosted zone that holds the stage's domain.
LOOKUPS = ("hosted_zone",)


def text_of(value: Setting | float) -> str:
    """Return a setting as CloudFormation takes it.

    True and false are in lower case, and the items of a list are joined by commas.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


@dataclass(frozen=True)
class Condition:
    """A `when`: each setting must have one of its values. A condition without settings is true."""

    # Setting -> the values, as text, with which the condition is true.
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def is_met(self, settings: Mapping[str, Setting]) -> bool:
        """Return whether the condition is true. Raises KeyError for a setting without a value."""
        return all(text_of(settings[name]) in values for name, values in self.allowed.items())

    def __str__(self) -> str:
        return ", ".join(f"{name} = {' or '.join(values)}" for name, values in self.allowed.items())


ALWAYS = Condition()


@dataclass(frozen=True)
class SettingSpec:
    """A setting that the graph file declares. It is a list where its default is one.

    `values` are the values that a stage may choose from, or that the items of a list may have;
    empty allows any. With `lookup` the value is read from AWS where a stage leaves it empty and
    `when` is true. A list that is not empty has at least `min_items` and at most `max_items`. With
    `arn_region` the value is the ARN of something in that region, or empty: the primary, the
    secondary, or each region's own.
    """

    default: Setting
    values: tuple[Setting, ...] = ()
    lookup: str = ""
    when: Condition = ALWAYS
    min_items: int = 0
    max_items: int | None = None
    arn_region: str = ""

    def problem(self, value: Setting) -> str:
        """Return what is wrong with a stage's value; empty when it is valid."""
        if isinstance(self.default, tuple):
            return self._list_problem(value)
        if isinstance(value, tuple):
            return "must be one value, not a list"

        # The text "true" would pass every later comparison, and would hide that it is quoted.
        if isinstance(self.default, bool) and not isinstance(value, bool):
            return f"'{value}' must be true or false, without quotes"
        return self._choice_problem(value)

    def _list_problem(self, items: Setting) -> str:
        if not isinstance(items, tuple):
            return f"'{text_of(items)}' must be a list, like [\"{text_of(items)}\"]"

        for item in items:
            problem = self._choice_problem(item)
            if items.count(item) > 1:
                problem = f"'{item}' is listed twice"
            if problem:
                return problem

        if 0 < len(items) < self.min_items:
            return f"has {len(items)}; it must have at least {self.min_items}, or none"
        if self.max_items is not None and len(items) > self.max_items:
            return f"has {len(items)}; it may have {self.max_items} at most"
        return ""

    def _choice_problem(self, value: Setting) -> str:
        choices = [text_of(choice) for choice in self.values]
        if choices and text_of(value) not in choices:
            return f"'{text_of(value)}' is none of {', '.join(choices)}"
        return ""

    def region_problem(self, value: Setting, config: Config, region: str = "") -> str:
        """Return what is wrong with the region of a value that is an ARN; empty when it is right.

        `region` is the one that the value is for, empty when it is the same in both regions.
        """
        parts = text_of(value).split(":")
        # Whether it is an ARN at all is decided by the template that takes it.
        if not self.arn_region or len(parts) < 6:
            return ""

        if self.arn_region == "own":
            # {region} stands for the region of the stack that takes the value.
            if parts[3] in ("{region}", region):
                return ""
            if region:
                return f"'{value}' is in {parts[3]}; it must be in {region}"
            example = ", ".join(f'{name} = "arn:..."' for name in config.regions)
            return f"'{value}' is in one region, and each needs its own: {{ {example} }}"

        wanted = {"primary": config.primary, "secondary": config.secondary}[self.arn_region]
        if parts[3] == wanted:
            return ""
        return f"'{value}' is in {parts[3]}; it must be in {wanted}, the {self.arn_region} region"


def built_in(config: Config, stage: Stage, region: str) -> dict[str, Setting]:
    """Return the built-in settings for a region."""
    # A region beside the two has no role: no source with `only` is for a stack there.
    roles = {config.primary: "PRIMARY", config.secondary: "SECONDARY"}
    return {
        "project": config.project,
        "stage": stage.name,
        "domain": stage.domain,
        "regional_domain": regional_name(region, stage.domain),
        "region": region,
        # In upper case, as a record set's property Failover takes it.
        "role": roles.get(region, ""),
        "primary_region": config.primary,
        "secondary_region": config.secondary,
    }


def per_region_settings(stage: Stage) -> set[str]:
    """Return the settings that differ from region to region; a global stack cannot use them."""
    names = set(PER_REGION)
    for settings in stage.regional.values():
        names.update(settings)
    return names


def stage_settings(stage: Stage, declared: Mapping[str, SettingSpec]) -> dict[str, Setting]:
    """Return the defaults that the graph file declares, overridden by the stage's own settings."""
    settings = {name: spec.default for name, spec in declared.items()}
    settings.update(stage.settings)
    return settings


def needed_lookups(
    config: Config, stage: Stage, declared: Mapping[str, SettingSpec]
) -> dict[str, str]:
    """Return the settings to look up for a stage, each with its kind (one of LOOKUPS).

    An example is {"hosted_zone_id": "hosted_zone"}.
    """
    settings = stage_settings(stage, declared)
    built_in_settings = built_in(config, stage, config.primary)
    for name in STAGE_WIDE:
        settings[name] = built_in_settings[name]

    # A lookup has one result for the stage, so a setting that differs by region takes no part:
    # it is not looked up, and a condition on it is not met.
    per_region = per_region_settings(stage)
    lookups: dict[str, str] = {}
    for name, spec in declared.items():
        is_empty = spec.lookup and settings[name] == "" and name not in per_region
        if is_empty and spec.when.allowed.keys() <= settings.keys() and spec.when.is_met(settings):
            lookups[name] = spec.lookup
    return lookups


def check_stage_settings(
    config: Config,
    stage: Stage,
    declared: Mapping[str, SettingSpec],
    used: AbstractSet[str],
    problems: InputProblems,
) -> None:
    """Add the problems of a stage's settings: unused names, and values that are not allowed."""
    key = f"stages.{stage.name}.settings"
    # A setting need not be declared: it is enough that a parameter uses it.
    known = sorted({*declared, *used} - {*BUILT_IN})

    for region, settings in {"": stage.settings, **stage.regional}.items():
        for name, value in settings.items():
            if name not in known:
                problems.unknown(key, name, known)
            elif name in declared:
                spec = declared[name]
                problem = spec.problem(value) or spec.region_problem(value, config, region)
                if problem:
                    problems.add(f"{key}.{name}", problem)
