"""Judge quotas: what is used, what the stages will create, and the room that is left. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from deploytool.core.doctor.finding import Finding, Topic
from deploytool.core.project.expressions import Evaluator
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.stacks.stack import Stack, StackStatus
from deploytool.core.transforms import declared_resources

DOMAIN_NAMES = frozenset({"AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName"})
HOSTED_ZONES = frozenset({"AWS::Route53::HostedZone"})
HEALTH_CHECKS = frozenset({"AWS::Route53::HealthCheck"})
FUNCTIONS = frozenset({"AWS::Lambda::Function", "AWS::Serverless::Function"})

# Service code and quota code. API Gateway Developer Guide, "Quotas for configuring and running a
# REST API" links "Public custom domain names per account per Region" to L-A93447B8. It is the quota
# of HTTP APIs too ("Quotas for configuring and running an HTTP API").
DOMAIN_NAME_QUOTA = ("apigateway", "L-A93447B8")
# "Concurrent executions" (AWS General Reference, "AWS Lambda endpoints and quotas").
CONCURRENCY_QUOTA = ("lambda", "L-B99A9384")
# Where Route 53's quotas are raised: in us-east-1 alone (Route 53 Developer Guide, "Quotas").
ROUTE53_QUOTAS = (
    "https://us-east-1.console.aws.amazon.com/servicequotas/home/services/route53/quotas"
)

# Lambda Developer Guide, "Lambda quotas": 1,000 by default, and less in new accounts.
DEFAULT_CONCURRENCY = 1000
# Below this one busy minute throttles. Route 53's checkers alone make about one call a second.
FEW_EXECUTIONS = 100

# A stack with one of these statuses has no resources.
_EMPTY = frozenset({StackStatus.REVIEW_IN_PROGRESS, StackStatus.ROLLBACK_COMPLETE})


@dataclass(frozen=True)
class Usage:
    """A quota: how many there may be, and how many there are."""

    limit: int
    used: int


@dataclass(frozen=True)
class Concurrency:
    """How many functions of a region may run at once, and how many of that no function reserves."""

    limit: int
    unreserved: int


def to_create(
    graph: Graph, deployed: Mapping[NodeId, Stack], types: Collection[str], region: str = ""
) -> int:
    """Return how many resources of these types the stacks have that do not exist yet.

    With `region` only its stacks count. A resource whose condition is not known counts.
    """
    nodes = [node for node in graph.nodes.values() if region in ("", node.id.region)]
    missing = [node for node in nodes if _is_missing(deployed.get(node.id))]
    return _count(missing, types)


def in_region(graph: Graph, types: Collection[str], region: str) -> int:
    """Return how many resources of these types a stage has in a region, deployed or not."""
    return _count((node for node in graph.nodes.values() if node.id.region == region), types)


def judge_room(topic: Topic, usage: Usage, needed: int, more: str) -> Finding:
    """Judge whether a quota has room for `needed` more. `more` says how to get a higher one."""
    message = f"{usage.used} of {usage.limit} used, {needed} more needed"
    if not needed:
        message = f"{usage.used} of {usage.limit} used, no more needed"
    if needed > usage.limit - usage.used:
        return topic.problem(f"{message}: not enough room", more)
    return topic.ok(message)


def judge_concurrency(
    region: str, own: Concurrency, primary: Concurrency | None, functions: int
) -> Finding:
    """Judge how many functions may run at once in a region.

    `primary` has that of the primary region, for the region that takes over its traffic. `functions`
    is the number of the stages' functions there.
    """
    topic = Topic(f"quota.concurrency.{region}", f"Lambda {region}")
    more = increase(CONCURRENCY_QUOTA, max(DEFAULT_CONCURRENCY, own.limit + 1), region)
    noun = "function" if functions == 1 else "functions"
    message = f"{own.unreserved:,} of {own.limit:,} executions free, for {functions} {noun}"
    if own.unreserved < FEW_EXECUTIONS:
        return topic.warning(f"{message}: others are throttled", more)
    if primary is not None and own.limit < primary.limit:
        return topic.warning(
            f"{message}, fewer than the primary's {primary.limit:,}: after a failover this region"
            " may throttle what the primary served",
            increase(CONCURRENCY_QUOTA, primary.limit, region),
        )
    return topic.ok(message)


def increase(quota: tuple[str, str], value: int, region: str) -> str:
    """Return the command that asks AWS for a higher quota."""
    service, code = quota
    return (
        f"aws service-quotas request-service-quota-increase --service-code {service}"
        f" --quota-code {code} --desired-value {value} --region {region}"
    )


def _is_missing(stack: Stack | None) -> bool:
    return stack is None or stack.status in _EMPTY


def _count(nodes: Iterable[Node], types: Collection[str]) -> int:
    count = 0
    for node in nodes:
        # Outputs of other stacks are not known yet
        known = {
            name: value if isinstance(value, str) else None
            for name, value in node.parameters.items()
        }
        evaluator = Evaluator(node.document, {**known, **node.pseudo_parameters})
        for resource in declared_resources(node.document).values():
            if resource.get("Type") in types and evaluator.has_resource(resource) is not False:
                count += 1
    return count
