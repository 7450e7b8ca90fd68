"""API Gateway's REST APIs, as their stages serve them."""

import json
from typing import Any

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients


class ApiGatewayExports:
    """The ApiDefinitions port on boto3."""

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
