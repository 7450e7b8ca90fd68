"""The links between stacks that only their templates know: exports, imports, outputs by name. Pure.

Such a link gives an order. CloudFormation refuses an import of what is not exported yet, and the
deletion of a stack whose export is in use (template reference of Fn::ImportValue). Fn::GetStackOutput
takes an output when its stack is created or updated, and does not keep the other stack from being
deleted (template reference of Fn::GetStackOutput).

An export's name may use parameters and pseudo parameters, and nothing of a resource (the same). The
name is compared as text, in which a value that is known later stands by its origin: an output of
another stack, or the account. A name that is still not known gives no order.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.core.project.expressions import Evaluator
from deploytool.core.project.graph import Node, NodeId, OutputRef

# The pseudo parameters that have one value in all stacks of an account and region.
SAME_EVERYWHERE = ("AWS::AccountId", "AWS::Partition", "AWS::URLSuffix")


@dataclass(frozen=True)
class Links:
    """What a stack exports and takes from others by name.

    `certain` are those of the exports whose output has no condition, or one that is true. `stacks`
    are the stacks of which it takes outputs by their names, each as (name, region).
    """

    exports: frozenset[str]
    certain: frozenset[str]
    imports: frozenset[str]
    stacks: frozenset[tuple[str, str]]


def links_of(node: Node) -> Links:
    """Return the links in the template of a stack."""
    document: Mapping[str, Any] = node.document
    evaluator = Evaluator(document, _known_values(node))

    exports: list[object] = []
    certain: list[object] = []
    # A condition is not decided by the origin that stands for a value.
    decided = Evaluator(document, _decided_values(node))
    outputs: Mapping[str, Any] = document.get("Outputs") or {}
    for output in outputs.values():
        if not (isinstance(output, Mapping) and isinstance(output.get("Export"), Mapping)):
            continue
        exists = decided.has_resource(output)
        if exists is False:
            continue
        name = evaluator.value(output["Export"].get("Name"))
        exports.append(name)
        if exists:
            certain.append(name)

    imports = [evaluator.value(name) for name in _arguments(document, "Fn::ImportValue")]
    stacks: set[tuple[str, str]] = set()
    for argument in _arguments(document, "Fn::GetStackOutput"):
        if not isinstance(argument, Mapping):
            continue
        name = evaluator.value(argument.get("StackName"))
        region = evaluator.value(argument.get("Region", node.id.region))
        if isinstance(name, str) and isinstance(region, str):
            stacks.add((name, region))

    return Links(_texts(exports), _texts(certain), _texts(imports), frozenset(stacks))


def linked(nodes: Iterable[Node]) -> dict[NodeId, frozenset[NodeId]]:
    """Return for each node those that its template takes something from.

    Only the account's own exports of the same region can be imported.
    """
    all_nodes = list(nodes)
    links = {node.id: links_of(node) for node in all_nodes}
    by_name = {(node.stack_name, node.id.region): node.id for node in all_nodes}
    exporters: dict[tuple[str, str], NodeId] = {}
    for node_id, own in links.items():
        for export in own.exports:
            exporters[export, node_id.region] = node_id

    result: dict[NodeId, frozenset[NodeId]] = {}
    for node_id, own in links.items():
        found = [exporters.get((name, node_id.region)) for name in own.imports]
        found += [by_name.get(stack) for stack in own.stacks]
        result[node_id] = frozenset(other for other in found if other) - {node_id}
    return result


def exported_twice(nodes: Iterable[Node]) -> Iterator[tuple[str, NodeId, NodeId]]:
    """Find the names that two stacks of a region export, with the two stacks.

    A name is unique in an account and region (template reference of Fn::ImportValue). An output whose
    condition is not known may not be there, so it does not count.
    """
    owners: dict[tuple[str, str], NodeId] = {}
    for node in nodes:
        for name in sorted(links_of(node).certain):
            owner = owners.setdefault((name, node.id.region), node.id)
            if owner != node.id:
                yield name, owner, node.id


def _known_values(node: Node) -> dict[str, str | None]:
    """Return the parameters and the pseudo parameters, with the origin of what is known later."""
    values: dict[str, str | None] = {name: f"${{{name}}}" for name in SAME_EVERYWHERE}
    values["AWS::Region"] = node.id.region
    values["AWS::StackName"] = node.stack_name
    for name, value in node.parameters.items():
        if isinstance(value, OutputRef):
            values[name] = f"${{{value.node}.{value.output}}}"
        else:
            values[name] = value
    return values


def _decided_values(node: Node) -> dict[str, str | None]:
    """Return the parameters and the pseudo parameters, None for what is known later."""
    values: dict[str, str | None] = {
        name: value if isinstance(value, str) else None for name, value in node.parameters.items()
    }
    return {**values, "AWS::Region": node.id.region, "AWS::StackName": node.stack_name}


def _arguments(value: object, function: str) -> Iterator[Any]:
    """Find the arguments of a function, anywhere in a part of a template."""
    if isinstance(value, list):
        for item in value:
            yield from _arguments(item, function)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if key == function:
                yield part
            yield from _arguments(part, function)


def _texts(values: Iterable[object]) -> frozenset[str]:
    return frozenset(value for value in values if isinstance(value, str))
