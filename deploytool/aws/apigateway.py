"""API Gateway: what the stages of REST APIs serve, and which stages a custom domain name serves."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deploytool.aws.errors import code_of, ignored, translated
from deploytool.aws.sessions import Clients
from deploytool.core.service.ports import ApiMapping

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient


class ApiGatewayMappings:
    """The Mappings port on botocore: the base path mappings of a custom domain name."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def of(self, region: str, domain: str) -> Sequence[ApiMapping]:
        """GetBasePathMappings, every page."""
        paginator = self._client(region).get_paginator("get_base_path_mappings")
        mappings: list[ApiMapping] = []
        with translated(f"reading the mappings of {domain} in {region}"):
            for page in paginator.paginate(domainName=domain):
                mappings.extend(
                    ApiMapping(item["basePath"], item["restApiId"], item["stage"])
                    for item in page.get("items", [])
                )
        return mappings

    def create(self, region: str, domain: str, mapping: ApiMapping) -> None:
        """CreateBasePathMapping, unless the mapping exists.

        It may exist only since this call: an attempt whose answer was lost has created it, or
        somebody else who undoes the same drill.
        """
        with translated(f"mapping {domain} in {region}"):
            if mapping in self.of(region, domain):
                return
            try:
                self._client(region).create_base_path_mapping(
                    domainName=domain,
                    basePath=mapping.base_path,
                    restApiId=mapping.rest_api_id,
                    stage=mapping.stage,
                )
            except ClientError as error:
                if code_of(error) != "ConflictException":
                    raise
                if mapping not in self.of(region, domain):
                    raise

    def delete(self, region: str, domain: str, base_path: str) -> None:
        """DeleteBasePathMapping."""
        with (
            translated(f"removing a mapping of {domain} in {region}"),
            ignored("NotFoundException"),
        ):
            self._client(region).delete_base_path_mapping(domainName=domain, basePath=base_path)

    def _client(self, region: str) -> "APIGatewayClient":
        return self._clients.get("apigateway", region)


class ApiGatewayExports:
    """The ApiDefinitions port on botocore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def definition(self, region: str, rest_api_id: str, stage: str) -> dict[str, Any]:
        """GetExport of the stage's deployment (API Gateway API reference)."""
        client = self._clients.get("apigateway", region)
        with translated(f"exporting API {rest_api_id} in {region}"):
            answer = client.get_export(
                restApiId=rest_api_id,
                stageName=stage,
                exportType="oas30",
                parameters={"extensions": "apigateway"},
                accepts="application/json",
            )
            return dict(json.loads(answer["body"].read()))
