"""API Gateway's custom domain names as AWS has them: the region's hosted zone, a target name of
their own, a fitting certificate; the answers when a function cannot be invoked or fails.

Sources: AWS General Reference, "Amazon API Gateway endpoints and quotas" (the hosted zone ids of
regional endpoints); API Gateway Developer Guide, "Setting up a regional custom domain name" (the
certificate is in the API's own region and covers the name); Lambda Developer Guide, "Handling
Lambda errors with an API Gateway API" (500 when Lambda rejects the invocation, as it does when it
throttles, 502 when the function fails; the same body for both).
"""

import json
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.localcloud.edges.gateway import covers
from deploytool.localcloud.ministack.emulator import MiniStack

# Only ids that two independent lists of the reference's table agree on.
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

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Wanted:
    """A custom domain name as asked for: where, its endpoint types, certificate and security
    policy.
    """

    region: str
    name: str
    types: tuple[str, ...]
    certificate_arn: str
    policy: str
    mutual_tls: bool


class DomainRules:
    """Why a custom domain name cannot be had. `regions` are those with an edge; `is_issued` says it
    of a certificate.
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

    def refusal(self, wanted: Wanted) -> str:
        """The reason, empty when there is none."""
        return self._about_endpoint(wanted) or self._about_certificate(wanted)

    def _about_endpoint(self, wanted: Wanted) -> str:
        if wanted.region not in HOSTED_ZONES or wanted.region not in self._regions:
            return f"The local cloud has no edge in {wanted.region}, only in {', '.join(self._regions)}."
        if wanted.types != ("REGIONAL",):
            return f"The local cloud has regional endpoints only, not {', '.join(wanted.types)}."
        if wanted.mutual_tls:
            return "Mutual TLS is not supported on the local cloud."
        if wanted.policy == "TLS_1_0" or "_1_3_" in wanted.policy:
            return f"The local cloud's edges take TLS 1.2 and 1.3, which is not what {wanted.policy} says."
        return ""

    def _about_certificate(self, wanted: Wanted) -> str:
        arn = wanted.certificate_arn
        certificate = self._acm._certificates.get(arn)
        if certificate is None:
            return f"Invalid certificate ARN: {arn or '(none)'}. Certificate must be in '{wanted.region}'."
        if not self._is_issued(certificate):
            return f"The certificate {arn} is {certificate['Status']}, not ISSUED."
        if not covers(
            (certificate["DomainName"], *certificate["SubjectAlternativeNames"]), wanted.name
        ):
            return f"The certificate {arn} does not cover {wanted.name}."
        return ""


def install(ministack: MiniStack, rules: DomainRules) -> None:
    """Put the rules before MiniStack's two ways to make a custom domain (v1, which CloudFormation
    uses too, and v2).
    """
    _install_domains_v1(ministack, rules)
    _install_domains_v2(ministack, rules)
    _install_rest_api(ministack)
    _install_function_errors(ministack)


def _install_domains_v1(ministack: MiniStack, rules: DomainRules) -> None:
    v1 = ministack.apigateway_v1
    theirs = v1._create_domain_name

    def create_domain_name(data: Mapping[str, Any]) -> Answer:
        name = data.get("domainName", "")
        wanted = Wanted(
            region=ministack.responses.get_region(),
            name=name,
            types=tuple((data.get("endpointConfiguration") or {}).get("types") or ("EDGE",)),
            certificate_arn=data.get("regionalCertificateArn", ""),
            policy=data.get("securityPolicy", "TLS_1_2"),
            mutual_tls=bool(data.get("mutualTlsAuthentication")),
        )
        refusal = rules.refusal(wanted)
        if refusal:
            refused: Answer = v1._v1_error("BadRequestException", refusal, 400)
            return refused
        # CloudFormation's update comes here too: the domain keeps its target then.
        before = v1._domain_names.get(name)
        answer: Answer = theirs(data)
        if answer[0] >= 400:
            return answer
        record = _finish(ministack, name, before)
        made: Answer = v1._v1_response(record, 201)
        return made

    v1._create_domain_name = create_domain_name


def _install_domains_v2(ministack: MiniStack, rules: DomainRules) -> None:
    v1, v2 = ministack.apigateway_v1, ministack.apigateway
    theirs = v2._create_domain_name

    def create_domain_name(data: Mapping[str, Any]) -> Answer:
        name = data.get("domainName", "")
        configuration = (data.get("domainNameConfigurations") or [{}])[0]
        wanted = Wanted(
            region=ministack.responses.get_region(),
            name=name,
            types=(configuration.get("endpointType", "REGIONAL"),),
            certificate_arn=configuration.get("certificateArn", ""),
            policy=configuration.get("securityPolicy", "TLS_1_2"),
            mutual_tls=bool(data.get("mutualTlsAuthentication")),
        )
        refusal = rules.refusal(wanted)
        if refusal:
            refused: Answer = v2._apigw_error("BadRequestException", refusal, 400)
            return refused
        before = v1._domain_names.get(name)
        answer: Answer = theirs(data)
        if answer[0] >= 400:
            return answer
        made: Answer = v2._apigw_response(v2._domain_view(_finish(ministack, name, before)), 201)
        return made

    v2._create_domain_name = create_domain_name


def _finish(ministack: MiniStack, name: str, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give a new domain the target that AWS would: a name of its own in the region, with the
    region's hosted zone.
    """
    region = ministack.responses.get_region()
    record: dict[str, Any] = ministack.apigateway_v1._domain_names[name]
    target = (
        before["regionalDomainName"]
        if before
        else f"d-{secrets.token_hex(5)}.execute-api.{region}.amazonaws.com"
    )
    record.update(
        {
            "regionalDomainName": target,
            "regionalHostedZoneId": HOSTED_ZONES[region],
            "domainNameStatus": "AVAILABLE",
        }
    )
    return record


