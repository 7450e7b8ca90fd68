"""Botocore's errors become ours: the class carries the exit code and the hint."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from deploytool.aws.errors import translated
from deploytool.core.errors import CloudRefused, DeploytoolError, StaleVersion, Throttled


@pytest.mark.parametrize(
    ("raised", "becomes", "code", "says"),
    [
        (NoCredentialsError(), CloudRefused, 3, "--local"),
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
            CloudRefused,
            3,
            "AWS_ENDPOINT_URL",
        ),
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "X"),
            CloudRefused,
            3,
            "permission",
        ),
        (
            ClientError({"Error": {"Code": "ExpiredToken", "Message": "old"}}, "X"),
            CloudRefused,
            3,
            "sign in again",
        ),
        (
            ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "X"),
            Throttled,
            3,
            "run the command again",
        ),
        (
            ClientError({"Error": {"Code": "HealthCheckVersionMismatch", "Message": "no"}}, "X"),
            StaleVersion,
            1,
            "",
        ),
        (
            ClientError({"Error": {"Code": "ValidationError", "Message": "bad template"}}, "X"),
            DeploytoolError,
            1,
            "",
        ),
    ],
)
def test_an_error_says_what_was_being_done_and_how_to_go_on(
    raised: Exception, becomes: type[DeploytoolError], code: int, says: str
) -> None:
    """One place reads AWS's codes; everyone else sees our classes."""
    with pytest.raises(becomes, match="storing the code") as caught, translated("storing the code"):
        raise raised
    assert type(caught.value) is becomes
    assert caught.value.exit_code == code
    assert says in caught.value.hint


def test_our_own_errors_pass_unchanged() -> None:
    """Nothing is wrapped twice."""
    mine = DeploytoolError("mine")
    with pytest.raises(DeploytoolError) as caught, translated("doing"):
        raise mine
    assert caught.value is mine
