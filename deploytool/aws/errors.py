"""Botocore's errors become ours, here alone: the exit code and the hint come with the class."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from deploytool.core.errors import CloudRefused, DeploytoolError, StaleVersion, Throttled

CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
}
PERMISSIONS = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "AuthorizationError",
}
THROTTLING = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "SlowDown",
    "TooManyRequestsException",
}


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Run the block; a botocore error in it becomes one of ours that says what was being done.

    Raises CloudRefused for credentials, permissions, throttling and unreachable endpoints,
    StaleVersion for a lost compare-and-swap, DeploytoolError for the rest.
    """
    try:
        yield
    except ClientError as error:
        raise _from_client_error(error, doing) from error
    except (
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
        TokenRetrievalError,
    ) as error:
        hint = "sign in (aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID with its secret); without an account, use --local"
        raise CloudRefused(f"{doing}: {error}", hint=hint) from error
    except (BotoConnectionError, HTTPClientError) as error:
        raise CloudRefused(
            f"{doing}: {error}", hint="is the network there, and AWS_ENDPOINT_URL right?"
        ) from error
    except BotoCoreError as error:
        raise DeploytoolError(f"{doing}: {error}") from error


def code_of(error: ClientError) -> str:
    """AWS's code of an error, like ValidationError."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """AWS's words for an error."""
    return str(error.response.get("Error", {}).get("Message", "")) or str(error)


def _from_client_error(error: ClientError, doing: str) -> DeploytoolError:
    code, said = code_of(error), f"{doing}: {message_of(error)} ({code_of(error)})"
    if code in CREDENTIALS:
        return CloudRefused(said, hint="the credentials are not valid (any more): sign in again")
    if code in PERMISSIONS:
        return CloudRefused(
            said, hint="the role or user that runs this lacks the permission named above"
        )
    if code in THROTTLING:
        return Throttled(
            said,
            hint="AWS throttles this account; run the command again, it goes on where it stopped",
        )
    if code == "HealthCheckVersionMismatch":
        return StaleVersion(said)
    return DeploytoolError(said)
