"""Finds the region of the addresses that DNS answers with. It asks, and never guesses."""

import threading
from collections.abc import Iterable

from deploytool.core.errors import ProbeFailed
from deploytool.core.failover.addresses import AddressBook
from deploytool.core.failover.records import StandbyRecord
from deploytool.work.failover.ports import MovePorts

# Seconds of the target's clock until an address whose region could not be found is asked about again
PAUSE = 10.0


class Regions:
    """The regions of addresses. Safe to use from several threads.

    The name to which a region's record points resolves to that region's addresses. API Gateway has
    more addresses than one answer holds, so one that is still unknown is called: the answer's
    header names its region.
    """

    def __init__(self, ports: MovePorts, standby: StandbyRecord) -> None:
        self._ports = ports
        self._standby = standby
        self._book = AddressBook()
        self._lock = threading.Lock()
        self._asked: dict[str, float] = {}

    def region_of(self, addresses: Iterable[str]) -> str | None:
        """Return the region of a DNS answer, None when it cannot be found out."""
        answer = tuple(addresses)
        if self._to_ask(answer):
            self._resolve_targets()
        for address in self._to_ask(answer):
            self._asked[address] = self._ports.clock.now()
            self._call(address)
        return self._book.region_of(answer)

    def _to_ask(self, addresses: tuple[str, ...]) -> list[str]:
        """Return the unknown addresses that were not asked about a moment ago."""
        now = self._ports.clock.now()
        due: list[str] = []
        for address in self._book.unknown(addresses):
            asked = self._asked.get(address)
            if asked is None or now - asked >= PAUSE:
                due.append(address)
        return due

    def _resolve_targets(self) -> None:
        for region, target in self._standby.targets.items():
            try:
                answer = self._ports.resolve(target)
            except ProbeFailed:
                # The addresses then stay unknown, and are called
                continue
            self._learn(region, answer.addresses)

    def _call(self, address: str) -> None:
        """Call the domain at an address. Only a region's own answer tells where it is."""
        standby = self._standby
        try:
            answer = self._ports.http.get(standby.domain, address, standby.path)
        except ProbeFailed:
            # An address that does not answer stays unknown; no region is assumed
            return
        if answer.region is not None:
            self._learn(answer.region, (address,))

    def _learn(self, region: str, addresses: Iterable[str]) -> None:
        with self._lock:
            self._book = self._book.learn(region, addresses)
