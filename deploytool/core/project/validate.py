"""The problems of a graph file: names, outputs, conditions, limits and parameters' values. Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import assert_never

from deploytool.core.errors import InputProblems
from deploytool.core.project.config import Config, Setting, Stage
from deploytool.core.project.graphfile import (
    REGIONAL_SERVICE,
    Alternatives,
    ArtifactSource,
    GraphFile,
    LiteralSource,
    OutputSource,
    SettingSource,
    Snapshot,
    Source,
    StackSpec,
)
from deploytool.core.project.limits import template_problems, value_problem
from deploytool.core.project.settings import BUILT_IN, Condition
from deploytool.core.project.template import Template


@dataclass(frozen=True)
class GraphCheck:
    """Checks a graph file against its templates and a stage's settings; adds to `problems`.

    These problems are the same in every region. The keys of `settings` are the settings that have
    one value for the stage.
    """

    config: Config
    file: GraphFile
    templates: Mapping[str, Template]
    settings: Mapping[str, Setting]
    per_region: AbstractSet[str]  # the settings of which each region has its own
    problems: InputProblems

    def run(self) -> None:
        """Check everything, also the stacks and sources that this stage does not use."""
        # A lookup is made once for the stage, so its condition is checked like a global stack's.
        for name, setting in self.file.settings.items():
            self._check_when(setting.when, f"settings.{name}.when", "global")

        for spec in self.file.stacks.values():
            self._check_stack(spec)

        for name, alternatives in self.file.service.items():
            scope = "regional" if name in REGIONAL_SERVICE else "global"
            self._check_alternatives(alternatives, f"service.{name}", scope)

        for name, template in self.templates.items():
            for key, message in template_problems(template):
                self.problems.add(key, message, file=name)

    def _check_stack(self, spec: StackSpec) -> None:
        key = f"stacks.{spec.name}"
        template = self.templates[spec.template]
        self._check_when(spec.when, f"{key}.when", spec.scope)

        for name, alternatives in spec.parameters.items():
            if name not in template.parameters:
                self.problems.unknown(f"{key}.parameters", name, sorted(template.parameters))
            self._check_alternatives(alternatives, f"{key}.parameters.{name}", spec.scope)

        for name, declared in template.parameters.items():
            if not declared.has_default and name not in spec.parameters:
                message = f"has no value, and {spec.template} has no default for it; name a source"
                self.problems.add(f"{key}.parameters.{name}", message)

        if spec.snapshot:
            self._check_snapshot(spec.snapshot, template, f"{key}.snapshot")

    def _check_snapshot(self, snapshot: Snapshot, template: Template, key: str) -> None:
        if snapshot.resource not in template.resources:
            self.problems.unknown(f"{key}.resource", snapshot.resource, sorted(template.resources))
        self.problems.unknown_keys(f"{key}.of", snapshot.stacks, sorted(self.file.stacks))

    def _check_alternatives(self, alternatives: Alternatives, key: str, scope: str) -> None:
        for alternative in alternatives:
            self._check_when(alternative.when, f"{key}.when", scope)
            self._check_source(alternative.source, key, scope)

    def _check_when(self, when: Condition, key: str, scope: str) -> None:
        for name, values in when.allowed.items():
            self._check_setting(name, key, scope)
            for value in values:
                self._check_condition_value(name, value, f"{key}.{name}")

    def _check_condition_value(self, name: str, value: str, key: str) -> None:
        """Report a value that the setting never has: the condition would always be false."""
        declared = self.file.settings.get(name)
        if declared is None:
            return

        if isinstance(declared.default, bool):
            if value not in ("true", "false"):
                self.problems.add(key, f"'{value}' can never be met: the setting is true or false")
            return
        if declared.values and (problem := declared.problem(value)):
            self.problems.add(key, f"can never be met: {problem}")

    def _check_setting(self, name: str, key: str, scope: str) -> None:
        known = {*BUILT_IN, *self.settings, *self.per_region}
        if name not in known:
            self.problems.unknown(key, name, sorted(known))
        elif scope == "global" and name in self.per_region:
            self.problems.add(
                key, f"'{name}' differs from region to region, so a global stack cannot use it"
            )

    def _check_source(self, source: Source, key: str, scope: str) -> None:
        match source:
            case SettingSource(name, item):
                self._check_setting(name, key, scope)
                declared = self.file.settings.get(name)
                if item is not None and not (declared and isinstance(declared.default, tuple)):
                    self.problems.add(key, f"takes an item of '{name}', which is no list")
            case OutputSource():
                self._check_output(source, key, scope)
            case ArtifactSource(name, _):
                artifact = self.file.artifacts.get(name)
                if artifact is None:
                    self.problems.unknown(key, name, sorted(self.file.artifacts))
                else:
                    self._check_output(artifact.bucket, f"artifacts.{name}.bucket", scope)
            case LiteralSource():
                pass
            case _:
                assert_never(source)

    def _check_output(self, source: OutputSource, key: str, scope: str) -> None:
        producer = self.file.stacks.get(source.stack)
        if producer is None:
            self.problems.unknown(key, source.stack, sorted(self.file.stacks))
            return

        template = self.templates[producer.template]
        if source.output not in template.outputs:
            known = ", ".join(sorted(template.outputs)) or "none"
            self.problems.add(
                key, f"{producer.template} has no output '{source.output}'; it has: {known}"
            )

        # Empty stands for the region of the stack that takes the output.
        regions = ["primary", "secondary", *self.config.regions]
        if source.region and source.region not in regions:
            self.problems.add(key, f"'{source.region}' is none of {', '.join(regions)}")

        if producer.scope == "regional" and scope == "global" and not source.region:
            self.problems.add(
                key,
                f"'{source.stack}' is in each region; choose one with region: primary or secondary",
            )


@dataclass(frozen=True)
class ValueCheck:
    """Checks the values of parameters that are known before AWS is called; adds to `problems`.

    `awaited` names the settings that are still to be looked up. They have no value to check.
    """

    config: Config
    stage: Stage
    file: GraphFile
    templates: Mapping[str, Template]
    awaited: AbstractSet[str]
    problems: InputProblems

    def check(self, spec: StackSpec, name: str, source: Source, value: str, region: str) -> None:
        """Check the value of a stack's parameter against the template's rules for it."""
        if isinstance(source, SettingSource) and source.name in self.awaited:
            return
        template = self.templates[spec.template]
        problem = value_problem(template.document["Parameters"][name], value)
        if not problem:
            return

        where = f"stacks.{spec.name}.parameters.{name}"
        # A secret is never shown.
        shown = "the value" if template.parameters[name].no_echo else f"'{value}'"
        invalid = f"{shown} is not valid: {problem}"

        # The problem is reported at the place where the user can fix it.
        match source:
            case SettingSource("domain" | "regional_domain"):
                key = f"stages.{self.stage.name}.domain"
                self.problems.add(key, f"{shown} {problem} ({where})", file=self.config.file)
            case SettingSource(setting) if not value:
                key = f"stages.{self.stage.name}.settings.{setting}"
                message = f"has no value: {problem} ({where})"
                self.problems.add(key, message, file=self.config.file)
            case SettingSource(setting) if self._is_set_by_stage(setting, region):
                key = f"stages.{self.stage.name}.settings.{setting}"
                self.problems.add(key, f"{invalid} ({where})", file=self.config.file)
            case SettingSource(setting) if setting in self.file.settings:
                self.problems.add(f"settings.{setting}", f"{invalid} ({where})")
            case _:
                self.problems.add(where, invalid)

    def _is_set_by_stage(self, setting: str, region: str) -> bool:
        return setting in self.stage.settings or setting in self.stage.regional.get(region, {})
