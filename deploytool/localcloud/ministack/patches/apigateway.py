"""API Gateway's custom domain names, and its answers when a function fails.

A custom domain has the region's hosted zone, a target name of its own and a certificate that covers
it. Sources: AWS General Reference, "Amazon API Gateway endpoints and quotas" (the hosted zone ids of
regional endpoints); API Gateway Developer Guide, "Setting up a regional custom domain name" (the
certificate is in the API's own region and covers the name); Lambda Developer Guide, "Handling
Lambda errors with an API Gateway API" (500 when Lambda rejects the invocation, as it does when it
throttles, 502 when the function fails; the same body for both); "Custom domain name for public REST
APIs" ("A custom domain name must be unique within a Region across all AWS accounts"). Zappa's list
of common errors quotes the answer of CreateDomainName for a name that exists; version 2 of the API
answers with a ConflictException (API Gateway Version 2 API Reference, DomainNames).
"""

import json
import secrets
from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from deploytool.localcloud.edges.gateway import covers
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "apigateway_v1._create_domain_name": "no rule is checked; each region has the same hosted zone",
    "apigateway._create_domain_name": "no rule is checked; each region has the same hosted zone",
    "AWS::ApiGateway::DomainName.update": "an update creates the domain again",
    "AWS::ApiGateway::RestApi.create": "DisableExecuteApiEndpoint and ApiKeySourceType are dropped",
    "apigateway_v1._lambda_proxy_response": "clients see Lambda's own error and status",
}

# The hosted zone of each region's endpoints: only ids on which two independent lists of the
# reference's table agree.
HOSTED_ZONES = {
    "us-east-1": "Z1UJRXOUMOOFQ8",
    "us-east-2": "ZOJJZC49E0EPZ",
    "us-west-1": "Z2MUQ32089INYE",
    "us-west-2": "Z2OJLYMUO9EFXC",
    "ap-northeast-1": "Z1YSHQZHG15GKL",
    "ap-northeast-2": "Z20JF4UZKIW1U8",
    "ap-south-1": "Z3VO1THU9YC4UR",
    "ap-southeast-1": "ZL327KTPIQFUL",
    "ap-southeast-2": "Z2RPCDW04V8134",
    "ca-central-1": "Z19DQILCV0OWEC",
    "eu-central-1": "Z1U9ULNL0V5AJ3",
    "eu-west-1": "ZLY8HYME6SFDD",
    "eu-west-2": "ZJ5UAJN8Y3Z2Q",
    "eu-west-3": "Z3KY65QIEKYHQQ",
    "sa-east-1": "ZCMLWB8V5SYIT",
}
_REST_API = "AWS::ApiGateway::RestApi"
_DOMAIN_NAME = "AWS::ApiGateway::DomainName"
_EXISTS = "The domain name you provided already exists."
# Properties of a REST API that MiniStack drops, with their paths in UpdateRestApi
_DROPPED_PROPERTIES = {
    "DisableExecuteApiEndpoint": "/disableExecuteApiEndpoint",
    "ApiKeySourceType": "/apiKeySource",
}

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class DomainRequest:
    """A request to create a custom domain name in a region."""

    region: str
    name: str
    types: tuple[str, ...]
    certificate_arn: str
    policy: str
    mutual_tls: bool


class DomainRules:
    """The reasons to refuse a custom domain name.

    `regions` are those with an edge. `is_issued` returns whether a certificate is issued.
    """

    def __init__(
        self,
        ministack: MiniStack,
        regions: Collection[str],
        is_issued: Callable[[dict[str, Any]], bool],
    ) -> None:
        self._acm = ministack.acm
        self._regions = regions
        self._is_issued = is_issued

    def refusal(self, request: DomainRequest) -> str:
        """Return the reason to refuse the request; empty when there is none."""
        return self._about_endpoint(request) or self._about_certificate(request)

    def _about_endpoint(self, request: DomainRequest) -> str:
        region = request.region
        if region not in HOSTED_ZONES or region not in self._regions:
            return f"The local cloud has no edge in {region}, only in {', '.join(self._regions)}."
        if request.types != ("REGIONAL",):
            types = ", ".join(request.types)
            return f"The local cloud has regional endpoints only, not {types}."
        if request.mutual_tls:
            return "Mutual TLS is not supported on the local cloud."
        if request.policy == "TLS_1_0" or "_1_3_" in request.policy:
            return (
                "The local cloud's edges take TLS 1.2 and 1.3, "
                f"which is not what {request.policy} says."
            )
        return ""

    def _about_certificate(self, request: DomainRequest) -> str:
        arn = request.certificate_arn
        certificate = self._acm._certificates.get(arn)
        if certificate is None:
            return (
                f"Invalid certificate ARN: {arn or '(none)'}. "
                f"Certificate must be in '{request.region}'."
            )
        if not self._is_issued(certificate):
            return f"The certificate {arn} is {certificate['Status']}, not ISSUED."

        names = (certificate["DomainName"], *certificate["SubjectAlternativeNames"])
        if not covers(names, request.name):
            return f"The certificate {arn} does not cover {request.name}."
        return ""


def install(patcher: Patcher, rules: DomainRules) -> None:
    """Check the rules wherever MiniStack creates a custom domain, and correct its answers.

    There are two such places: v1 of the API, which CloudFormation uses too, and v2.
    """
    _install_domains_v1(patcher, rules)
    _install_domains_v2(patcher, rules)
    _install_rest_api(patcher)
    _install_function_errors(patcher)


