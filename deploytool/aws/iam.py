"""IAM's identity providers: whether the account trusts one already."""

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients

REGION = "us-east-1"  # IAM is global; this is where its requests are signed for


def find_oidc_provider(clients: Clients, host: str) -> str | None:
    """The ARN of the account's OpenID Connect provider for a host, which is one at most.
    ListOpenIDConnectProviders.
    """
    with translated(f"looking for an identity provider for {host}"):
        found = clients.get("iam", REGION).list_open_id_connect_providers()[
            "OpenIDConnectProviderList"
        ]
    return next(
        (str(each["Arn"]) for each in found if each["Arn"].endswith(f":oidc-provider/{host}")), None
    )
