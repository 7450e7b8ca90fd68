"""The same graph as each peer reads it: Sceptre's project, the CDK's cloud assembly, a shell script
around the AWS CLI. Pure.

Each function gives files by their paths. The templates are the graph's own, as JSON.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from shlex import quote
from typing import Any

from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef
from deploytool.localcloud.ministack.emulator import ACCOUNT

Files = Mapping[str, str]
SCEPTRE_GROUP = "bench"

_SCRIPT_HEAD = """set -eu
mkdir -p "$DONE"
value() {  # region, stack, output
    aws cloudformation describe-stacks --region "$1" --stack-name "$2" --output text \\
        --query "Stacks[0].Outputs[?OutputKey=='$3'].OutputValue"
}
deploy() {  # region, stack, template, parameters
    region=$1 stack=$2 template=$3; shift 3
    [ $# = 0 ] || set -- --parameter-overrides "$@"
    aws cloudformation deploy --region "$region" --stack-name "$stack" --template-file "$template" \\
        --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset "$@"
}
after() {  # stacks
    for stack in "$@"; do
        until [ -e "$DONE/$stack" ]; do [ ! -e "$DONE/failed" ] || exit 1; sleep 0.2; done
    done
}
"""


def sceptre(graph: Graph) -> Files:
    """A Sceptre project: a config file a stack, `!stack_output` for what it takes of another."""
    files = _templates(graph)
    files = {f"templates/{name}": text for name, text in files.items()}
    files["config/config.yaml"] = "project_code: bench\nregion: us-east-1\n"
    for region in {node.region for node in graph.nodes}:
        files[f"config/{SCEPTRE_GROUP}/{region}/config.yaml"] = f"region: {region}\n"
    for node in graph.nodes.values():
        # No stack_name: `!stack_output` looks for the name that Sceptre itself makes.
        lines = [f"template: {{type: file, path: {_file(node)}}}"]
        lines += ["parameters:"] if node.parameters else []
        for name, value in node.parameters.items():
            said = (
                json.dumps(value)
                if isinstance(value, str)
                else f"!stack_output {_sceptre_name(value.node)}::{value.output}"
            )
            lines.append(f"  {name}: {said}")
        files[f"config/{_sceptre_name(node.id)}"] = "\n".join(lines) + "\n"
    return files


def _sceptre_name(node: NodeId) -> str:
    return f"{SCEPTRE_GROUP}/{node.region}/{node.stack}.yaml"


def script(graph: Graph, *, side_by_side: bool) -> Files:
    """A shell script around `aws cloudformation deploy`: stack after stack, or each in the
    background once its inputs exist.
    """
    lines = []
    for node in graph.nodes.values():
        given = " ".join(
            f"{name}={_shell_value(graph, value)}" for name, value in node.parameters.items()
        )
        command = f"deploy {node.id.region} {node.stack_name} {_file(node)} {given}".rstrip()
        if side_by_side:
            after = " ".join(["after", *sorted(map(_mark, node.needs))])
            command = f'( trap \'[ $? = 0 ] || : > "$DONE/failed"\' EXIT; {after}; {command}; : > "$DONE/{_mark(node.id)}" ) &'
        lines.append(command)
    end = ["wait", '[ ! -e "$DONE/failed" ]'] if side_by_side else []
    return {**_templates(graph), "deploy.sh": _SCRIPT_HEAD + "\n".join([*lines, *end]) + "\n"}


def _mark(node: NodeId) -> str:
    return f"{node.stack}.{node.region}"


def _shell_value(graph: Graph, value: str | OutputRef) -> str:
    if isinstance(value, str):
        return quote(value)
    return f'"$(value {value.node.region} {graph.nodes[value.node].stack_name} {value.output})"'


def cdk(graph: Graph) -> Files:
    """A cloud assembly, as a CDK app would write it. Values go by export and import, which stay in
    a region.
    """
    local = in_one_region(graph).nodes
    exported = {(ref.node, ref.output) for node in local.values() for ref in node.references()}
    artifacts: dict[str, Any] = {}
    files: dict[str, str] = {}
    for node in local.values():
        name = f"{node.id.stack}-{node.id.region}"
        files[f"{name}.template.json"] = json.dumps(_with_imports(node, exported), indent=1)
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{ACCOUNT}/{node.id.region}",
            "properties": {
                "templateFile": f"{name}.template.json",
                "stackName": node.stack_name,
                "validateOnSynth": False,
            },
            "dependencies": sorted(f"{need.stack}-{need.region}" for need in node.needs),
            "displayName": name,
        }
    files["manifest.json"] = json.dumps({"version": "36.0.0", "artifacts": artifacts}, indent=1)
    return files


def in_one_region(graph: Graph) -> Graph:
    """The graph with a copy of a stack in each other region that takes its outputs.

    So no value crosses regions, as the CDK's exports and imports require.
    """
    nodes: dict[NodeId, Node] = {}
    for node in graph.nodes.values():
        parameters = dict(node.parameters)
        for name, value in node.parameters.items():
            if isinstance(value, OutputRef) and value.node.region != node.id.region:
                copy = NodeId(value.node.stack, node.id.region)
                nodes[copy] = replace(graph.nodes[value.node], id=copy)
                parameters[name] = OutputRef(copy, value.output)
        nodes[node.id] = replace(node, parameters=parameters)
    return replace(graph, nodes=nodes)


def _with_imports(node: Node, exported: set[tuple[NodeId, str]]) -> dict[str, Any]:
    """The node's template with values in the place of its parameters, and exports of what others
    take.
    """
    values: dict[str, Any] = {
        name: value
        if isinstance(value, str)
        else {"Fn::ImportValue": _export(value.node, value.output)}
        for name, value in node.parameters.items()
    }

    def walk(value: Any) -> Any:  # noqa: ANN401  # any node of a template
        match value:
            case {"Ref": str(name)} if name in values:
                return values[name]
            case {"Fn::Sub": str(text)} if any(f"${{{name}}}" in text for name in values):
                return {
                    "Fn::Sub": [
                        text,
                        {name: each for name, each in values.items() if f"${{{name}}}" in text},
                    ]
                }
            case dict():
                return {key: walk(each) for key, each in value.items()}
            case list():
                return [walk(each) for each in value]
        return value

    document: dict[str, Any] = walk(
        {key: each for key, each in node.document.items() if key != "Parameters"}
    )
    for output, spec in document.get("Outputs", {}).items():
        if (node.id, output) in exported:
            spec["Export"] = {"Name": _export(node.id, output)}
    return document


def _export(node: NodeId, output: str) -> str:
    return f"{node.stack}-{output}"


def _file(node: Node) -> str:
    return node.template.file.replace(".yaml", ".json")


def _templates(graph: Graph) -> dict[str, str]:
    return {_file(node): json.dumps(node.document, indent=1) for node in graph.nodes.values()}
