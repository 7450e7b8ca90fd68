"""The graph as each peer reads it. Pure.

That is Sceptre's project, the CDK's cloud assembly, and a shell script around the AWS CLI. Each
function returns files by their paths. The templates are the graph's own, as JSON.
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
    """Return a Sceptre project: one config file for each stack.

    What a stack takes from another is `!stack_output`.
    """
    files = {f"templates/{name}": text for name, text in _templates(graph).items()}
    files["config/config.yaml"] = "project_code: bench\nregion: us-east-1\n"
    for region in {node.region for node in graph.nodes}:
        files[f"config/{SCEPTRE_GROUP}/{region}/config.yaml"] = f"region: {region}\n"
    for node in graph.nodes.values():
        files[f"config/{_sceptre_name(node.id)}"] = _sceptre_config(node)
    return files


def _sceptre_config(node: Node) -> str:
    # Without stack_name: `!stack_output` looks for the name that Sceptre itself chooses.
    lines = [f"template: {{type: file, path: {_file(node)}}}"]
    if node.parameters:
        lines.append("parameters:")
    for name, value in node.parameters.items():
        if isinstance(value, OutputRef):
            text = f"!stack_output {_sceptre_name(value.node)}::{value.output}"
        else:
            text = json.dumps(value)
        lines.append(f"  {name}: {text}")
    return "\n".join(lines) + "\n"


def _sceptre_name(node: NodeId) -> str:
    return f"{SCEPTRE_GROUP}/{node.region}/{node.stack}.yaml"


def script(graph: Graph, *, side_by_side: bool) -> Files:
    """Return a shell script around `aws cloudformation deploy`.

    It deploys stack after stack, or each in the background as soon as its inputs exist.
    """
    lines = []
    for node in graph.nodes.values():
        command = _deploy_command(graph, node)
        lines.append(_in_background(node, command) if side_by_side else command)
    if side_by_side:
        lines += ["wait", '[ ! -e "$DONE/failed" ]']
    return {**_templates(graph), "deploy.sh": _SCRIPT_HEAD + "\n".join(lines) + "\n"}


def _deploy_command(graph: Graph, node: Node) -> str:
    words = ["deploy", node.id.region, node.stack_name, _file(node)]
    for name, value in node.parameters.items():
        words.append(f"{name}={_shell_value(graph, value)}")
    return " ".join(words)


def _in_background(node: Node, command: str) -> str:
    """Return the command in a subshell that waits for the stacks that the node needs.

    A failure leaves the file `failed`, which ends the others' waiting.
    """
    on_exit = "trap '[ $? = 0 ] || : > \"$DONE/failed\"' EXIT"
    after = " ".join(["after", *sorted(_mark(need) for need in node.needs)])
    done = f': > "$DONE/{_mark(node.id)}"'
    return f"( {on_exit}; {after}; {command}; {done} ) &"


def _mark(node: NodeId) -> str:
    """Return the name of the file that says that a stack is done."""
    return f"{node.stack}.{node.region}"


def _shell_value(graph: Graph, value: str | OutputRef) -> str:
    if isinstance(value, str):
        return quote(value)
    return f'"$(value {value.node.region} {graph.nodes[value.node].stack_name} {value.output})"'


def cdk(graph: Graph) -> Files:
    """Return a cloud assembly, as a CDK app writes it.

    Values go from stack to stack by export and import, which stay in a region.
    """
    nodes = in_one_region(graph).nodes
    exported: set[tuple[NodeId, str]] = set()
    for node in nodes.values():
        exported.update((ref.node, ref.output) for ref in node.references())

    files: dict[str, str] = {}
    artifacts: dict[str, Any] = {}
    for node in nodes.values():
        name = _artifact(node.id)
        template = f"{name}.template.json"
        files[template] = json.dumps(_with_imports(node, exported), indent=1)
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{ACCOUNT}/{node.id.region}",
            "properties": {
                "templateFile": template,
                "stackName": node.stack_name,
                "validateOnSynth": False,
            },
            "dependencies": sorted(_artifact(need) for need in node.needs),
            "displayName": name,
        }
    files["manifest.json"] = json.dumps({"version": "36.0.0", "artifacts": artifacts}, indent=1)
    return files


def _artifact(node: NodeId) -> str:
    return f"{node.stack}-{node.region}"


def in_one_region(graph: Graph) -> Graph:
    """Return the graph with a copy of a stack in each other region that takes its outputs.

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
    """Return the node's template without parameters.

    Their values stand in their place, and the outputs that other stacks take are exported.
    """
    values: dict[str, Any] = {}
    for name, value in node.parameters.items():
        values[name] = value
        if isinstance(value, OutputRef):
            values[name] = {"Fn::ImportValue": _export(value.node, value.output)}

    template = {key: value for key, value in node.document.items() if key != "Parameters"}
    document: dict[str, Any] = _replaced(template, values)
    for output, spec in document.get("Outputs", {}).items():
        if (node.id, output) in exported:
            spec["Export"] = {"Name": _export(node.id, output)}
    return document


def _replaced(value: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401  # any part of a template
    """Return a part of a template with `values` in the place of the references to them."""
    match value:
        case {"Ref": str(name)} if name in values:
            return values[name]
        case {"Fn::Sub": str(text)}:
            used = {name: item for name, item in values.items() if f"${{{name}}}" in text}
            return {"Fn::Sub": [text, used]} if used else value
        case dict():
            return {key: _replaced(item, values) for key, item in value.items()}
        case list():
            return [_replaced(item, values) for item in value]
    return value


def _export(node: NodeId, output: str) -> str:
    return f"{node.stack}-{output}"


def _file(node: Node) -> str:
    return node.template.file.replace(".yaml", ".json")


def _templates(graph: Graph) -> dict[str, str]:
    return {_file(node): json.dumps(node.document, indent=1) for node in graph.nodes.values()}
