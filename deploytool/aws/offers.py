"""What an account has that a new project can use: its public hosted zones and its regions."""

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients

MOST_ZONES = 100  # the most of one answer; a list of more helps nobody to choose


class AccountOffers:
    """Reads what the account of the caller has. `region` is that of the calls."""

    def __init__(self, clients: Clients, region: str) -> None:
        self._clients = clients
        self._region = region

    def zones(self) -> list[str]:
        """Return the names of the public hosted zones. Raises DeploytoolError."""
        with translated("listing the hosted zones"):
            client = self._clients.get("route53", self._region)
            answer = client.list_hosted_zones(MaxItems=str(MOST_ZONES))
        names = {
            zone["Name"].rstrip(".")
            for zone in answer["HostedZones"]
            if not zone.get("Config", {}).get("PrivateZone")
        }
        return sorted(names)

    def regions(self) -> list[str]:
        """Return the names of the regions that are enabled. Raises DeploytoolError.

        Without AllRegions the answer has those only (EC2 API Reference, DescribeRegions).
        """
        with translated("listing the regions"):
            answer = self._clients.get("ec2", self._region).describe_regions()
        return sorted(region["RegionName"] for region in answer["Regions"])
