"""The graph: one node a stack and region, edges from outputs to parameters. Validated whole before any call. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from deploytool.core.config import Config, Faults, Setting, Stage
from deploytool.core.graphfile import (
    BUILT_IN,
    ArtifactSource,
    GraphFile,
    LiteralSource,
    OutputSource,
    ParameterSource,
    SettingSource,
    StackSpec,
)
from deploytool.core.package import Package
from deploytool.core.template import Template, digest, rename_resource, without_words


@dataclass(frozen=True, order=True)
class NodeId:
    """A stack of the graph in a region, written `lambda@us-east-1`."""

    stack: str
    region: str

    def __str__(self) -> str:
        return f"{self.stack}@{self.region}"


@dataclass(frozen=True)
class OutputRef:
    """A value that another node gives: one of its outputs."""

    node: NodeId
    output: str


Value = str | OutputRef


@dataclass(frozen=True)
class Upload:
    """A package that must be in a bucket before the node can begin."""

    package: Package
    bucket: OutputRef


@dataclass(frozen=True)
class Node:
    """One stack to deploy. `stack_name` is its name in CloudFormation; `document` the template with snapshots renamed."""

    id: NodeId
    stack_name: str
    template: Template
    document: Mapping[str, object]
    parameters: Mapping[str, Value]
    uploads: tuple[Upload, ...]

    @property
    def needs(self) -> frozenset[NodeId]:
        """The nodes whose outputs this one takes."""
        return frozenset(ref.node for ref in self.references())

    def references(self) -> Iterator[OutputRef]:
        """Every output of other nodes that this one takes."""
        yield from (value for value in self.parameters.values() if isinstance(value, OutputRef))
        yield from (upload.bucket for upload in self.uploads)


@dataclass(frozen=True)
class Graph:
    """All nodes of a stage, in an order in which each stands after those it needs.

    `protected`: from deletion by accident. `regions` are the primary and the secondary.
    """

    project: str
    stage: str
    nodes: Mapping[NodeId, Node]
    service: Mapping[str, OutputRef]
    settings: Mapping[str, Setting]
    protected: bool = False
    regions: tuple[str, ...] = ()

    def edges(self) -> dict[NodeId, frozenset[NodeId]]:
        """What each node waits for."""
        return {node.id: node.needs for node in self.nodes.values()}

    def reversed_edges(self) -> dict[NodeId, frozenset[NodeId]]:
        """What each node waits for when everything is deleted: those that use its outputs."""
        return {each: frozenset(node.id for node in self.nodes.values() if each in node.needs) for each in self.nodes}


class _Builder:
    """Builds the nodes of one stage, collecting every fault of the graph file and of the stage's settings."""

    def __init__(
        self, config: Config, stage: Stage, file: GraphFile, templates: Mapping[str, Template], packages: Mapping[str, Package]
    ) -> None:
        self.config, self.stage, self.file, self.templates, self.packages = config, stage, file, templates, packages
        self.faults = Faults(file.file)
        self.settings: dict[str, Setting] = {**file.settings, **stage.settings}

    def build(self) -> Graph:
        for spec in self.file.stacks.values():
            self._check(spec)
        for name, source in self.file.service.items():
            self._check_output(source, f"service.{name}", "global")
        self.faults.raise_any()
        nodes = {node.id: node for spec in self.file.stacks.values() for node in self._nodes(spec)}
        self.faults.raise_any()
        try:
            order = list(TopologicalSorter({node.id: sorted(node.needs) for node in nodes.values()}).static_order())
        except CycleError as error:
            ring = " -> ".join(each.stack for each in reversed(error.args[1]))
            self.faults.add("stacks", f"wait for one another in a circle: {ring}; take one of these outputs from elsewhere")
            self.faults.raise_any()
        service = {name: self._output(source, self.config.primary) for name, source in self.file.service.items()}
        return Graph(
            self.config.project,
            self.stage.name,
            {each: nodes[each] for each in order},
            service,
            self.settings,
            self.stage.protected,
            self.config.regions,
        )

    def _check(self, spec: StackSpec) -> None:
        """The faults of one stack that do not depend on the region."""
        key, template = f"stacks.{spec.name}", self.templates[spec.template]
        for name, parameter in spec.parameters.items():
            if name not in template.parameters:
                self.faults.unknown(f"{key}.parameters", name, sorted(template.parameters))
            self._check_source(parameter, f"{key}.parameters.{name}", spec)
            if parameter.only and name in template.parameters and not template.parameters[name].has_default:
                message = f"is given to the {parameter.only} only, so {spec.template} must have a default for it"
                self.faults.add(f"{key}.parameters.{name}", message)
        for name, declared in template.parameters.items():
            if not declared.has_default and name not in spec.parameters:
                self.faults.add(
                    f"{key}.parameters.{name}", f"has no value, and {spec.template} no default; say where it comes from"
                )
        if spec.snapshot:
            if spec.snapshot.resource not in template.resources:
                self.faults.unknown(f"{key}.snapshot.resource", spec.snapshot.resource, sorted(template.resources))
            for name in spec.snapshot.of:
                if name not in self.file.stacks:
                    self.faults.unknown(f"{key}.snapshot.of", name, sorted(self.file.stacks))

    def _check_source(self, parameter: ParameterSource, key: str, spec: StackSpec) -> None:
        match parameter.source:
            case SettingSource(name):
                if name not in BUILT_IN and name not in self.settings:
                    self.faults.unknown(key, name, sorted({*BUILT_IN, *self.settings}))
                elif spec.scope == "global" and name in ("region", "regional_domain", "role"):
                    self.faults.add(key, f"'{name}' differs from region to region; a global stack has none of its own")
            case OutputSource() as source:
                self._check_output(source, key, spec.scope)
            case ArtifactSource(name, _):
                if name not in self.file.artifacts:
                    self.faults.unknown(key, name, sorted(self.file.artifacts))
                else:
                    self._check_output(self.file.artifacts[name].bucket, f"artifacts.{name}.bucket", spec.scope)
            case LiteralSource():
                pass

    def _check_output(self, source: OutputSource, key: str, scope: str) -> None:
        producer = self.file.stacks.get(source.stack)
        if producer is None:
            self.faults.unknown(key, source.stack, sorted(self.file.stacks))
            return
        template = self.templates[producer.template]
        if source.output not in template.outputs:
            has = ", ".join(sorted(template.outputs)) or "none"
            self.faults.add(key, f"{producer.template} has no output '{source.output}'; it has: {has}")
        if source.region and source.region not in ("primary", "secondary", *self.config.regions):
            self.faults.add(key, f"'{source.region}' is none of primary, secondary, {', '.join(self.config.regions)}")
        if producer.scope == "regional" and scope == "global" and not source.region:
            self.faults.add(key, f"'{source.stack}' is in each region; say which one with region: primary or secondary")

    def _nodes(self, spec: StackSpec) -> Iterator[Node]:
        regions = self.config.regions if spec.scope == "regional" else (self.config.primary,)
        for region in regions:
            template = self.templates[spec.template]
            role = "primary" if region == self.config.primary else "secondary"
            parameters = {
                name: self._value(parameter, region)
                for name, parameter in spec.parameters.items()
                if parameter.only in ("", role) or spec.scope == "global"
            }
            used = {each.source.artifact for each in spec.parameters.values() if isinstance(each.source, ArtifactSource)}
            uploads = tuple(
                Upload(self.packages[name], self._output(self.file.artifacts[name].bucket, region)) for name in sorted(used)
            )
            document = self._document(spec, template, parameters)
            name = f"{self.config.project}-{self.stage.name}-{spec.name}"
            yield Node(NodeId(spec.name, region), name, template, document, parameters, uploads)

    def _value(self, parameter: ParameterSource, region: str) -> Value:
        match parameter.source:
            case LiteralSource(value):
                return value
            case SettingSource(name):
                setting = {**self.settings, **self._built_in(region)}[name]
                return str(setting).lower() if isinstance(setting, bool) else str(setting)
            case ArtifactSource(name, "key"):
                return self.packages[name].key
            case ArtifactSource(name, "version"):
                return self.packages[name].version
            case ArtifactSource(name, _):
                return self._output(self.file.artifacts[name].bucket, region)
            case OutputSource() as source:
                return self._output(source, region)

    def _output(self, source: OutputSource, region: str) -> OutputRef:
        named = {"primary": self.config.primary, "secondary": self.config.secondary}
        where = named.get(source.region, source.region) or region
        if self.file.stacks[source.stack].scope == "global":
            where = self.config.primary
        return OutputRef(NodeId(source.stack, where), source.output)

    def _built_in(self, region: str) -> dict[str, str]:
        return {
            "project": self.config.project,
            "stage": self.stage.name,
            "domain": self.stage.domain,
            "regional_domain": f"{region}.{self.stage.domain}",
            "region": region,
            "role": "PRIMARY" if region == self.config.primary else "SECONDARY",
            "primary_region": self.config.primary,
            "secondary_region": self.config.secondary,
        }

    def _document(self, spec: StackSpec, template: Template, parameters: Mapping[str, Value]) -> Mapping[str, object]:
        """The template with its snapshot resource named after what it holds: the templates named, and this one's settings.

        What comes from an artifact is left out: new code needs no new snapshot.
        """
        if spec.snapshot is None:
            return template.document
        held = [without_words(self.templates[self.file.stacks[name].template].document) for name in spec.snapshot.of]
        packaged = {name for name, each in spec.parameters.items() if isinstance(each.source, ArtifactSource)}
        given = {name: value for name, value in parameters.items() if isinstance(value, str) and name not in packaged}
        new_name = spec.snapshot.resource + digest([held, given])[:10]
        return rename_resource(template.document, spec.snapshot.resource, new_name)


def build_graph(
    config: Config, stage: Stage, file: GraphFile, templates: Mapping[str, Template], packages: Mapping[str, Package]
) -> Graph:
    """The nodes and edges of a stage.

    `templates` by file name as the graph file writes it, `packages` by artifact. Raises InputError with every fault: an
    unknown stack, output, setting, parameter or artifact, a parameter without a value, a circle.
    """
    used = {
        each.source.name
        for spec in file.stacks.values()
        for each in spec.parameters.values()
        if isinstance(each.source, SettingSource)
    }
    faults = Faults(config.file)
    for name in stage.settings:
        if name in BUILT_IN or name not in {*file.settings, *used}:
            faults.unknown(f"stages.{stage.name}.settings", name, sorted({*file.settings, *used} - {*BUILT_IN}))
    faults.raise_any()
    return _Builder(config, stage, file, templates, packages).build()
