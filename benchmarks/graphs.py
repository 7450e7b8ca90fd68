"""The graphs that are deployed: the ten stacks of `graph/`, and two of 200 stacks."""

import json
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path

from deploytool.core.project.graph import Graph, NodeId
from deploytool.files.project import load_project
from deploytool.localcloud.durations import Durations

STAGE = "run"
TEN_STACKS = Path(__file__).parent / "graph" / "deploytool.toml"
MANY = 200
_PROJECT = """project = "{name}"
domain = "bench.example.com"
regions = ["us-east-1", "us-west-2"]
graph = "stacks.json"

[stages.run]
domain = "bench.example.com"
"""
_PARAMETER = {
    "Parameters": {"Before": {"Type": "String", "Default": "none"}},
    "Resources": {
        "Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": {"Ref": "Before"}},
        }
    },
    "Outputs": {"Name": {"Value": {"Ref": "Parameter"}}},
}


def load(config: Path) -> Graph:
    """Return the graph of a project."""
    return load_project(config).graph(STAGE)


def write_chain(folder: Path) -> Path:
    """Write a project of 200 stacks, each of which takes an output of the one before.

    Returns the path of its deploytool.toml.
    """
    stacks: dict[str, object] = {"s000": _stack("global")}
    for number in range(1, MANY):
        before = {"output": f"s{number - 1:03}.Name"}
        stacks[f"s{number:03}"] = _stack("global", Before=before)
    return _write(folder, "chain", stacks)


def write_wide(folder: Path) -> Path:
    """Write a project of 200 independent stacks, 100 in each of two regions.

    Returns the path of its deploytool.toml.
    """
    return _write(folder, "wide", {f"s{n:03}": _stack("regional") for n in range(MANY // 2)})


def _stack(scope: str, **parameters: object) -> dict[str, object]:
    return {"template": "parameter.json", "scope": scope, "parameters": parameters}


def _write(folder: Path, name: str, stacks: Mapping[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "parameter.json").write_text(json.dumps(_PARAMETER), encoding="utf-8")
    # JSON is YAML
    (folder / "stacks.json").write_text(json.dumps({"stacks": stacks}), encoding="utf-8")
    config = folder / "deploytool.toml"
    config.write_text(_PROJECT.format(name=name), encoding="utf-8")
    return config


def critical_path(graph: Graph, durations: Durations) -> float:
    """Return the least seconds that the graph can take.

    Each stack begins the moment its inputs exist, and nothing but its resources takes time.
    """
    ends: dict[NodeId, float] = {}
    for node_id in TopologicalSorter(graph.edges()).static_order():
        node = graph.nodes[node_id]
        begins = max((ends[need] for need in node.needs), default=0.0)
        ends[node_id] = begins + durations.stack(node.template.resources, node_id.region)
    return max(ends.values(), default=0.0)
