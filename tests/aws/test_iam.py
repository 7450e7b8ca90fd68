"""Identity providers, as IAM lists and shows them."""

import pytest
from botocore.stub import Stubber

from deploytool.aws.iam import find_oidc_provider, oidc_audiences
from deploytool.aws.sessions import Clients
from deploytool.core.errors import DeploytoolError

HOST = "token.actions.githubusercontent.com"
ARN = f"arn:aws:iam::123456789012:oidc-provider/{HOST}"


@pytest.fixture
def service() -> str:
    return "iam"


def test_a_provider_is_found_by_its_host(clients: Clients, stub: Stubber) -> None:
    """The ARN ends in the URL of the issuer without its scheme."""
    listed = {"OpenIDConnectProviderList": [{"Arn": ARN.replace("token", "other")}, {"Arn": ARN}]}
    stub.add_response("list_open_id_connect_providers", listed)
    assert find_oidc_provider(clients, HOST) == ARN


@pytest.mark.parametrize("audiences", [[], ["sts.amazonaws.com", "sigstore"]])
def test_a_provider_has_audiences(clients: Clients, stub: Stubber, audiences: list[str]) -> None:
    """A provider may have none."""
    expected = {"OpenIDConnectProviderArn": ARN}
    stub.add_response("get_open_id_connect_provider", {"ClientIDList": audiences}, expected)
    assert oidc_audiences(clients, ARN) == frozenset(audiences)


def test_a_provider_that_does_not_exist_is_named(clients: Clients, stub: Stubber) -> None:
    """The ARN that a user gives may be wrong."""
    stub.add_client_error("get_open_id_connect_provider", "NoSuchEntity", "not found", 404)
    with pytest.raises(DeploytoolError, match="looking at the identity provider arn:aws:iam"):
        oidc_audiences(clients, ARN)