def _install_domains_v1(patcher: Patcher, rules: DomainRules) -> None:
    ministack = patcher.ministack
    v1 = ministack.apigateway_v1
    # The domain that CloudFormation updates, which MiniStack does by creating it again
    updating: ContextVar[str] = ContextVar("updating_domain", default="")

    def create_domain_name(data: Mapping[str, Any]) -> Answer:
        name = data.get("domainName", "")
        request = DomainRequest(
            region=ministack.responses.get_region(),
            name=name,
            types=tuple((data.get("endpointConfiguration") or {}).get("types") or ("EDGE",)),
            certificate_arn=data.get("regionalCertificateArn", ""),
            policy=data.get("securityPolicy", "TLS_1_2"),
            mutual_tls=bool(data.get("mutualTlsAuthentication")),
        )
        answer: Answer
        refusal = rules.refusal(request)
        if refusal:
            answer = v1._v1_error("BadRequestException", refusal, 400)
            return answer

        before = v1._domain_names.get(name)
        if before and updating.get() != name:
            answer = v1._v1_error("BadRequestException", _EXISTS, 400)
            return answer

        # A domain that is updated keeps its target.
        answer = create_original(data)
        if answer[0] < 400:
            answer = v1._v1_response(_set_target(ministack, name, before), 201)
        return answer

    def update(physical_id: str, *arguments: Any) -> tuple[str, dict[str, Any]]:
        token = updating.set(physical_id)
        try:
            resource: tuple[str, dict[str, Any]] = update_original(physical_id, *arguments)
        finally:
            updating.reset(token)
        return resource

    create_original = patcher.replace("apigateway_v1._create_domain_name", create_domain_name)
    update_original = patcher.handler(_DOMAIN_NAME)["update"]
    patcher.replace_operation(_DOMAIN_NAME, "update", update)


def _install_domains_v2(patcher: Patcher, rules: DomainRules) -> None:
    ministack = patcher.ministack
    v1 = ministack.apigateway_v1
    v2 = ministack.apigateway

    def create_domain_name(data: Mapping[str, Any]) -> Answer:
        name = data.get("domainName", "")
        configuration = (data.get("domainNameConfigurations") or [{}])[0]
        request = DomainRequest(
            region=ministack.responses.get_region(),
            name=name,
            types=(configuration.get("endpointType", "REGIONAL"),),
            certificate_arn=configuration.get("certificateArn", ""),
            policy=configuration.get("securityPolicy", "TLS_1_2"),
            mutual_tls=bool(data.get("mutualTlsAuthentication")),
        )
        answer: Answer
        refusal = rules.refusal(request)
        if refusal:
            answer = v2._apigw_error("BadRequestException", refusal, 400)
            return answer
        if name in v1._domain_names:
            answer = v2._apigw_error("ConflictException", _EXISTS, 409)
            return answer

        answer = create_original(data)
        if answer[0] < 400:
            domain = _set_target(ministack, name, None)
            answer = v2._apigw_response(v2._domain_view(domain), 201)
        return answer

    create_original = patcher.replace("apigateway._create_domain_name", create_domain_name)


def _set_target(
    ministack: MiniStack, name: str, before: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Give a domain the target that AWS gives it, and return the domain.

    The target is a name of its own in the region, with the region's hosted zone. `before` is the
    domain of that name until now, whose target stays.
    """
    region = ministack.responses.get_region()
    if before:
        target = before["regionalDomainName"]
    else:
        target = f"d-{secrets.token_hex(5)}.execute-api.{region}.amazonaws.com"

    domain: dict[str, Any] = ministack.apigateway_v1._domain_names[name]
    domain["regionalDomainName"] = target
    domain["regionalHostedZoneId"] = HOSTED_ZONES[region]
    domain["domainNameStatus"] = "AVAILABLE"
    return domain


def _install_rest_api(patcher: Patcher) -> None:
    v1 = patcher.ministack.apigateway_v1
    create_original = patcher.handler(_REST_API)["create"]

    def create(
        logical_id: str, properties: Mapping[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        resource: tuple[str, dict[str, Any]] = create_original(logical_id, properties, stack_name)
        operations = [
            {"op": "replace", "path": path, "value": properties[name]}
            for name, path in _DROPPED_PROPERTIES.items()
            if name in properties
        ]
        status, _, body = v1._update_rest_api(resource[0], {"patchOperations": operations})
        if status >= 400:
            raise ValueError(f"{_REST_API} create failed: {json.loads(body)}")
        return resource

    patcher.replace_operation(_REST_API, "create", create)


def _install_function_errors(patcher: Patcher) -> None:
    def lambda_proxy_response(
        result: Mapping[str, Any],
    ) -> tuple[dict[str, Any] | None, str | None]:
        if result.get("throttle"):
            return _internal_error(500), None
        if result.get("error"):
            return _internal_error(502), None
        answer: tuple[dict[str, Any] | None, str | None] = response_original(result)
        return answer

    response_original = patcher.replace(
        "apigateway_v1._lambda_proxy_response", lambda_proxy_response
    )


def _internal_error(status: int) -> dict[str, Any]:
    headers = {"x-amzn-errortype": "InternalServerErrorException"}
    return {
        "statusCode": status,
        "headers": headers,
        "body": json.dumps({"message": "Internal server error"}),
    }
