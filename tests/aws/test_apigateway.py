"""API Gateway's adapter against botocore's own model of the service: base path mappings."""

import pytest
from botocore.stub import Stubber

from deploytool.aws.apigateway import ApiGatewayMappings
from deploytool.aws.sessions import Clients
from deploytool.core.errors import DeploytoolError
from deploytool.core.service.ports import ApiMapping

MAPPING = ApiMapping("(none)", "api", "live")
ITEM = {"basePath": "(none)", "restApiId": "api", "stage": "live"}


@pytest.fixture
def service() -> str:
    return "apigateway"


@pytest.mark.parametrize("found", [[ITEM], [{**ITEM, "restApiId": "another"}]])
def test_a_mapping_whose_creation_was_not_answered_is_created(
    stub: Stubber, clients: Clients, found: list[dict[str, str]]
) -> None:
    """Botocore repeats the call, and the mapping exists by then. Another mapping is an error."""
    stub.add_response("get_base_path_mappings", {"items": []})
    stub.add_client_error("create_base_path_mapping", "ConflictException", "it exists")
    stub.add_response("get_base_path_mappings", {"items": found})
    mappings = ApiGatewayMappings(clients)
    if found == [ITEM]:
        mappings.create("us-east-1", "api.example.com", MAPPING)
        return
    with pytest.raises(DeploytoolError, match="it exists"):
        mappings.create("us-east-1", "api.example.com", MAPPING)
