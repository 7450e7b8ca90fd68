"""Route 53 as a drill of a pair that deploytool did not deploy reads it."""

import pytest
from botocore.stub import Stubber

from deploytool.aws.pairs import Route53Pairs
from deploytool.aws.sessions import Clients
from deploytool.core.route53.zone import HostedZone


@pytest.fixture
def service() -> str:
    return "route53"


def test_of_other_zones_only_the_list_and_the_records_are_read(
    stub: Stubber, clients: Clients
) -> None:
    """The policy that `--show-policy` prints allows GetHostedZone of the pair's zone alone.

    The records of that zone are not read a second time, and a private zone matters to nobody.
    """
    own = HostedZone("Z1", "example.com.", (), ())
    zones = [
        {"Id": "/hostedzone/Z1", "Name": "example.com.", "CallerReference": "a", "Config": {}},
        {"Id": "/hostedzone/Z2", "Name": "example.org.", "CallerReference": "b", "Config": {}},
        {
            "Id": "/hostedzone/Z3",
            "Name": "corp.",
            "CallerReference": "c",
            "Config": {"PrivateZone": True},
        },
    ]
    answer = {"HostedZones": zones, "Marker": "", "IsTruncated": False, "MaxItems": "100"}
    stub.add_response("list_hosted_zones", answer, {})
    records = {"ResourceRecordSets": [], "IsTruncated": False, "MaxItems": "300"}
    stub.add_response("list_resource_record_sets", records, {"HostedZoneId": "Z2"})
    other = HostedZone("Z2", "example.org.", (), ())
    assert Route53Pairs(clients).zones_beside(own) == [own, other]
