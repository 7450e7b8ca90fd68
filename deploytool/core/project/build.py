"""Builds a stage's graph from the configuration, the graph file and the templates. Pure.

Every problem is reported before any call to AWS.
"""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from deploytool.core.errors import InputProblems
from deploytool.core.project.config import Config, Setting, Stage
from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef, Upload, Value
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
from deploytool.core.project.limits import may_be_too_large, stack_name_problem, value_problem
from deploytool.core.project.package import Package
from deploytool.core.project.settings import (
    built_in,
    check_stage_settings,
    differing,
    needed_lookups,
    text_of,
)
from deploytool.core.project.template import (
    Template,
    digest,
    rename_resource,
    render_body,
    without_words,
)
from deploytool.core.project.validate import GraphCheck


class _Builder:
    """Builds the nodes of one stage and collects the problems of its graph file and settings."""

    def __init__(
        self,
        config: Config,
        stage: Stage,
        file: GraphFile,
        templates: Mapping[str, Template],
        packages: Mapping[str, Package],
        looked_up: Mapping[str, Setting],
    ) -> None:
        self.config = config
        self.stage = stage
        self.file = file
        self.templates = templates
        self.packages = packages
        self.problems = InputProblems(file.file)
        self.awaited = needed_lookups(config, stage, file.settings).keys() - looked_up.keys()
        defaults = {name: spec.default for name, spec in file.settings.items()}
        self.settings: dict[str, Setting] = {**defaults, **stage.settings, **looked_up}
        self.present: frozenset[NodeId] = frozenset()

    def build(self) -> Graph:
        GraphCheck(
            self.config,
            self.file,
            self.templates,
            self.settings,
            differing(self.stage),
            self.problems,
        ).run()
        self.problems.raise_any()
        placed = [
            (spec, region) for spec in self.file.stacks.values() for region in self._regions(spec)
        ]
        self.present = frozenset(
            NodeId(spec.name, region)
            for spec, region in placed
            if spec.when.holds(self._settings_in(region))
        )
        here = [
            (spec, region) for spec, region in placed if NodeId(spec.name, region) in self.present
        ]
        nodes = {NodeId(spec.name, region): self._node(spec, region) for spec, region in here}
        service, regional = self._service()
        self.problems.raise_any()
        left_out = {
            NodeId(spec.name, region): self._left_out(spec, region)
            for spec, region in placed
            if NodeId(spec.name, region) not in self.present
        }
        # The stacks that are left out are ordered too: those that exist must be deleted in order.
        order = self._ordered({**nodes, **left_out})
        return Graph(
            self.config.project,
            self.stage.name,
            {node_id: nodes[node_id] for node_id in order if node_id in nodes},
            service,
            self.settings,
            left_out,
            regional,
            self.stage.protected,
            self.config.regions,
        )

    def _ordered(self, nodes: Mapping[NodeId, Node]) -> list[NodeId]:
        """Return the nodes, each after those that it needs. Raises InputError for a circle."""
        # Sorted, so that the order is the same in every run.
        needs = {node.id: sorted(node.needs) for node in nodes.values()}
        try:
            return list(TopologicalSorter(needs).static_order())
        except CycleError as error:
            circle = " -> ".join(node.stack for node in reversed(error.args[1]))
            message = (
                f"depend on one another in a circle: {circle}; "
                "take one of these outputs from another stack"
            )
            self.problems.add("stacks", message)
            raise self.problems.error() from error

    def _service(self) -> tuple[dict[str, Value], dict[str, dict[str, Value]]]:
        """Return what a check and a drill need to know: of the stage, and of each region."""

        def in_region(name: str, region: str) -> dict[str, Value]:
            source = self._chosen(self.file.service[name], f"service.{name}", "", region)
            return {region: self._value(source, region)} if source else {}

        single: dict[str, Value] = {}
        regional: dict[str, dict[str, Value]] = {}
        for name in self.file.service:
            if name in REGIONAL_SERVICE:
                regional[name] = {}
                for region in self.config.regions:
                    regional[name].update(in_region(name, region))
            else:
                values = in_region(name, self.config.primary)
                if values:
                    single[name] = values[self.config.primary]
        return single, regional

    def _regions(self, spec: StackSpec) -> tuple[str, ...]:
        match spec.scope:
            case "regional":
                return self.config.regions
            case "secondary":
                return (self.config.secondary,)
            case _:
                return (self.config.primary,)

    def _settings_in(self, region: str) -> dict[str, Setting]:
        return {
            **self.settings,
            **self.stage.regional.get(region, {}),
            **built_in(self.config, self.stage, region),
        }

    def _name(self, spec: StackSpec) -> str:
        return f"{self.config.project}-{self.stage.name}-{spec.name}"

    def _node(self, spec: StackSpec, region: str) -> Node:
        key, template = f"stacks.{spec.name}", self.templates[spec.template]
        if problem := stack_name_problem(self._name(spec)):
            self.problems.add(key, problem)
        sources: dict[str, Source] = {}
        for name, alternatives in spec.parameters.items():
            default = template.parameters[name].has_default
            source = self._chosen(
                alternatives, f"{key}.parameters.{name}", "" if default else spec.template, region
            )
            if source:
                sources[name] = source
        parameters = {name: self._value(source, region) for name, source in sources.items()}
        for name, value in parameters.items():
            if isinstance(value, str):
                self._check_value(spec, name, sources[name], value, region)
        packaged = {name for name, source in sources.items() if isinstance(source, ArtifactSource)}
        given = {
            name: value
            for name, value in parameters.items()
            if isinstance(value, str) and name not in packaged
        }
        document = self._document(spec, template, given)
        if may_be_too_large(template):
            render_body(document, "0" * 16, spec.template)
        uploads = self._uploads(sources.values(), region)
        return Node(
            NodeId(spec.name, region),
            self._name(spec),
            template,
            document,
            parameters,
            uploads,
            spec.scope,
        )

    def _chosen(
        self, alternatives: Alternatives, key: str, template: str, region: str
    ) -> Source | None:
        """Return the first source whose condition is true and whose stack the stage uses.

        No source is a problem where `template` is given: that template declares no default.
        """
        settings = self._settings_in(region)
        role = str(settings["role"]).lower()
        missing: list[OutputRef] = []
        for alternative in alternatives:
            applies = alternative.only in ("", role) and alternative.when.holds(settings)
            if not applies:
                continue
            output = self._missing(alternative.source, region)
            if output is None:
                return alternative.source
            missing.append(output)

        if missing:
            stack = missing[0].node.stack
            message = (
                f"takes an output of '{stack}', which stage {self.stage.name} does not use (its `when`: "
                f"{self.file.stacks[stack].when}); add another source for that case, or the same `when` here"
            )
            self.problems.add(key, message)
        elif template:
            self.problems.add(
                key,
                f"has no source for the {role}, so {template} must declare a default for it",
            )
        return None

    def _missing(self, source: Source, region: str) -> OutputRef | None:
        """Return the output that a source takes from a stack that the stage does not use."""
        if isinstance(source, ArtifactSource):
            source = self.file.artifacts[source.artifact].bucket
        ref = self._output(source, region) if isinstance(source, OutputSource) else None
        return ref if ref and ref.node not in self.present else None

    def _check_value(
        self, spec: StackSpec, name: str, source: Source, value: str, region: str
    ) -> None:
        """Check a value that is known already against the template's rules for the parameter."""
        if isinstance(source, SettingSource) and source.name in self.awaited:
            return
        template = self.templates[spec.template]
        problem = value_problem(template.document["Parameters"][name], value)
        if not problem:
            return

        # A secret is never shown.
        shown = "the value" if template.parameters[name].no_echo else f"'{value}'"
        where = f"stacks.{spec.name}.parameters.{name}"
        match source:
            case SettingSource("domain" | "regional_domain"):
                self.problems.add(
                    f"stages.{self.stage.name}.domain",
                    f"{shown} {problem} ({where})",
                    file=self.config.file,
                )
            case SettingSource(setting) if (
                setting in {*self.stage.settings, *self.stage.regional.get(region, ())} or not value
            ):
                key = f"stages.{self.stage.name}.settings.{setting}"
                summary = f"{shown} is not valid" if value else "has no value"
                self.problems.add(key, f"{summary}: {problem} ({where})", file=self.config.file)
            case SettingSource(setting) if setting in self.file.settings:
                self.problems.add(
                    f"settings.{setting}", f"{shown} is not valid: {problem} ({where})"
                )
            case _:
                self.problems.add(where, f"{shown} is not valid: {problem}")

    def _left_out(self, spec: StackSpec, region: str) -> Node:
        """Return a stack that the stage does not use, as a node that can be deleted.

        The stack may exist from earlier settings.
        """
        sources = [
            each.source for alternatives in spec.parameters.values() for each in alternatives
        ]
        outputs = [
            self._output(source, region) for source in sources if isinstance(source, OutputSource)
        ]
        parameters = {f"{ref.node}.{ref.output}": ref for ref in outputs}
        template = self.templates[spec.template]
        uploads = self._uploads(sources, region)
        return Node(
            NodeId(spec.name, region),
            self._name(spec),
            template,
            template.document,
            parameters,
            uploads,
            spec.scope,
        )

    def _uploads(self, sources: Iterable[Source], region: str) -> tuple[Upload, ...]:
        used = sorted({source.artifact for source in sources if isinstance(source, ArtifactSource)})
        return tuple(
            Upload(self.packages[name], self._output(self.file.artifacts[name].bucket, region))
            for name in used
        )

    def _value(self, source: Source, region: str) -> Value:
        match source:
            case LiteralSource(value):
                return value
            case SettingSource(name):
                return text_of(self._settings_in(region)[name]).replace("{region}", region)
            case ArtifactSource(name, "key"):
                return self.packages[name].key
            case ArtifactSource(name, "version"):
                return self.packages[name].version
            case ArtifactSource(name, _):
                return self._output(self.file.artifacts[name].bucket, region)
            case OutputSource():
                return self._output(source, region)

    def _output(self, source: OutputSource, region: str) -> OutputRef:
        named = {"primary": self.config.primary, "secondary": self.config.secondary}
        where = named.get(source.region, source.region) or region
        producer = self.file.stacks[source.stack]
        if producer.scope != "regional":
            [where] = self._regions(producer)
        return OutputRef(NodeId(source.stack, where), source.output)

    def _document(
        self, spec: StackSpec, template: Template, given: Mapping[str, Value]
    ) -> Mapping[str, object]:
        """Return the template with its snapshot resource named after what the snapshot contains.

        That is the templates it names and the parameters `given`. A value from an artifact is not
        part of it: new code needs no new snapshot.
        """
        if spec.snapshot is None:
            return template.document
        held = [
            without_words(self.templates[self.file.stacks[name].template].document)
            for name in spec.snapshot.of
        ]
        new_name = spec.snapshot.resource + digest([held, given])[:10]
        return rename_resource(template.document, spec.snapshot.resource, new_name)


def build_graph(
    config: Config,
    stage: Stage,
    file: GraphFile,
    templates: Mapping[str, Template],
    packages: Mapping[str, Package],
    looked_up: Mapping[str, Setting] | None = None,
) -> Graph:
    """Return the nodes and edges of a stage.

    `templates` are by file name as the graph file writes it, and `packages` by artifact. `looked_up`
    holds the settings that `needed_lookups` names; until they are given, their values are not
    checked. Raises InputError with every problem: an unknown stack, output, setting, parameter or
    artifact, a parameter without a value or with one that its template does not take, a circle, a
    limit.
    """
    all_alternatives = list(file.service.values())
    for spec in file.stacks.values():
        all_alternatives += spec.parameters.values()
    used_settings = set()
    for alternatives in all_alternatives:
        for alternative in alternatives:
            if isinstance(alternative.source, SettingSource):
                used_settings.add(alternative.source.name)

    problems = InputProblems(config.file)
    check_stage_settings(stage, file.settings, used_settings, problems)
    problems.raise_any()
    return _Builder(config, stage, file, templates, packages, looked_up or {}).build()
