"""How far this machine's clock is from AWS's."""

import time

import pytest

from deploytool.aws.skew import clock_difference
from deploytool.core.errors import DeploytoolError
from tests.aws.apis import answering, forget_aws, refusing

REFUSAL = (
    "<ErrorResponse><Error><Code>MissingAuthenticationToken</Code><Message>no</Message></Error>"
    "</ErrorResponse>"
)


@pytest.mark.parametrize("ahead", [0.0, 600.0, -90.0])
def test_a_refusal_tells_the_time(ahead: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials are needed: the answer that refuses the call has the date."""
    forget_aws(monkeypatch)
    with answering(403, REFUSAL, ahead=ahead) as api:
        found = clock_difference("us-east-1", time.monotonic, time.time, api.url)
    assert found == pytest.approx(ahead, abs=2)
    assert api.requests[0][:2] == ("", "")  # not signed


def test_an_answer_of_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of a proxy is no answer of AWS, and its clock may be wrong too."""
    forget_aws(monkeypatch)
    with answering(200, "<html>sign in</html") as api, pytest.raises(DeploytoolError, match="date"):
        clock_difference("us-east-1", time.monotonic, time.time, api.url)


def test_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one nothing is known, and it ends at once."""
    forget_aws(monkeypatch)
    with refusing() as api, pytest.raises(DeploytoolError, match="for the time"):
        clock_difference("us-east-1", time.monotonic, time.time, api.url)