def _install_rest_api(ministack: MiniStack) -> None:
    """MiniStack's CloudFormation forgets DisableExecuteApiEndpoint and ApiKeySourceType when it
    creates an API.
    """
    handler = ministack.provisioners._RESOURCE_HANDLERS[_REST_API]
    theirs = handler["create"]

    def create(
        logical_id: str, properties: Mapping[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        made: tuple[str, dict[str, Any]] = theirs(logical_id, properties, stack_name)
        operations = [
            {"op": "replace", "path": path, "value": properties[name]}
            for name, path in (
                ("DisableExecuteApiEndpoint", "/disableExecuteApiEndpoint"),
                ("ApiKeySourceType", "/apiKeySource"),
            )
            if name in properties
        ]
        status, _, body = ministack.apigateway_v1._update_rest_api(
            made[0], {"patchOperations": operations}
        )
        if status >= 400:
            raise ValueError(f"{_REST_API} create failed: {json.loads(body)}")
        return made

    handler["create"] = create


def _install_function_errors(ministack: MiniStack) -> None:
    """MiniStack shows API Gateway's clients Lambda's own error: 429 when it throttles, the
    exception when a function fails.
    """
    v1 = ministack.apigateway_v1
    theirs = v1._lambda_proxy_response

    def lambda_proxy_response(
        result: Mapping[str, Any],
    ) -> tuple[dict[str, Any] | None, str | None]:
        if result.get("throttle"):
            return _internal_error(500), None
        if result.get("error"):
            return _internal_error(502), None
        answer: tuple[dict[str, Any] | None, str | None] = theirs(result)
        return answer

    v1._lambda_proxy_response = lambda_proxy_response


def _internal_error(status: int) -> dict[str, Any]:
    headers = {"x-amzn-errortype": "InternalServerErrorException"}
    return {
        "statusCode": status,
        "headers": headers,
        "body": json.dumps({"message": "Internal server error"}),
    }
