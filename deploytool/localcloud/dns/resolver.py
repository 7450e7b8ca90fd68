"""The caching recursive resolver that clients of the local cloud ask.

No socket here: `handle` goes from bytes to bytes, and `server` adds sockets.
"""

from collections.abc import Callable

import dns.flags
import dns.rcode
from dns.message import Message
from dns.name import Name
from dns.rdatatype import RdataType

from deploytool.localcloud.dns import wire as dnswire
from deploytool.localcloud.dns.resolution import Resolution, Step, resolve

_LARGEST_CACHE = 10_000  # answers


class Resolver:
    """Answers recursive queries.

    `step` resolves without a cache (see `UncachedResolver.step`). Positive and negative answers are
    cached for their TTL, failures are not. `now` counts cloud seconds: at speed N a cached answer
    expires N times sooner by the wall clock.
    """

    def __init__(self, step: Step, now: Callable[[], float]) -> None:
        self._uncached_step = step
        self._now = now
        # By name and type: when the answer was stored, and the answer. The oldest is first.
        self._cache: dict[tuple[Name, RdataType], tuple[float, Resolution]] = {}

    def handle(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """Answer bytes with bytes: see `wire.handle`."""
        return dnswire.handle(self.respond, wire, tcp=tcp)

    def respond(self, query: Message) -> Message:
        """Return the response to a query, with the TTL that its records have left.

        Queries without RD are refused.
        """
        response = dnswire.empty_response(query, recursion_available=True)
        refused = dnswire.refusal(query)
        if refused is not None:
            return dnswire.fail(response, *refused)
        if not query.flags & dns.flags.RD:
            return dnswire.fail(response, dns.rcode.REFUSED, "a recursive resolver: set RD")

        question = query.question[0]
        resolution = resolve(question.name, question.rdtype, self._step)
        if resolution.rcode == dns.rcode.SERVFAIL:
            return dnswire.fail(response, resolution.rcode, resolution.reason)
        response.set_rcode(resolution.rcode)
        response.answer.extend(resolution.answer)
        response.authority.extend(resolution.authority)
        return response

    def _step(self, name: Name, rdtype: RdataType) -> Resolution:
        """Make one step of resolving, from the cache while that is fresh."""
        now = self._now()
        cached = self._cache.get((name, rdtype))
        if cached is not None:
            stored_at, resolution = cached
            if now < stored_at + resolution.ttl:
                return resolution.aged(int(now - stored_at))  # TTLs are whole seconds

        resolution = self._uncached_step(name, rdtype)
        if resolution.ttl and resolution.rcode != dns.rcode.SERVFAIL:
            self._store(name, rdtype, now, resolution)
        return resolution

    def _store(self, name: Name, rdtype: RdataType, now: float, resolution: Resolution) -> None:
        # Removed first, so that the order of the cache is that of storing.
        self._cache.pop((name, rdtype), None)
        if len(self._cache) >= _LARGEST_CACHE:
            oldest = next(iter(self._cache))
            del self._cache[oldest]
        self._cache[name, rdtype] = (now, resolution)
