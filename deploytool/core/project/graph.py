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
    """One stack to deploy."""

    id: NodeId
    stack_name: str  # in CloudFormation
    template: Template
    document: Mapping[str, object]  # the template with its snapshot resource renamed
    parameters: Mapping[str, Value]
    uploads: tuple[Upload, ...]
    scope: str = "regional"  # as the graph file has it: global, regional or secondary

    # The nodes that it comes after although it takes no output of theirs as a parameter: what its
    # snapshot contains, and what its template imports. Some may not be in the stage's graph.
    after: frozenset[NodeId] = frozenset()

    @property
    def needs(self) -> frozenset[NodeId]:
        """The nodes whose outputs this node takes, and those that it comes after."""
        return self.after.union(ref.node for ref in self.references())

    @property
    def pseudo_parameters(self) -> dict[str, str]:
        """The pseudo parameters of the template whose values are known before the stack exists."""
        return {"AWS::Region": self.id.region, "AWS::StackName": self.stack_name}

    def references(self) -> Iterator[OutputRef]:
        """Yield every output of other nodes that this node takes."""
        for value in self.parameters.values():
            if isinstance(value, OutputRef):
                yield value
        for upload in self.uploads:
            yield upload.bucket


@dataclass(frozen=True)
class Graph:
    """The stacks of a stage and what they take from one another."""

    project: str
    stage: str

    # The stacks that the stage uses, each after the nodes that it needs.
    nodes: Mapping[NodeId, Node]

    # What a check and a drill need to know, by name.
    service: Mapping[str, Value]

    # The settings that are the same in both regions.
    settings: Mapping[str, Setting]

    # The other stacks of the graph file. They may exist from earlier settings of the stage.
    left_out: Mapping[NodeId, Node] = field(default_factory=dict)

    # What a check and a drill need to know of each region, by name, then region.
    regional_service: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    # Whether the stacks have termination protection.
    protected: bool = False

    # The primary and the secondary.
    regions: tuple[str, ...] = ()

    # The user's own tags, which every stack has.
    tags: Mapping[str, str] = field(default_factory=dict)

    # Whether a deployment takes over stacks of somebody else that have the names of ours.
    adopts: bool = False

    @property
    def path(self) -> str:
        """The path below the domain that a check and a drill call."""
        return str(self.settings.get("path", DEFAULT_PATH))

    @property
    def all_regions(self) -> tuple[str, ...]:
        """The primary, the secondary, and the other regions in which a stack is."""
        others = sorted({node.region for node in self.nodes} - set(self.regions))
        return (*self.regions, *others)

    def needs_of(self, node: NodeId) -> frozenset[NodeId]:
        """Return the nodes of the graph that a node needs."""
        return self.nodes[node].needs & self.nodes.keys()

    def edges(self) -> dict[NodeId, frozenset[NodeId]]:
        """Return what each node waits for."""
        return {node: self.needs_of(node) for node in self.nodes}

    def reversed_edges(self) -> dict[NodeId, frozenset[NodeId]]:
        """Return what each node waits for in a deletion: the nodes that need it."""
        users: dict[NodeId, set[NodeId]] = {node_id: set() for node_id in self.nodes}
        for node in self.nodes:
            for needed in self.needs_of(node):
                users[needed].add(node)
        return {node_id: frozenset(ids) for node_id, ids in users.items()}

    def whole(self) -> "Graph":
        """Return the graph with the stacks that are left out, to delete everything of the stage."""
        return replace(self, nodes={**self.nodes, **self.left_out}, left_out={})
