"""Calls to CloudFormation within a rate budget for each region.

Deployments, plans and drift detection share one `CloudFormationCalls`, so together they stay within
the budget.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from botocore.exceptions import ClientError

from deploytool.aws.availability import THROTTLING
from deploytool.aws.budget import Rate, RateBudget
from deploytool.aws.errors import code_of
from deploytool.aws.sessions import Clients
from deploytool.core.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# Seconds between two polls of an operation: the first wait, and the longest unless the caller
# passes another one.
FIRST_WAIT = 0.2
LONGEST_WAIT = 3.0

# Seconds during which a throttled call is repeated.
PATIENCE = 900.0

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer", bound=Mapping[str, object])


class CloudFormationCalls:
    """Makes calls to CloudFormation, and repeats those that AWS throttles.

    Safe to use from several threads. `rate` is the budget of each region.
    """

    def __init__(self, clients: Clients, clock: Clock, rate: Rate | None = None) -> None:
        self._clients = clients
        self._clock = clock
        self._rate = rate or Rate()
        self._lock = threading.Lock()
        self._budgets: dict[str, RateBudget] = {}

    def client(self, region: str) -> "CloudFormationClient":
        """Return the client whose methods are passed to `read` and `call`."""
        return self._clients.get("cloudformation", region)

    def read(
        self,
        region: str,
        operation: Callable[Parameters, Answer],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Answer:
        """Make a call that takes its turn in the region's budget."""
        with self._lock:
            wait = self._budget(region).reserve()
        # Not under the lock: other threads reserve their turns meanwhile.
        if wait:
            self._clock.sleep(wait)
        return self.call(region, operation, *args, **kwargs)

    def call(
        self,
        region: str,
        operation: Callable[Parameters, Answer],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Answer:
        """Make a call at once. Slow down and repeat it for up to 15 minutes while AWS throttles it.

        Raises ClientError.
        """
        deadline = self._clock.now() + PATIENCE
        while True:
            try:
                answer = operation(*args, **kwargs)
            except ClientError as error:
                if code_of(error) not in THROTTLING or self._clock.now() > deadline:
                    raise
                self._clock.sleep(self._slow_down(region))
                continue

            # Botocore's own retries hide most throttling, so they count too.
            if _was_retried(answer):
                self._slow_down(region)
            return answer

    def pages(
        self,
        region: str,
        operation: Callable[Parameters, Answer],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Iterator[Answer]:
        """Read every page of an operation that takes and returns a NextToken."""
        page = self.read(region, operation, *args, **kwargs)
        yield page
        while next_token := page.get("NextToken"):
            kwargs["NextToken"] = next_token
            page = self.read(region, operation, *args, **kwargs)
            yield page

    def poll(
        self,
        read: Callable[[], Answer],
        is_final: Callable[[Answer], bool],
        longest_wait: float = LONGEST_WAIT,
    ) -> Answer:
        """Read until an answer is final, and return it. The waits grow to `longest_wait` seconds.

        There is no deadline: CloudFormation ends each of these operations itself.
        """
        wait = FIRST_WAIT
        while True:
            answer = read()
            if is_final(answer):
                return answer
            self._clock.sleep(wait)
            wait = min(1.5 * wait, longest_wait)

    def _slow_down(self, region: str) -> float:
        """Reduce the region's rate; return the seconds to wait before the next call."""
        with self._lock:
            budget = self._budget(region)
            budget.throttled()
            return budget.reserve()

    def _budget(self, region: str) -> RateBudget:
        return self._budgets.setdefault(region, RateBudget(self._clock, self._rate))


def _was_retried(answer: Mapping[str, object]) -> bool:
    """Return whether botocore repeated the call, which is a sign of throttling."""
    metadata = answer.get("ResponseMetadata")
    return isinstance(metadata, dict) and bool(metadata.get("RetryAttempts"))
