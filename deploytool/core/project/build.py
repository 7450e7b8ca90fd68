"""Builds a stage's graph from the configuration, the graph file and the templates. Pure.

Every problem is reported before any call to AWS.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
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
from deploytool.core.project.limits import may_be_too_large, stack_name_problem
from deploytool.core.project.links import exported_twice, linked
from deploytool.core.project.package import Package
from deploytool.core.project.settings import (
    check_stage_settings,
    needed_lookups,
    per_region_settings,
    stage_settings,
)
from deploytool.core.project.sources import SourceResolver
from deploytool.core.project.template import (
    Template,
    digest,
    rename_resource,
    render_body,
    without_description,
)
from deploytool.core.project.validate import GraphCheck, ValueCheck

# A fingerprint is 16 hexadecimal digits; any will do to measure a body.
SAMPLE_FINGERPRINT = "0" * 16


def build_graph(
    config: Config,
    stage: Stage,
    file: GraphFile,
    templates: Mapping[str, Template],
    packages: Mapping[str, Package],
    looked_up: Mapping[str, Setting] | None = None,
) -> Graph:
    """Return the nodes and edges of a stage.

    `templates` are by file name as the graph file writes it, and `packages` by artifact.
    `looked_up` holds the settings that `needed_lookups` names; until they are given, their values
    are not checked. Raises InputError with every problem: an unknown stack, output, setting, parameter or
    artifact, a parameter without a value or with one that its template does not take, a circle, a
    limit.
    """
    problems = InputProblems(config.file)
    check_stage_settings(config, stage, file.settings, file.used_settings, problems)
    problems.raise_any()

    looked_up = looked_up or {}
    settings = {**stage_settings(stage, file.settings), **looked_up}
    problems = InputProblems(file.file)
    per_region = per_region_settings(stage)
    GraphCheck(config, file, templates, settings, per_region, problems).run()
    problems.raise_any()

    # From here on every name in the graph file is known.
    awaited = needed_lookups(config, stage, file.settings).keys() - looked_up.keys()
    resolver = SourceResolver(config, stage, file, packages, settings)
    values = ValueCheck(config, stage, file, templates, awaited, problems)
    return _GraphBuilder(resolver, templates, values, problems).build()


class _GraphBuilder:
    """Builds the nodes of one stage and collects the problems of their values."""

    def __init__(
        self,
        resolver: SourceResolver,
        templates: Mapping[str, Template],
        values: ValueCheck,
        problems: InputProblems,
    ) -> None:
        self.resolver = resolver
        self.config = resolver.config
        self.stage = resolver.stage
        self.file = resolver.file
        self.templates = templates
        self.values = values
        self.problems = problems

    def build(self) -> Graph:
        """Return the graph. Raises InputError with every problem."""
        used: dict[NodeId, Node] = {}
        left_out: dict[NodeId, Node] = {}
        for spec, node_id in self._placements():
            if self.resolver.is_used(node_id):
                used[node_id] = self._node(spec, node_id)
            else:
                left_out[node_id] = self._left_out_node(spec, node_id)
        service = self._service()
        regional_service = self._regional_service()
        for name, first, second in exported_twice(used.values()):
            message = (
                f"exports '{name}' in {first.region}, as {first.stack} does; choose another name"
            )
            self.problems.add(f"stacks.{second.stack}", message)
        self.problems.raise_any()

        # The stacks that are left out are ordered too: those that exist must be deleted in order.
        all_nodes = self._with_links({**used, **left_out})
        order = self._ordered(all_nodes)
        nodes = {node_id: all_nodes[node_id] for node_id in order if node_id in used}
        left_out = {node_id: all_nodes[node_id] for node_id in left_out}
        return Graph(
            self.config.project,
            self.stage.name,
            nodes,
            service,
            self.resolver.settings,
            left_out,
            regional_service,
            self.stage.protected,
            self.config.regions,
            self.stage.tags,
        )

    def _placements(self) -> Iterator[tuple[StackSpec, NodeId]]:
        """Yield each stack of the graph file in each of its regions, used by the stage or not."""
        for spec in self.file.stacks.values():
            for region in self.resolver.regions_of(spec):
                yield spec, NodeId(spec.name, region)

    def _with_links(self, nodes: Mapping[NodeId, Node]) -> dict[NodeId, Node]:
        """Return the nodes, each with those that it comes after without taking a parameter."""
        links = linked(nodes.values())
        result: dict[NodeId, Node] = {}
        for node_id, node in nodes.items():
            after = links[node_id] | self._in_snapshot(node_id)
            result[node_id] = replace(node, after=after)
        return result

    def _in_snapshot(self, node_id: NodeId) -> frozenset[NodeId]:
        """Return the other nodes whose resources a node's snapshot contains.

        API Gateway takes a snapshot when it creates the deployment. A method that is created later
        is not in it, and nothing takes the snapshot again (API Gateway Developer Guide, "Deploy
        REST APIs": after a change of the API a new deployment is needed).
        """
        snapshot = self.file.stacks[node_id.stack].snapshot
        if snapshot is None:
            return frozenset()

        contents: set[NodeId] = set()
        for name in snapshot.stacks:
            regions = self.resolver.regions_of(self.file.stacks[name])
            # A stack of each region hangs its methods on the API of its own region.
            own = [node_id.region] if node_id.region in regions else regions
            contents.update(NodeId(name, region) for region in own)
        return frozenset(contents - {node_id})

    def _ordered(self, nodes: Mapping[NodeId, Node]) -> list[NodeId]:
        """Return the nodes, each after those that it needs. Raises InputError for a circle."""
        # Sorted, so that the order is the same in every run.
        needs = {node.id: sorted(node.needs) for node in nodes.values()}
        try:
            return list(TopologicalSorter(needs).static_order())
        except CycleError as error:
            # The second argument lists the circle against the direction of the needs (graphlib).
            circle = " -> ".join(node.stack for node in reversed(error.args[1]))
            message = (
                f"depend on one another in a circle: {circle}; "
                "take one of these outputs from another stack"
            )
            others = [
                node for node in error.args[1] if nodes[node].after.intersection(error.args[1])
            ]
            if others:
                message += (
                    f". {others[0].stack} comes after what its `snapshot` and its template's imports"
                    " name, also without an output"
                )
            self.problems.add("stacks", message)
            raise self.problems.error() from error

    def _service(self) -> dict[str, Value]:
        """Return what a check and a drill need to know of the stage, by name."""
        service: dict[str, Value] = {}
        for name in self.file.service:
            if name in REGIONAL_SERVICE:
                continue
            value = self._service_value(name, self.config.primary)
            if value is not None:
                service[name] = value
        return service

    def _regional_service(self) -> dict[str, dict[str, Value]]:
        """Return what a check and a drill need to know of each region, by name, then region."""
        service: dict[str, dict[str, Value]] = {}
        for name in self.file.service:
            if name not in REGIONAL_SERVICE:
                continue
            service[name] = {}
            for region in self.config.regions:
                value = self._service_value(name, region)
                if value is not None:
                    service[name][region] = value
        return service

    def _service_value(self, name: str, region: str) -> Value | None:
        # A stage does not need every value: a drill without a guard runs too.
        source = self._choose(self.file.service[name], f"service.{name}", region)
        if source is None:
            return None
        return self.resolver.value(source, region)

    def _choose(
        self, alternatives: Alternatives, key: str, region: str, *, required_by: str = ""
    ) -> Source | None:
        """Return the first source whose condition is true and whose stack the stage uses.

        When there is none, `required_by` names the template that declares no default, and the
        missing source is a problem.
        """
        settings = self.resolver.settings_in(region)
        role = str(settings["role"]).lower()
        missing: list[OutputRef] = []
        for alternative in alternatives:
            applies = alternative.only in ("", role) and alternative.when.is_met(settings)
            if not applies:
                continue
            output = self.resolver.missing_output(alternative.source, region)
            if output is None:
                return alternative.source
            missing.append(output)

        if missing:
            # A default does not stand in for an output: that would hide a condition left out here.
            stack = missing[0].node.stack
            message = (
                f"takes an output of '{stack}', which stage {self.stage.name} does not use"
                f" (its `when`: {self.file.stacks[stack].when});"
                " add another source for that case, or the same `when` here"
            )
            self.problems.add(key, message)
        elif required_by:
            message = (
                f"has no source for the {role or region}, so {required_by} must declare a default"
                " for it"
            )
            self.problems.add(key, message)
        return None

    def _node(self, spec: StackSpec, node_id: NodeId) -> Node:
        """Return a stack that the stage uses, with its parameters checked."""
        region = node_id.region
        template = self.templates[spec.template]
        if problem := stack_name_problem(self._stack_name(spec)):
            self.problems.add(f"stacks.{spec.name}", problem)

        sources = self._sources(spec, region)
        parameters: dict[str, Value] = {}
        for name, source in sources.items():
            value = self.resolver.value(source, region)
            parameters[name] = value
            if isinstance(value, str):
                self.values.check(spec, name, source, value, region)

        document = self._document(spec, template, region)
        if may_be_too_large(template):
            # This raises InputError for a body that is over CloudFormation's limit.
            render_body(document, SAMPLE_FINGERPRINT, spec.template)

        uploads = self.resolver.uploads(sources.values(), region)
        self._check_uploads(spec, node_id, uploads)
        return Node(
            node_id, self._stack_name(spec), template, document, parameters, uploads, spec.scope
        )

    def _check_uploads(self, spec: StackSpec, node_id: NodeId, uploads: tuple[Upload, ...]) -> None:
        """Report a package in a bucket of another region than the stack's.

        Lambda takes code only from a bucket in the function's region (API reference of
        FunctionCode, S3Bucket).
        """
        for upload in uploads:
            bucket = upload.bucket.node
            if bucket.region != node_id.region:
                message = (
                    f"takes {upload.package.name} from {bucket.stack} in {bucket.region}, and Lambda"
                    f" needs a bucket in {node_id.region}; add a stack with a bucket there, and an"
                    " artifact of the same folder for that bucket"
                )
                self.problems.add(f"stacks.{spec.name}.parameters", message)

    def _left_out_node(self, spec: StackSpec, node_id: NodeId) -> Node:
        """Return a stack that the stage does not use, as a node that can be deleted.

        The stack may exist from earlier settings. Which of its sources applied then is not known,
        so the node needs the outputs of all of them.
        """
        sources: list[Source] = []
        parameters: dict[str, Value] = {}
        for name, alternatives in spec.parameters.items():
            for alternative in alternatives:
                source = alternative.source
                sources.append(source)
                if isinstance(source, OutputSource):
                    output = self.resolver.output(source, node_id.region)
                    parameters[f"{output.node}.{output.output}"] = output
                elif isinstance(source, SettingSource | LiteralSource) and name not in parameters:
                    # Names of exports may use it.
                    parameters[name] = self.resolver.value(source, node_id.region)

        template = self.templates[spec.template]
        uploads = self.resolver.uploads(sources, node_id.region)
        name = self._stack_name(spec)
        return Node(node_id, name, template, template.document, parameters, uploads, spec.scope)

    def _stack_name(self, spec: StackSpec) -> str:
        return f"{self.config.project}-{self.stage.name}-{spec.name}"

    def _sources(self, spec: StackSpec, region: str) -> dict[str, Source]:
        """Return the source of each parameter; one that takes its default has none."""
        declared = self.templates[spec.template].parameters
        sources: dict[str, Source] = {}
        for name, alternatives in spec.parameters.items():
            required_by = "" if declared[name].has_default else spec.template
            key = f"stacks.{spec.name}.parameters.{name}"
            source = self._choose(alternatives, key, region, required_by=required_by)
            if source:
                sources[name] = source
        return sources

    def _document(self, spec: StackSpec, template: Template, region: str) -> Mapping[str, object]:
        """Return the template with its snapshot resource named after what the snapshot contains.

        That is the templates that it names, and the settings given to their stacks and to its own.
        CloudFormation replaces a resource whose logical id changes.
        """
        if spec.snapshot is None:
            return template.document

        templates: list[Mapping[str, object]] = []
        others: dict[str, Mapping[str, str]] = {}
        for name in spec.snapshot.stacks:
            other = self.file.stacks[name]
            templates.append(without_description(self.templates[other.template].document))
            if other != spec:
                others[name] = self._given_settings(other, region)

        contents: list[object] = [templates, self._given_settings(spec, region)]
        # Without these the digest is that of earlier versions, which made no difference here.
        if any(others.values()):
            contents.append(others)
        suffix = digest(contents)[:10]
        return rename_resource(
            template.document, spec.snapshot.resource, spec.snapshot.resource + suffix
        )

    def _given_settings(self, spec: StackSpec, region: str) -> dict[str, str]:
        """Return the values that a stack takes from settings or as literals.

        A value from an artifact is not one of them: new code needs no new snapshot.
        """
        regions = self.resolver.regions_of(spec)
        if region not in regions:
            region = regions[0]
        if not self.resolver.is_used(NodeId(spec.name, region)):
            return {}

        values: dict[str, str] = {}
        for name, source in self._sources(spec, region).items():
            value = self.resolver.value(source, region)
            if isinstance(value, str) and not isinstance(source, ArtifactSource):
                values[name] = value
        return values
