"""API Gateway version 2: what the HTTP API of a custom domain name serves."""

from collections.abc import Iterator, Mapping
from typing import Any

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients
from deploytool.core.errors import DeploytoolError
from deploytool.core.service.ports import ApiDefinition

# What says how an integration works. Its id and the words about it are not compared.
_INTEGRATION = (
    "IntegrationType",
    "IntegrationSubtype",
    "IntegrationMethod",
    "IntegrationUri",
    "ConnectionType",
    "ConnectionId",
    "CredentialsArn",
    "PayloadFormatVersion",
    "RequestParameters",
    "ResponseParameters",
    "TimeoutInMillis",
    "TlsConfig",
)
_ROUTE = ("AuthorizationType", "AuthorizationScopes", "ApiKeyRequired", "RequestParameters")


class ApiGatewayHttpApis:
    """The HttpApis port on botocore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def definition(self, region: str, domain: str) -> ApiDefinition:
        """GetApiMappings of the domain, then GetRoutes and GetIntegrations of the API.

        The stages of our templates deploy automatically, so what the API has is what it serves.
        """
        client = self._clients.get("apigatewayv2", region)
        with translated(f"reading the HTTP API of {domain} in {region}"):
            mappings = client.get_api_mappings(DomainName=domain).get("Items", [])
            if not mappings:
                raise DeploytoolError(f"{domain} is mapped to no API")
            api_id = mappings[0]["ApiId"]
            integrations = {
                item["IntegrationId"]: _chosen(item, _INTEGRATION)
                for item in _pages(client, "get_integrations", api_id)
            }
            paths: dict[str, Any] = {}
            for route in _pages(client, "get_routes", api_id):
                integration = route.get("Target", "").rpartition("/")[2]
                paths[route["RouteKey"]] = {
                    **_chosen(route, _ROUTE),
                    "Integration": integrations.get(integration),
                }
        return ApiDefinition(api_id, {"paths": paths})


def _pages(client: Any, operation: str, api_id: str) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401  # botocore makes the class at run time
    """Yield what a paginated operation returns for an API."""
    for page in client.get_paginator(operation).paginate(ApiId=api_id):
        yield from page.get("Items", [])


def _chosen(item: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the members of these names that have a value."""
    return {name: item[name] for name in names if item.get(name)}
