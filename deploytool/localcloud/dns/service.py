"""The DNS servers of a local cloud: name server, parents' server and resolver, on one address."""

from collections.abc import Callable

from deploytool.localcloud.dns.delegation import (
    Delegations,
    ParentZones,
    PublicView,
    public_authority,
)
from deploytool.localcloud.dns.nameserver import AnswerChanged, NameServer
from deploytool.localcloud.dns.resolution import UncachedResolver
from deploytool.localcloud.dns.resolver import Resolver
from deploytool.localcloud.dns.server import DnsServer
from deploytool.localcloud.ports import ControlPlane, HealthView


class DnsService:
    """The servers, on a free port each.

    `name_server` is authoritative for the hosted zones, `parent` for their parents; `resolver` is
    recursive, and knows what is reachable from the parents. `on_change` is called when the answer
    for a failover name changes; `now` counts cloud seconds.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        public: PublicView,
        delegations: Delegations,
        health: HealthView,
        now: Callable[[], float],
        on_change: Callable[[AnswerChanged], None],
        address: str,
    ) -> None:
        self.zones = NameServer(control_plane, health, on_change=on_change, now=now)
        parents = NameServer(ParentZones(delegations), health)
        # Clients of the zones' own server see every hosted zone; those of the resolver see only
        # zones that are delegated.
        authority = public_authority(
            NameServer(public, health).respond, parents.respond, delegations
        )
        self.uncached = UncachedResolver(authority, public)

        self.name_server = DnsServer(self.zones.handle, address)
        self.parent = DnsServer(parents.handle, address)
        self.resolver = DnsServer(Resolver(self.uncached.step, now).handle, address)

    async def start(self) -> None:
        """Start every server; each answers when this returns."""
        await self.name_server.start()
        await self.parent.start()
        await self.resolver.start()

    async def stop(self) -> None:
        """Stop every server. Idempotent."""
        await self.resolver.stop()
        await self.parent.stop()
        await self.name_server.stop()
