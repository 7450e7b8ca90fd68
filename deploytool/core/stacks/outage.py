"""A deployment while the API of a region does not answer: what it keeps and what it leaves. Pure.

The control planes of Route 53, IAM and CloudFront are in us-east-1 (AWS Fault Isolation Boundaries,
"Global services"). While its API does not answer, no stack of any region can change their resources.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploytool.core.errors import ApiUnavailable
from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef
from deploytool.core.stacks.changes import DeployedTemplate, Effect, ResourceChange
from deploytool.core.stacks.stack import Stack
from deploytool.core.stacks.templatediff import creations, estimate
from deploytool.core.transforms import declared_resources, transforms_of

# The region of the control planes of the global services.
GLOBAL_REGION = "us-east-1"

# The global service whose API CloudFormation calls for a type, by the start of the type's name. A
# certificate is validated by records that CloudFormation creates through Route 53's API (template
# reference of AWS::CertificateManager::Certificate). A nested stack may have resources of any type.
GLOBAL_APIS: Mapping[str, str] = {
    "AWS::Route53::": "Route 53",
    "AWS::IAM::": "IAM",
    "AWS::CloudFront::": "CloudFront",
    "AWS::CertificateManager::Certificate": "Route 53",
    "AWS::CloudFormation::Stack": "perhaps Route 53 or IAM",
}


@dataclass(frozen=True)
class Found:
    """The stacks of a graph that exist, as far as the APIs of the regions answer.

    `unreachable` has the error of each region whose API does not answer. `global_apis` is false
    when that of us-east-1 does not, which need not be a region of the graph.
    """

    deployed: Mapping[NodeId, Stack]
    unreachable: Mapping[str, ApiUnavailable] = field(default_factory=dict)
    global_apis: bool = True

    @property
    def regions(self) -> frozenset[str]:
        """The regions of the graph whose API does not answer."""
        return frozenset(self.unreachable)

    @property
    def dead_regions(self) -> tuple[str, ...]:
        """The same, with us-east-1 when its API does not answer, sorted."""
        if self.global_apis:
            return tuple(sorted(self.regions))
        return tuple(sorted(self.regions | {GLOBAL_REGION}))


@dataclass(frozen=True)
class Inputs:
    """The parameters of a stack, as far as they are known.

    `kept` are the parameters that keep the value of the deployed stack, because the API of the
    region that gives them does not answer; `values` has them as DescribeStacks shows them.
    `unknown` are the outputs that such a region gives and for which no value is deployed. `absent`
    are the outputs that stacks of the other regions do not have.
    """

    values: Mapping[str, str]
    kept: Mapping[str, OutputRef] = field(default_factory=dict)
    unknown: tuple[OutputRef, ...] = ()
    absent: tuple[OutputRef, ...] = ()


def inputs_of(
    node: Node,
    outputs: Mapping[NodeId, Mapping[str, str]],
    deployed: Stack | None,
    unknown: Collection[NodeId] = (),
) -> Inputs:
    """Return the parameters of a stack from the outputs of the others.

    `unknown` are the nodes whose state this run cannot know or bring about. An output of theirs
    that is not in `outputs` leaves the parameter as the `deployed` stack has it.
    """
    values: dict[str, str] = {}
    kept: dict[str, OutputRef] = {}
    missing: list[OutputRef] = []
    deployed_values = deployed.parameters if deployed else {}
    for name, value in node.parameters.items():
        if isinstance(value, str):
            values[name] = value
        elif value.output in outputs.get(value.node, {}):
            values[name] = outputs[value.node][value.output]
        elif value.node in unknown and name in deployed_values:
            values[name] = deployed_values[name]
            kept[name] = value
        else:
            missing.append(value)

    return Inputs(
        values,
        kept,
        unknown=tuple(ref for ref in missing if ref.node in unknown),
        absent=tuple(ref for ref in missing if ref.node not in unknown),
    )


def unknown_buckets(
    node: Node, outputs: Mapping[NodeId, Mapping[str, str]], unknown: Collection[NodeId]
) -> tuple[OutputRef, ...]:
    """Return the buckets of a stack's packages that this run cannot know, and so not fill."""
    buckets = dict.fromkeys(upload.bucket for upload in node.uploads)
    return tuple(
        bucket
        for bucket in buckets
        if bucket.node in unknown and bucket.output not in outputs.get(bucket.node, {})
    )


