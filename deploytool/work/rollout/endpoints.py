"""Requests to a stage's domain and to the regions' own endpoints, and the check of one endpoint."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from deploytool.core.errors import ApiUnavailable, ProbeFailed
from deploytool.core.ports import Clock, HttpAnswer, Nameserver
from deploytool.core.service.ports import Probes
from deploytool.core.stacks.events import Emit, RegionNotReady, RegionPassed
from deploytool.core.stacks.rollout import Endpoint, answer_problem
from deploytool.work.stacks.operations import RetryAfter

POLL_INTERVAL = 2.0  # seconds of the target's clock between two requests to an endpoint
LEAST_ANSWERS = 3  # a check that fails has had at least so many


@dataclass(frozen=True)
class EndpointState:
    """How a region's own endpoint answers.

    `problem` is None when the answer is good. `version` is the function's, where the answer tells
    it.
    """

    problem: str | None
    version: str | None = None


class Endpoints:
    """The endpoints of a stage.

    `hosted_zone_id` is None when the DNS is hosted elsewhere. Then only the resolver is queried.
    """

    def __init__(self, endpoint: Endpoint, probes: Probes, hosted_zone_id: str | None) -> None:
        self.endpoint = endpoint
        self.probes = probes
        self._servers: list[Nameserver] = []
        # The zone's own name server is the first to know of a failover. Only Route 53's API tells
        # its name; the resolver does without.
        if hosted_zone_id is not None:
            with suppress(ApiUnavailable):
                self._servers.extend(probes.hosted_zones.name_servers(hosted_zone_id)[:1])
        self._servers.append(probes.resolvers[0])

    def call(self, domain: str) -> HttpAnswer | str:
        """Return the answer of a domain, or why there is none."""
        try:
            addresses = self._addresses(domain)
            if not addresses:
                return "has no address"
            return self.probes.http.get(domain, addresses[0], self.endpoint.path)
        except ProbeFailed as error:
            return f"does not answer: {error}"

    def is_named(self) -> bool:
        """Return whether any of the stage's names has an address.

        A name counts as having one when no DNS server answers.
        """
        names = (self.endpoint.domain, *self.endpoint.regional_domains.values())
        return any(map(self._may_have_address, names))

    def _may_have_address(self, domain: str) -> bool:
        try:
            return bool(self._addresses(domain))
        except ProbeFailed:
            return True

    def _addresses(self, domain: str) -> tuple[str, ...]:
        """Query the servers in turn. Raises ProbeFailed when the last one does not answer either."""
        *first_servers, last_server = self._servers
        for server in first_servers:
            try:
                return self.probes.dns.query(server, domain).addresses
            except ProbeFailed:
                continue  # some networks block queries to any server but their own resolver
        return self.probes.dns.query(last_server, domain).addresses

    def state(self, region: str, versions: frozenset[str] = frozenset()) -> EndpointState:
        """Call a region's own endpoint. `versions` are the good ones; empty stands for any."""
        answer = self.call(self.endpoint.regional_domains[region])
        if isinstance(answer, str):
            return EndpointState(answer)
        return EndpointState(answer_problem(answer, region, versions), answer.version)

    def serving_region(self, regions: Sequence[str]) -> str | None:
        """Return the region that answers as the domain.

        When no region does, return the first whose own endpoint answers well, or None.
        """
        # The answer that clients get tells which region is active. The configuration does not.
        answer = self.call(self.endpoint.domain)
        if isinstance(answer, HttpAnswer):
            is_good = 200 <= answer.status < 300
            if is_good and answer.region in regions:
                return answer.region
        for region in regions:
            if self.state(region).problem is None:
                return region
        return None


@dataclass(frozen=True)
class Passed:
    """The endpoint has passed its check."""


@dataclass(frozen=True)
class Failed:
    """The endpoint has failed its check because of this problem."""

    problem: str


class EndpointCheck:
    """The check of one region's own endpoint.

    It passes after `steady` good answers in a row. It fails when an answer has a problem after
    `settle` seconds, and there were a few: while a new function starts, a single call may take
    longer than that. All seconds are of the target's clock, of which `speed` pass in one second of
    the deployment's.
    """

    def __init__(
        self, region: str, settle: float, steady: int, versions: frozenset[str] = frozenset()
    ) -> None:
        self.region = region
        self.settle = settle
        self.steady = steady
        self.versions = versions
        self._started_at: float | None = None
        self._due_at = 0.0
        self._good_answers = 0
        self._answers = 0
        self._reported: str | None = None  # the last problem that was emitted

    def poll(
        self, endpoints: Endpoints, clock: Clock, speed: float, emit: Emit
    ) -> Passed | Failed | RetryAfter:
        """Call the endpoint if it is time. Return the result, or when to poll again."""
        target_clock = endpoints.probes.clock
        now = target_clock.now()
        if self._started_at is None:
            self._started_at = now
        if now < self._due_at:
            return RetryAfter((self._due_at - now) / speed)

        url = endpoints.endpoint.url(self.region)
        state = endpoints.state(self.region, self.versions)
        self._answers += 1
        now = target_clock.now()
        left = max(self._started_at + self.settle - now, 0.0)
        pause = POLL_INTERVAL
        if state.problem is not None:
            if not left and self._answers >= LEAST_ANSWERS:
                return Failed(state.problem)
            if state.problem != self._reported:
                emit(RegionNotReady(clock.now(), url, state.problem, left))
            self._good_answers = 0
            # The last poll is exactly when the time is over.
            if left:
                pause = min(pause, left)
        else:
            self._good_answers += 1
            if self._good_answers >= self.steady:
                emit(RegionPassed(clock.now(), url, self.region, state.version))
                return Passed()

        self._reported = state.problem
        self._due_at = now + pause
        return RetryAfter(pause / speed)
