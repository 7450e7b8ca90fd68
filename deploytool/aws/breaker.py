"""Which AWS APIs did not answer in this run, so that nothing waits for them again.

A call that failed is no proof by itself that its region is down: one operation may be slow, or one
service impaired. So a region counts as down when a call to it failed and no other call to it was
answered in the meantime. The same rule is applied to the service of the call. An error 5xx is the
answer of one service and tells nothing of the others: the region counts as down when a second service
has answered so. What was found down stays so until the end of the run.
"""

import threading
from collections import defaultdict
from dataclasses import dataclass

# IAM, CloudFront and the control plane of Route 53 are global services; their requests are signed
# for this region (AWS General Reference, "Service endpoints"), and their control planes are there
# (AWS whitepaper "AWS Fault Isolation Boundaries", "Global services"). So it is in the partition aws,
# and no project is in another one (core/project/regions.py).
GLOBAL_REGION = "us-east-1"


class NoAnswer(Exception):
    """The API of a region did not answer, or an earlier call has found it down. `reason`: how."""

    def __init__(self, region: str, reason: str, *, found_earlier: bool = False) -> None:
        super().__init__(f"the API of {region} did not answer: {reason}")
        self.region = region
        self.reason = reason
        self.found_earlier = found_earlier


@dataclass(frozen=True)
class Api:
    """The API of a service in the region that its requests are signed for.

    `service` is botocore's service id, like CloudFormation. The requests to a global service, such
    as Route 53, are signed for us-east-1.
    """

    region: str
    service: str


class Breaker:
    """What is known about each region's API. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The answers are numbered; for each region and each service the number of its latest one.
        self._number = 0
        self._latest: defaultdict[str | Api, int] = defaultdict(int)
        # Why a region, or a service of it, is down.
        self._down: dict[str | Api, str] = {}

    def begin(self, api: Api) -> int:
        """Return what `failed` takes for a call that starts now. Raises NoAnswer as `check`."""
        self.check(api)
        with self._lock:
            return self._number

    def check(self, api: Api) -> None:
        """Raise NoAnswer if the region or the service is known to be down."""
        with self._lock:
            reason = self._down.get(api.region) or self._down.get(api)
        if reason is not None:
            raise NoAnswer(api.region, reason, found_earlier=True)

    def answered(self, api: Api) -> None:
        """Note that the API answered a call, whatever it said."""
        with self._lock:
            self._number += 1
            self._latest[api.region] = self._number
            self._latest[api] = self._number

    def has_answered(self, region: str) -> bool:
        """Return whether a region has answered any call."""
        with self._lock:
            return self._latest[region] > 0

    def is_offline(self) -> bool:
        """Return whether calls were made, and no API of any region has answered one."""
        with self._lock:
            return self._number == 0 and bool(self._down)

    def failed(self, api: Api, began: int, reason: str, *, is_silent: bool = True) -> None:
        """Note that every attempt of a call failed. `began` is what `begin` returned for it.

        It is not `is_silent` when the service answered with an error of its own.
        """
        with self._lock:
            if self._latest[api] <= began:
                self._down.setdefault(api, reason)
            if self._latest[api.region] <= began and (is_silent or self._others_down(api)):
                self._down.setdefault(api.region, reason)

    def _others_down(self, api: Api) -> bool:
        """Return whether another service of the region is down."""
        others = (down for down in self._down if isinstance(down, Api) and down != api)
        return any(other.region == api.region for other in others)