def global_api_of(resource_type: str) -> str | None:
    """Return the global service that CloudFormation calls for a type of resource, or None."""
    for prefix, api in GLOBAL_APIS.items():
        if resource_type.startswith(prefix):
            return api
    return None


def has_global_resources(document: Mapping[str, Any]) -> bool:
    """Return whether a template has, or may have, resources of the global services."""
    if transforms_of(document):
        return True
    resources = declared_resources(document).values()
    return any(global_api_of(str(spec.get("Type", ""))) for spec in resources)


def changes_of_update(
    node: Node, before: DeployedTemplate, inputs: Inputs, *, same_tags: bool
) -> Sequence[ResourceChange]:
    """Return what an update may change, as far as the templates tell.

    CloudFormation gives the tags of a stack to its resources (User Guide, "Resource tag"), so other
    tags may change each of them.
    """
    changes = estimate(before, node.document, inputs.values, same=inputs.kept.keys())
    if not same_tags:
        return (*changes, *creations(node.document, {**inputs.values, **node.pseudo_parameters}))
    return changes


def global_needs(document: Mapping[str, Any], changes: Iterable[ResourceChange]) -> tuple[str, ...]:
    """Return what changes need of the global services, like `IAM for Role (AWS::IAM::Role)`.

    The resources of a template with a Transform are known only to CloudFormation.
    """
    needs = [
        f"{api} for {change.logical_id} ({change.type})"
        for change in changes
        if change.effect is not Effect.RETAIN
        if (api := global_api_of(change.type))
    ]
    if document.get("Transform"):
        needs.append("perhaps Route 53 or IAM for what its Transform creates")
    return tuple(needs)


def reason_of_unknown(refs: Sequence[OutputRef], unreachable: Collection[str]) -> str:
    """Return why a stack is left that needs these outputs."""
    names = ", ".join(dict.fromkeys(f"{ref.node}.{ref.output}" for ref in refs))
    dead = sorted({ref.node.region for ref in refs} & set(unreachable))
    if dead:
        return f"needs {names}, and the API of {' and '.join(dead)} does not answer"
    return f"needs {names}, whose stack is left"


def reason_of_needs(needs: Sequence[str]) -> str:
    """Return why a stack is left whose change needs the global services."""
    return f"its change needs {', '.join(needs)}, and the API of {GLOBAL_REGION} does not answer"


def unknown_nodes(graph: Graph, unreachable: Collection[str]) -> Iterator[NodeId]:
    """Find the nodes of the regions whose API does not answer."""
    return (node for node in graph.nodes if node.region in unreachable)


def refusal_of_unreachable(
    graph: Graph, found: Found, chosen: Collection[NodeId], *, options: str = ""
) -> ApiUnavailable | None:
    """Return why a deployment of the chosen stacks cannot start, or None.

    It cannot when one of them is in a region whose API does not answer. `options` are added to the
    command in the hint.
    """
    dead = sorted({node.region for node in chosen} & found.regions)
    if not dead:
        return None

    subject = (
        f"the API of {dead[0]} does" if len(dead) == 1 else f"the APIs of {' and '.join(dead)} do"
    )
    causes = "\n".join(str(found.unreachable[region]) for region in dead)
    message = f"{subject} not answer; nothing was changed\n{causes}"
    living = [region for region in graph.regions if region not in found.regions]
    if not living:
        hint = "check the network connection and AWS_ENDPOINT_URL, and try again"
    else:
        regions = " ".join(f"--region {region}" for region in living)
        command = f"deploytool deploy --stage {graph.stage} {regions}{options}"
        hint = f"{command} changes what does not need {' or '.join(dead)}"
    return ApiUnavailable(message, dead[0], hint=hint)


def refusal_of_deletion(found: Found) -> ApiUnavailable | None:
    """Return why nothing is deleted while the API of a region does not answer, or None."""
    for region, error in found.unreachable.items():
        return ApiUnavailable(
            f"the API of {region} does not answer; nothing was deleted\n{error}",
            region,
            hint=f"run the command again when {region} answers: it deletes the stacks of all"
            " regions, in reverse order",
        )
    return None
