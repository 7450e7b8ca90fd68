"""The region of each address that DNS answers with, from what has been seen. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AddressBook:
    """The region of each known address. An address that nobody has seen has none."""

    regions: Mapping[str, str] = field(default_factory=dict)

    def learn(self, region: str, addresses: Iterable[str]) -> "AddressBook":
        """Return the book with these addresses of a region. What is seen last is right."""
        return AddressBook({**self.regions, **dict.fromkeys(addresses, region)})

    def unknown(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """Return the addresses whose region is not known."""
        return tuple(address for address in addresses if address not in self.regions)

    def region_of(self, addresses: Iterable[str]) -> str | None:
        """Return the region of a DNS answer.

        None when it has no address, one of an unknown region, or addresses of several regions.
        """
        regions = {self.regions.get(address) for address in addresses}
        if len(regions) != 1:
            return None
        return regions.pop()
