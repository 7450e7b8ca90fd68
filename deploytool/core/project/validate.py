"""The problems of a graph file that are the same in every region: names, outputs, conditions and
CloudFormation's limits.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from deploytool.core.errors import InputProblems
from deploytool.core.project.config import Config, Setting
from deploytool.core.project.graphfile import (
    REGIONAL_SERVICE,
    Alternatives,
    ArtifactSource,
    GraphFile,
    LiteralSource,
    OutputSource,
    SettingSource,
    Source,
    StackSpec,
)
from deploytool.core.project.limits import template_problems
from deploytool.core.project.settings import BUILT_IN, Condition
from deploytool.core.project.template import Template


@dataclass(frozen=True)
class GraphCheck:
    """Checks a graph file against its templates and a stage's settings; adds to `problems`."""

    config: Config
    file: GraphFile
    templates: Mapping[str, Template]
    settings: Mapping[str, Setting]
    differing: AbstractSet[str]  # the settings of which each region has its own
    problems: InputProblems

    def run(self) -> None:
        """Check everything, also the stacks and sources that this stage does not use."""
        for name, setting in self.file.settings.items():
            self._check_when(setting.when, f"settings.{name}.when", "global")
        for spec in self.file.stacks.values():
            self._check_stack(spec)
        for name, alternatives in self.file.service.items():
            self._check_alternatives(
                alternatives,
                f"service.{name}",
                "regional" if name in REGIONAL_SERVICE else "global",
            )
        for name, template in self.templates.items():
            for key, message in template_problems(template):
                self.problems.add(key, message, file=name)

    def _check_stack(self, spec: StackSpec) -> None:
        key, template = f"stacks.{spec.name}", self.templates[spec.template]
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
            if spec.snapshot.resource not in template.resources:
                self.problems.unknown(
                    f"{key}.snapshot.resource", spec.snapshot.resource, sorted(template.resources)
                )
            for name in spec.snapshot.of:
                if name not in self.file.stacks:
                    self.problems.unknown(f"{key}.snapshot.of", name, sorted(self.file.stacks))

    def _check_alternatives(self, alternatives: Alternatives, key: str, scope: str) -> None:
        for parameter in alternatives:
            self._check_when(parameter.when, f"{key}.when", scope)
            self._check_source(parameter.source, key, scope)

    def _check_when(self, when: Condition, key: str, scope: str) -> None:
        for name, values in when.of.items():
            self._check_setting(name, key, scope)
            declared = self.file.settings.get(name)
            for value in values:
                if (
                    declared
                    and isinstance(declared.default, bool)
                    and value not in ("true", "false")
                ):
                    self.problems.add(
                        f"{key}.{name}", f"'{value}' can never be met: the setting is true or false"
                    )
                elif declared and declared.values and (problem := declared.problem(value)):
                    self.problems.add(f"{key}.{name}", f"can never be met: {problem}")

    def _check_setting(self, name: str, key: str, scope: str) -> None:
        known = {*BUILT_IN, *self.settings, *self.differing}
        if name not in known:
            self.problems.unknown(key, name, sorted(known))
        elif scope == "global" and name in self.differing:
            self.problems.add(
                key, f"'{name}' differs from region to region, so a global stack cannot use it"
            )

    def _check_source(self, source: Source, key: str, scope: str) -> None:
        match source:
            case SettingSource(name):
                self._check_setting(name, key, scope)
            case OutputSource():
                self._check_output(source, key, scope)
            case ArtifactSource(name, _):
                if name not in self.file.artifacts:
                    self.problems.unknown(key, name, sorted(self.file.artifacts))
                else:
                    self._check_output(
                        self.file.artifacts[name].bucket, f"artifacts.{name}.bucket", scope
                    )
            case LiteralSource():
                pass

    def _check_output(self, source: OutputSource, key: str, scope: str) -> None:
        producer = self.file.stacks.get(source.stack)
        if producer is None:
            self.problems.unknown(key, source.stack, sorted(self.file.stacks))
            return
        template = self.templates[producer.template]
        if source.output not in template.outputs:
            has = ", ".join(sorted(template.outputs)) or "none"
            self.problems.add(
                key, f"{producer.template} has no output '{source.output}'; it has: {has}"
            )
        if source.region and source.region not in ("primary", "secondary", *self.config.regions):
            self.problems.add(
                key,
                f"'{source.region}' is none of primary, secondary, {', '.join(self.config.regions)}",
            )
        if producer.scope == "regional" and scope == "global" and not source.region:
            self.problems.add(
                key,
                f"'{source.stack}' is in each region; choose one with region: primary or secondary",
            )
