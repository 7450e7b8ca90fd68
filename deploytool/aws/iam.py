"""IAM: the OpenID Connect identity providers that the account trusts."""

from deploytool.aws.breaker import GLOBAL_REGION
from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients


def find_oidc_provider(clients: Clients, host: str) -> str | None:
    """Return the ARN of the account's identity provider for a host. ListOpenIDConnectProviders.

    An account has at most one for each host.
    """
    client = clients.get("iam", GLOBAL_REGION)
    with translated(f"looking for an identity provider for {host}"):
        answer = client.list_open_id_connect_providers()
    for provider in answer["OpenIDConnectProviderList"]:
        if provider["Arn"].endswith(f":oidc-provider/{host}"):
            return provider["Arn"]
    return None


def oidc_audiences(clients: Clients, arn: str) -> frozenset[str]:
    """Return the audiences whose tokens an identity provider takes. GetOpenIDConnectProvider."""
    client = clients.get("iam", GLOBAL_REGION)
    with translated(f"looking at the identity provider {arn}"):
        answer = client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return frozenset(answer.get("ClientIDList", ()))
