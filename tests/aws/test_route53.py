"""Route 53's adapter against botocore's own model of the service: which hosted zone holds a
domain.
"""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from deploytool.aws.route53 import Route53HostedZones
from deploytool.aws.sessions import Clients
from deploytool.core.errors import InputError


class OneClient(Clients):
    """Gives the stubbed client for every region."""

    def __init__(self, client: Any) -> None:
        super().__init__()
        self.client = client

    def get(self, service: str, region: str) -> Any:
        return self.client


def find(domain: str, answers: dict[str, list[tuple[str, str, bool]]]) -> str | None:
    """What is found when Route 53 answers each name asked for, in this order, with these zones:
    (id, name, private).
    """
    client = boto3.client(
        "route53", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stub:
        for asked, zones in answers.items():
            listed = [
                {
                    "Id": f"/hostedzone/{id_}",
                    "Name": f"{name}.",
                    "CallerReference": id_,
                    "Config": {"PrivateZone": private},
                }
                for id_, name, private in zones
            ]
            stub.add_response(
                "list_hosted_zones_by_name",
                {"HostedZones": listed, "IsTruncated": False, "MaxItems": "100"},
                {"DNSName": asked},
            )
        found = Route53HostedZones(OneClient(client), lambda _: ("127.0.0.1", 53)).find_hosted_zone(
            domain
        )
        stub.assert_no_pending_responses()
        return found


def test_the_zone_with_the_longest_name_that_fits_holds_the_domain() -> None:
    """From the domain itself up to its second label; Route 53 answers with what comes at or after
    the name.
    """
    at = {
        "api.dev.example.com": [("Z9", "www.example.com", False)],
        "dev.example.com": [("Z1", "dev.example.com", False)],
    }
    assert find("api.dev.example.com", at) == "Z1"
    assert (
        find(
            "example.com",
            {"example.com": [("Z2", "example.com", False), ("Z1", "dev.example.com", False)]},
        )
        == "Z2"
    )


def test_a_private_zone_holds_nothing_that_clients_see() -> None:
    """It is passed over, and the top-level domain is never asked for."""
    assert (
        find(
            "dev.example.com",
            {"dev.example.com": [("Z1", "dev.example.com", True)], "example.com": []},
        )
        is None
    )


def test_two_public_zones_of_one_name_are_a_question_for_a_person() -> None:
    """Only one of them is delegated to, and nothing here says which."""
    with pytest.raises(InputError, match="Z1, Z2"):
        find(
            "example.com",
            {"example.com": [("Z1", "example.com", False), ("Z2", "example.com", False)]},
        )
