"""Calls a stage's domain and its regions' own endpoints, once or until one answers steadily as it
must.
"""

from collections.abc import Sequence

from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import Clock, HttpAnswer, Nameserver
from deploytool.core.service.ports import Probes
from deploytool.core.stacks.events import Emit, RegionFaulty, RegionPassed
from deploytool.core.stacks.rollout import Endpoint, answer_fault
from deploytool.work.stacks.operations import RetryAfter

EVERY = 2.0  # seconds of the target's clock between two looks at an endpoint


class Endpoints:
    """The endpoints of a stage. `hosted_zone_id` is None where the DNS is somebody else's: a
    resolver is asked then.
    """

    def __init__(self, endpoint: Endpoint, probes: Probes, hosted_zone_id: str | None) -> None:
        self.endpoint, self.probes = endpoint, probes
        self._servers: Sequence[Nameserver] = probes.resolvers[:1]
        # Its own name server first, which knows of a failover at once
        if hosted_zone_id is not None:
            self._servers = (
                *probes.hosted_zones.name_servers(hosted_zone_id)[:1],
                *self._servers,
            )

    def call(self, domain: str) -> HttpAnswer | str:
        """What a name answers, or why there is no answer."""
        try:
            addresses = self._addresses(domain)
            return (
                self.probes.http.get(domain, addresses[0], self.endpoint.path)
                if addresses
                else "has no address"
            )
        except ProbeFailed as error:
            return f"does not answer: {error}"

    def is_named(self) -> bool:
        """Whether any of the stage's names has an address. One that cannot be asked for counts as
        having one.
        """
        return any(
            map(
                self._may_have_address,
                (self.endpoint.domain, *self.endpoint.regional_domains.values()),
            )
        )

    def _may_have_address(self, domain: str) -> bool:
        try:
            return bool(self._addresses(domain))
        except ProbeFailed:
            return True

    def _addresses(self, domain: str) -> tuple[str, ...]:
        """Raises ProbeFailed when the last one asked does not answer either."""
        for server in self._servers[:-1]:
            try:
                return self.probes.dns.query(server, domain).addresses
            except ProbeFailed:
                continue  # not every network lets one ask a name server; the resolver knows it too
        return self.probes.dns.query(self._servers[-1], domain).addresses

    def fault(
        self, region: str, versions: frozenset[str] = frozenset()
    ) -> tuple[str | None, str | None]:
        """What is wrong with a region's own endpoint (None: nothing), and the version that
        answered.
        """
        answer = self.call(self.endpoint.regional_domains[region])
        return (
            (answer, None)
            if isinstance(answer, str)
            else (answer_fault(answer, region, versions), answer.version)
        )

    def who_serves(self, regions: Sequence[str]) -> str | None:
        """The region that answers as the domain; where none does the first whose own endpoint
        answers well; None: none.
        """
        served = self.call(self.endpoint.domain)
        if (
            isinstance(served, HttpAnswer)
            and 200 <= served.status < 300
            and served.region in regions
        ):
            return served.region
        return next((region for region in regions if self.fault(region)[0] is None), None)


class EndpointCheck:
    """The check of one region's own endpoint. All seconds are of the target's clock, of which
    `speed` pass in one of `clock`.

    It has passed after `steady` good answers in a row, and failed when there is a fault once
    `settle` seconds are over.
    """

    def __init__(
        self, region: str, settle: float, steady: int, versions: frozenset[str] = frozenset()
    ) -> None:
        self.region, self.settle, self.steady, self.versions = region, settle, steady, versions
        self._since: float | None = None
        self._due = 0.0
        self._good = 0
        self._said = ""

    def look(
        self, endpoints: Endpoints, clock: Clock, speed: float, emit: Emit
    ) -> RetryAfter | str | None:
        """Look once, when it is time. None: passed; a text: failed of that; else when to look
        again.
        """
        now = endpoints.probes.clock.now
        began = now()
        self._since = began if self._since is None else self._since
        if began < self._due:
            return RetryAfter((self._due - began) / speed)
        url = endpoints.endpoint.url(self.region)
        fault, version = endpoints.fault(self.region, self.versions)
        left = max(self._since + self.settle - now(), 0.0)
        if fault and not left:
            return fault
        if fault and fault != self._said:
            emit(RegionFaulty(clock.now(), url, fault, left))
        self._said = fault or ""
        self._good = 0 if fault else self._good + 1
        if self._good >= self.steady:
            emit(RegionPassed(clock.now(), url, self.region, version))
            return None
        pause = min(EVERY, left) if fault else EVERY
        self._due = now() + pause
        return RetryAfter(pause / speed)
