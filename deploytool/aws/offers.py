"""What an account has that a new project can use: its public hosted zones and its regions."""

from itertools import islice

from deploytool.aws.errors import translated
from deploytool.aws.route53 import Route53Zones
from deploytool.aws.sessions import Clients

MOST_ZONES = 100  # as many as one answer has; nobody chooses from a longer list


class AccountOffers:
    """Reads what the account of the caller has. `region` is that of the calls."""

    def __init__(self, clients: Clients, region: str) -> None:
        self._clients = clients
        self._region = region

    def zones(self) -> list[str]:
        """Return the names of the public hosted zones. Raises DeploytoolError."""
        zones = islice(Route53Zones(self._clients).public(), MOST_ZONES)
        return sorted({zone.name.rstrip(".") for zone in zones})

    def regions(self) -> list[str]:
        """Return the names of the regions that are enabled. Raises DeploytoolError.

        Without AllRegions the answer has those only (EC2 API Reference, DescribeRegions).
        """
        with translated("listing the regions"):
            answer = self._clients.get("ec2", self._region).describe_regions()
        return sorted(region["RegionName"] for region in answer["Regions"])
