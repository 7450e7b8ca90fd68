"""The ARNs of the resources of a template, as patterns. Pure.

Source: Service Authorization Reference, resource types of each service.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from deploytool.core.permissions.names import BUCKET_LIMIT, NAME_LIMIT, generated
from deploytool.core.permissions.text import texts_of

PARTITION, ACCOUNT = "AWS::Partition", "AWS::AccountId"
STACK_NAME = "AWS::StackName"


@dataclass(frozen=True)
class _Named:
    """A type whose ARN ends in a name that the template can give.

    `limit` is the number of characters of a generated name. `path` is the property that stands
    before the name.
    """

    arn: str
    property: str
    limit: int
    path: str = ""


# {partition} and {account} are replaced. Regions are all: a stack's role is for each of them.
_NAMED: Mapping[str, _Named] = {
    "AWS::S3::Bucket": _Named("arn:{partition}:s3:::", "BucketName", BUCKET_LIMIT),
    "AWS::Lambda::Function": _Named(
        "arn:{partition}:lambda:*:{account}:function:", "FunctionName", NAME_LIMIT
    ),
    "AWS::Logs::LogGroup": _Named(
        "arn:{partition}:logs:*:{account}:log-group:", "LogGroupName", 512
    ),
    "AWS::IAM::Role": _Named("arn:{partition}:iam::{account}:role", "RoleName", NAME_LIMIT, "Path"),
    "AWS::CloudWatch::Alarm": _Named(
        "arn:{partition}:cloudwatch:*:{account}:alarm:", "AlarmName", 255
    ),
    "AWS::Events::Rule": _Named("arn:{partition}:events:*:{account}:rule/", "Name", NAME_LIMIT),
    "AWS::Scheduler::ScheduleGroup": _Named(
        "arn:{partition}:scheduler:*:{account}:schedule-group/", "Name", NAME_LIMIT
    ),
}

# Types of API Gateway whose actions are verbs: type -> path of the management API. {domain} is the
# property DomainName (API Gateway Developer Guide, "Resources format of permissions").
_PATHS: Mapping[str, str] = {
    "AWS::ApiGateway::Account": "/account",
    "AWS::ApiGateway::ApiKey": "/apikeys",
    "AWS::ApiGateway::BasePathMapping": "/domainnames/{domain}/basepathmappings",
    "AWS::ApiGateway::ClientCertificate": "/clientcertificates",
    "AWS::ApiGateway::DomainName": "/domainnames/{domain}",
    "AWS::ApiGateway::RestApi": "/restapis",
    "AWS::ApiGateway::UsagePlan": "/usageplans",
    "AWS::ApiGateway::UsagePlanKey": "/usageplans/*/keys",
    "AWS::ApiGateway::VpcLink": "/vpclinks",
    "AWS::ApiGatewayV2::Api": "/apis",
    "AWS::ApiGatewayV2::ApiMapping": "/domainnames/{domain}/apimappings",
    "AWS::ApiGatewayV2::DomainName": "/domainnames/{domain}",
    "AWS::ApiGatewayV2::VpcLink": "/vpclinks",
}


def arns_of(
    kind: str, logical_id: str, resource: Mapping[str, Any], known: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the ARNs that a resource may have; none for a type that is not known here.

    `known` are the values of parameters and pseudo parameters, the stack's name among them. What is
    not known is `*` in an ARN. A name of which not even the beginning is known gives no ARN.
    """
    properties = resource.get("Properties")
    if not isinstance(properties, Mapping):
        properties = {}
    partition = known.get(PARTITION, "aws")

    if kind in _PATHS:
        path = _PATHS[kind]
        domains = texts_of(properties.get("DomainName"), known) if "{domain}" in path else ("",)
        sure = [domain for domain in domains if not domain.startswith("*")]
        return tuple(
            f"arn:{partition}:apigateway:*::{path.format(domain=domain)}" for domain in sure
        )
    # A rule of another bus has the bus in its ARN.
    if kind in _NAMED and "EventBusName" not in properties:
        account = known.get(ACCOUNT, "*")
        return _named_arns(_NAMED[kind], logical_id, properties, known, partition, account)
    return ()


def _named_arns(
    named: _Named,
    logical_id: str,
    properties: Mapping[str, Any],
    known: Mapping[str, str],
    partition: str,
    account: str,
) -> tuple[str, ...]:
    value = properties.get(named.property)
    names = list(texts_of(value, known))
    # A name of which one branch is AWS::NoValue can be a generated one.
    if value is None or "AWS::NoValue" in str(value):
        name = logical_id.lower() if named.limit == BUCKET_LIMIT else logical_id
        names.append(generated(known[STACK_NAME], name, named.limit))

    beginnings: tuple[str, ...] = ("",)
    if named.path:
        beginnings = texts_of(properties.get(named.path, "/"), known)
    prefix = named.arn.format(partition=partition, account=account)
    full = [beginning + name for beginning, name in product(beginnings, names)]
    return tuple(prefix + name for name in full if not name.startswith("*"))
