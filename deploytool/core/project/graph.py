"""The graph: one node a stack and region, edges from outputs to parameters. Pure values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from deploytool.core.project.config import Setting
from deploytool.core.project.package import Package
from deploytool.core.project.template import Template


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
    """One stack to deploy. `stack_name` is its name in CloudFormation; `document` the template with
    snapshots renamed.

    `scope` is the graph file's: global, regional or secondary.
    """

    id: NodeId
    stack_name: str
    template: Template
    document: Mapping[str, object]
    parameters: Mapping[str, Value]
    uploads: tuple[Upload, ...]
    scope: str = "regional"

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

    `service` and `regional_service` (by name, then region) are what a check and a drill need to
    know. `left_out` are the stacks of the graph file that the stage does without; one may still be
    there from earlier settings. `protected`: from deletion by accident. `regions` are the primary
    and the secondary.
    """

    project: str
    stage: str
    nodes: Mapping[NodeId, Node]
    service: Mapping[str, Value]
    settings: Mapping[str, Setting]
    left_out: Mapping[NodeId, Node] = field(default_factory=dict)
    regional_service: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    protected: bool = False
    regions: tuple[str, ...] = ()

    def edges(self) -> dict[NodeId, frozenset[NodeId]]:
        """What each node waits for."""
        return {node.id: node.needs for node in self.nodes.values()}

    def reversed_edges(self) -> dict[NodeId, frozenset[NodeId]]:
        """What each node waits for when everything is deleted: those that use its outputs."""
        return {
            each: frozenset(node.id for node in self.nodes.values() if each in node.needs)
            for each in self.nodes
        }

    def whole(self) -> "Graph":
        """The graph with the stacks that are left out, for deleting everything of the stage."""
        return replace(self, nodes={**self.nodes, **self.left_out}, left_out={})
