"""The translation of botocore's errors into ours, whose classes carry the exit code and the hint."""

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

# Services with XML answers, such as IAM and S3, and those with JSON answers, such as Systems Manager,
# have different codes for the same error. So each set has several.
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

# The codes of throttling that the services here have, of those in botocore.retries.standard.
# LimitExceededException is not one of them: CloudFormation answers with it when a quota is used up.
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
    """Run the block; raise a botocore error in it as one of ours that says what was being done.

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
        hint = (
            "sign in (aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID with its secret); "
            "without an account, use --local"
        )
        raise CloudRefused(f"{doing}: {error}", hint=hint) from error
    except (BotoConnectionError, HTTPClientError) as error:
        hint = "check the network connection and AWS_ENDPOINT_URL"
        raise CloudRefused(f"{doing}: {error}", hint=hint) from error
    except BotoCoreError as error:
        raise DeploytoolError(f"{doing}: {error}") from error


@contextmanager
def ignored(*codes: str) -> Iterator[None]:
    """Run the block; end it quietly when AWS answers with one of these error codes."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in codes:
            raise


def code_of(error: ClientError) -> str:
    """Return AWS's code of an error, such as ValidationError."""
    return error.response.get("Error", {}).get("Code", "")


def message_of(error: ClientError) -> str:
    """Return AWS's message of an error."""
    return error.response.get("Error", {}).get("Message", "") or str(error)


def _from_client_error(error: ClientError, doing: str) -> DeploytoolError:
    code = code_of(error)
    message = f"{doing}: {message_of(error)} ({code})"
    if code in CREDENTIALS:
        return CloudRefused(message, hint="the credentials are invalid or expired: sign in again")
    if code in PERMISSIONS:
        return CloudRefused(
            message, hint="the role or user of this command lacks the permission named above"
        )
    if code in THROTTLING:
        return Throttled(
            message,
            hint="AWS throttles this account; run the command again, and it resumes",
        )
    if code == "HealthCheckVersionMismatch":
        return StaleVersion(message)
    return DeploytoolError(message)
