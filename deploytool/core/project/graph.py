"""The graph: one node for each stack and region, with edges from outputs to parameters. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from deploytool.core.project.config import Setting
from deploytool.core.project.package import Package
from deploytool.core.project.template import Template

# The path that a check and a drill call below the domain, unless setting `path` names another.
DEFAULT_PATH = "/v1"


@dataclass(frozen=True, order=True)
class NodeId:
    """A stack of the graph in a region, written `lambda@us-east-1`."""

    stack: str
    region: str

    def __str__(self) -> str:
        return f"{self.stack}@{self.region}"


@dataclass(frozen=True)
class OutputRef:
    """A value that another node provides: one of its outputs."""

    node: NodeId
    output: str


Value = str | OutputRef


@dataclass(frozen=True)
class Upload:
    """A package that must be in a bucket before the node can start."""

    package: Package
    bucket: OutputRef


@dataclass(frozen=True)
class Node:
    """One stack to deploy.

    `stack_name` is its name in CloudFormation, `document` the template with its snapshots renamed,
    and `scope` that of the graph file: global, regional or secondary.
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
        """The nodes whose outputs this node takes."""
        return frozenset(ref.node for ref in self.references())

    def references(self) -> Iterator[OutputRef]:
        """Yield every output of other nodes that this node takes."""
        for value in self.parameters.values():
            if isinstance(value, OutputRef):
                yield value
        for upload in self.uploads:
            yield upload.bucket


@dataclass(frozen=True)
class Graph:
    """All nodes of a stage, each after the nodes that it needs.

    `service` and `regional_service` (by name, then region) are what a check and a drill need to
    know. `left_out` holds the stacks of the graph file that the stage does not use; one may still
    exist from earlier settings. The stacks of a `protected` stage have termination protection.
    `regions` are the primary and the secondary.
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

    @property
    def path(self) -> str:
        """The path below the domain that a check and a drill call."""
        return str(self.settings.get("path", DEFAULT_PATH))

    def edges(self) -> dict[NodeId, frozenset[NodeId]]:
        """Return what each node waits for."""
        return {node.id: node.needs for node in self.nodes.values()}

    def reversed_edges(self) -> dict[NodeId, frozenset[NodeId]]:
        """Return what each node waits for in a deletion: the nodes that use its outputs."""
        users: dict[NodeId, set[NodeId]] = {node_id: set() for node_id in self.nodes}
        for node in self.nodes.values():
            for needed in node.needs & users.keys():
                users[needed].add(node.id)
        return {node_id: frozenset(ids) for node_id, ids in users.items()}

    def whole(self) -> "Graph":
        """Return the graph with the stacks that are left out, to delete everything of the stage."""
        return replace(self, nodes={**self.nodes, **self.left_out}, left_out={})
