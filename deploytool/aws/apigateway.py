"""API Gateway's base path mappings, which say what a custom domain name serves."""

from collections.abc import Sequence

from botocore.exceptions import ClientError

from deploytool.aws.errors import code_of, translated
from deploytool.aws.sessions import Clients
from deploytool.core.service.ports import ApiMapping


class ApiGatewayMappings:
    """The Mappings port on boto3."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def of(self, region: str, domain: str) -> Sequence[ApiMapping]:
        """GetBasePathMappings, every page."""
        pages = self._clients.get("apigateway", region).get_paginator("get_base_path_mappings")
        with translated(f"reading the mappings of {domain} in {region}"):
            found = [
                each for page in pages.paginate(domainName=domain) for each in page.get("items", [])
            ]
        return [ApiMapping(each["basePath"], each["restApiId"], each["stage"]) for each in found]

    def create(self, region: str, domain: str, mapping: ApiMapping) -> None:
        """CreateBasePathMapping."""
        client = self._clients.get("apigateway", region)
        with translated(f"mapping {domain} in {region}"):
            if mapping not in self.of(region, domain):
                client.create_base_path_mapping(
                    domainName=domain,
                    basePath=mapping.base_path,
                    restApiId=mapping.rest_api_id,
                    stage=mapping.stage,
                )

    def delete(self, region: str, domain: str, base_path: str) -> None:
        """DeleteBasePathMapping."""
        client = self._clients.get("apigateway", region)
        with translated(f"removing a mapping of {domain} in {region}"):
            try:
                client.delete_base_path_mapping(domainName=domain, basePath=base_path)
            except ClientError as error:
                if code_of(error) != "NotFoundException":
                    raise
