"""EventBridge Scheduler: run schedules on time in a fast cloud, and repeat a request without harm.

MiniStack looks for schedules that are due every 10 seconds, and ignores ClientToken. Source: API
reference of EventBridge Scheduler, CreateSchedule, DeleteSchedule and their siblings (ClientToken:
"to ensure the idempotency of the request"). botocore sends the same token with each attempt of a
call, so that an attempt whose answer was lost does no harm.
"""

import json
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "scheduler._SCHEDULE_TICK_INTERVAL": "schedules are up to 10 s late",
    "scheduler.handle_request": "a request repeated with its ClientToken is a conflict",
}

# Seconds of wall time between two polls for due schedules. Schedules count wall time whatever the
# cloud's speed, and a poll takes microseconds.
INTERVAL = 0.25

# The statuses with which MiniStack answers a creation of what exists and a deletion of what does not
_REPEATED = {"POST": 409, "DELETE": 404}
_TOKEN_KEYS = ("ClientToken", "clientToken")

Answer = tuple[int, dict[str, str], bytes]


class Tokens:
    """The requests that succeeded, by account, region, method, path and token, with their answers.

    How long AWS keeps a token is not documented. Here it is kept as long as the cloud lives.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._responses = ministack.responses
        self._answers: dict[tuple[str, ...], tuple[Any, Answer]] = {}

    def answer(self, method: str, path: str, token: str, request: Any, answer: Answer) -> Answer:
        """Return the answer to a request: that of the first time when it repeats one."""
        account, region = self._responses.get_account_id(), self._responses.get_region()
        key = (account, region, method, path, token)
        status = answer[0]
        if status < 400:
            self._answers[key] = (request, answer)
            return answer
        if status != _REPEATED.get(method) or key not in self._answers:
            return answer

        # The same token with another request is a conflict (our reading).
        first_request, first_answer = self._answers[key]
        return first_answer if first_request == request else answer


def install(patcher: Patcher) -> None:
    """Shorten the interval, which MiniStack's thread reads before each pause, and keep tokens."""
    patcher.replace("scheduler._SCHEDULE_TICK_INTERVAL", INTERVAL)
    tokens = Tokens(patcher.ministack)

    async def handle_request(
        method: str, path: str, headers: Any, body_bytes: bytes, query_params: Any
    ) -> Answer:
        answer: Answer = await handle_original(method, path, headers, body_bytes, query_params)
        request = _request(body_bytes, query_params)
        token = next((request[key] for key in _TOKEN_KEYS if request.get(key)), None)
        if not token:
            return answer
        return tokens.answer(method, path, str(token), request, answer)

    handle_original = patcher.replace("scheduler.handle_request", handle_request)


def _request(body: bytes, query: Any) -> dict[str, Any]:
    """Return the parameters of a request; those of a deletion are in its query."""
    try:
        given = json.loads(body) if body else {}
    except ValueError:
        given = {}
    return {**query, **given} if isinstance(given, dict) else dict(query)
