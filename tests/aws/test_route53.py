"""Route 53's adapter against botocore's own model of the service: which hosted zone contains a
domain.
"""

from typing import Any

import pytest
from botocore.stub import Stubber

from deploytool.aws.route53 import Route53Zones
from deploytool.aws.sessions import Clients
from deploytool.core.errors import InputError


@pytest.fixture
def service() -> str:
    return "route53"


@pytest.fixture
def find(stub: Stubber, clients: Clients) -> Any:
    """Find the id of a domain's zone.

    For each name, in the order in which they are asked, Route 53 answers with these zones: (id,
    name, private).
    """

    def find(domain: str, answers: dict[str, list[tuple[str, str, bool]]]) -> str | None:
        for name, zones in answers.items():
            listed = [
                {
                    "Id": f"/hostedzone/{id_}",
                    "Name": f"{zone_name}.",
                    "CallerReference": id_,
                    "Config": {"PrivateZone": private},
                }
                for id_, zone_name, private in zones
            ]
            stub.add_response(
                "list_hosted_zones_by_name",
                {"HostedZones": listed, "IsTruncated": False, "MaxItems": "100"},
                {"DNSName": name},
            )
        zone = Route53Zones(clients).find_enclosing(domain)
        stub.assert_no_pending_responses()
        return zone.id if zone else None

    return find


def test_the_zone_with_the_longest_name_that_fits_contains_the_domain(find: Any) -> None:
    """From the domain itself up to its second label. Route 53 answers with the zones at or after
    the name.
    """
    answers = {
        "api.dev.example.com": [("Z9", "www.example.com", False)],
        "dev.example.com": [("Z1", "dev.example.com", False)],
    }
    assert find("api.dev.example.com", answers) == "Z1"
    answers = {"example.com": [("Z2", "example.com", False), ("Z1", "dev.example.com", False)]}
    assert find("example.com", answers) == "Z2"


def test_a_private_zone_contains_nothing_that_clients_see(find: Any) -> None:
    """It is skipped, and no zone of the top-level domain is asked for."""
    answers = {"dev.example.com": [("Z1", "dev.example.com", True)], "example.com": []}
    assert find("dev.example.com", answers) is None


def test_two_public_zones_of_one_name_are_an_error(find: Any) -> None:
    """Only one of them is delegated to, and the API does not tell which."""
    answers = {"example.com": [("Z1", "example.com", False), ("Z2", "example.com", False)]}
    with pytest.raises(InputError, match="Z1, Z2"):
        find("example.com", answers)
