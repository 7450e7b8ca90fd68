"""Botocore's events, watched for the calls that an API does not answer.

`watch` registers the handlers with a session. Its clients take them over, also those with which
botocore itself asks STS or the identity center for credentials.

An API does not answer when no connection is made (refused, no address for its name, too slow), when
the connection ends or stays silent, and when the answer is an error 5xx of the service. It does
answer when it throttles the call, whatever the status of that: S3's SlowDown is a 503.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
)
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError
from botocore.session import Session
from botocore.signers import RequestSigner

from deploytool.aws.breaker import Api, Breaker, NoAnswer

# The codes of throttling that the services here have, of those in botocore.retries.standard.
# LimitExceededException is not one of them: CloudFormation answers with it when a quota is used up.
THROTTLING = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "PriorRequestNotComplete",  # Route 53 is still at a change of the zone (API reference)
    "SlowDown",
    "TooManyRequestsException",
}

# What botocore raises when a connection brings no answer, or something else than an answer of AWS.
# Of its other errors, a certificate that cannot be verified (SSLError) proves nothing about the API.
UNANSWERED = (
    EndpointConnectionError,
    ConnectTimeoutError,
    ReadTimeoutError,
    ConnectionClosedError,
    ProxyConnectionError,
    ResponseParserError,
)

# Those that botocore repeats too (TransientRetryableChecker in botocore.retries.standard).
UNAVAILABLE = {500, 502, 503, 504}

# The attempts of a call that AWS throttles, also where a command makes few: an answer that refuses
# comes at once, so the next attempt costs its pause alone. The pauses double, from this many seconds
# to the longest, and add up to 6.4 s at most, after botocore's own first one of a second at most.
# Botocore's own limits may allow more.
THROTTLED_ATTEMPTS = 6
FIRST_PAUSE = 0.4
LONGEST_PAUSE = 2.0

# What botocore keeps of each call, and the key of our entry there.
Context = dict[str, Any]
CALL = "deploytool_call"

# The call that tells who is calling. It waits briefly and nothing depends on it, so its silence does
# not close a region.
UNWATCHED = ("STS", "GetCallerIdentity")

# An answer as botocore has parsed it.
Parsed = Mapping[str, Any]


@dataclass(frozen=True)
class _Call:
    """A call under way; `began` is the breaker's number for its start."""

    api: Api
    began: int


def watch(session: Session, breaker: Breaker) -> None:
    """Let a session's clients tell the breaker how their calls end, and ask it before each one.

    A call that is not answered raises NoAnswer.
    """
    watcher = _Watcher(breaker)
    events = session.get_component("event_emitter")
    events.register("before-call", watcher.before_call)
    events.register("request-created", watcher.request_created)
    events.register("needs-retry", watcher.needs_retry)
    events.register("after-call", watcher.after_call)
    events.register("after-call-error", watcher.after_call_error)


class _Watcher:
    """The handlers. Botocore passes each of them more keywords than it needs."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def before_call(
        self, *, model: OperationModel, request_signer: RequestSigner, context: Context, **_: object
    ) -> None:
        """Before the first attempt: nothing waits for an API that is down."""
        if (model.service_model.service_id, model.name) == UNWATCHED:
            return
        # The rules of the service's endpoints give the region in the call's context. They give none
        # for an endpoint of the user's, and for services whose calls are not signed.
        region = context.get("signing", {}).get("region") or request_signer.region_name
        api = Api(region, model.service_model.service_id)
        context[CALL] = _Call(api, self._breaker.begin(api))

    def request_created(self, *, request: AWSRequest, **_: object) -> None:
        """Before each attempt: another call may have found the API down meanwhile."""
        if CALL in request.context:
            self._breaker.check(request.context[CALL].api)

    def needs_retry(
        self,
        *,
        response: tuple[AWSResponse, Parsed] | None,
        caught_exception: Exception | None,
        request_dict: Mapping[str, Any],
        attempts: int,
        **_: object,
    ) -> float | None:
        """After each attempt, before botocore waits for the next one.

        Return the seconds until the next attempt where botocore makes none: botocore takes the first
        answer of its handlers that is not None (botocore.endpoint.Endpoint._needs_retry).
        """
        context = request_dict["context"]
        call: _Call | None = context.get(CALL)
        if call is None:
            return None
        if response is not None and not _is_unavailable(*response):
            self._breaker.answered(call.api)
            if _code_in(response[1]) in THROTTLING and attempts >= _own_attempts(context):
                return _pause_after(attempts)
        elif response is not None or isinstance(caught_exception, UNANSWERED):
            # As before each attempt, so that it does not wait for the next one first.
            self._breaker.check(call.api)
        return None

    def after_call(
        self, *, http_response: AWSResponse, parsed: Parsed, context: Context, **_: object
    ) -> None:
        """After the last attempt, if it brought an answer."""
        if CALL in context and _is_unavailable(http_response, parsed):
            error = parsed.get("Error", {})
            reason = f"{error.get('Message')} ({error.get('Code')})"
            self._fail(context[CALL], reason, is_silent=False)

    def after_call_error(self, *, exception: Exception, context: Context, **_: object) -> None:
        """After the last attempt, if it brought no answer."""
        if CALL in context and isinstance(exception, UNANSWERED):
            self._fail(context[CALL], str(exception), is_silent=True)

    def _fail(self, call: _Call, reason: str, *, is_silent: bool) -> None:
        self._breaker.failed(call.api, call.began, reason, is_silent=is_silent)
        raise NoAnswer(call.api.region, reason)


def _is_unavailable(response: AWSResponse, parsed: Parsed) -> bool:
    return response.status_code in UNAVAILABLE and _code_in(parsed) not in THROTTLING


def _code_in(parsed: Parsed) -> str:
    return str(parsed.get("Error", {}).get("Code", ""))


def _own_attempts(context: Context) -> int:
    """Return the attempts that botocore makes of a call, as the client's configuration has them."""
    retries: Mapping[str, int] = context["client_config"].retries or {}
    return retries.get("total_max_attempts", THROTTLED_ATTEMPTS)


def _pause_after(attempts: int) -> float | None:
    """Return the seconds until the next attempt of a throttled call, None when it was the last.

    A random part spreads the calls of several commands.
    """
    if attempts >= THROTTLED_ATTEMPTS:
        return None
    longest = min(FIRST_PAUSE * 2.0 ** (attempts - 1), LONGEST_PAUSE)
    return random.uniform(longest / 2, longest)  # noqa: S311  # keeps no secret
