"""The translation of botocore's errors into ours, whose classes carry the exit code and the hint."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from deploytool.aws.availability import THROTTLING
from deploytool.aws.breaker import GLOBAL_REGION, NoAnswer
from deploytool.aws.hints import SIGN_IN_ERRORS, sign_in_hint, surroundings_hint
from deploytool.aws.refusals import refusal_hint
from deploytool.core.errors import (
    ApiUnavailable,
    CloudRefused,
    DeploytoolError,
    NoSuchHealthCheck,
    NoSuchZone,
    StaleVersion,
    Throttled,
)

# The prefix of the variables that set the address of all APIs, or of one service's (AWS SDKs and
# Tools Reference Guide, "Service-specific endpoints").
ENDPOINT = "AWS_ENDPOINT_URL"

# The variables of a proxy that botocore goes through (urllib.request.getproxies).
PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"}


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Run the block; raise a botocore error in it as one of ours that says what was being done.

    Raises ApiUnavailable for an API that does not answer, CloudRefused for credentials, permissions,
    throttling, connections and settings that are wrong on our side, StaleVersion for a lost
    compare-and-swap, NoSuchHealthCheck for a health check that Route 53 does not know,
    DeploytoolError for the rest.
    """
    try:
        yield
    except NoAnswer as error:
        raise _unavailable(error, doing) from error
    except ClientError as error:
        raise _from_client_error(error, doing) from error
    except SIGN_IN_ERRORS as error:
        raise CloudRefused(f"{doing}: {error}", hint=sign_in_hint(error)) from error
    except (BotoConnectionError, HTTPClientError) as error:
        hint = "check the network connection, AWS_CA_BUNDLE and AWS_ENDPOINT_URL"
        raise CloudRefused(f"{doing}: {error}", hint=hint) from error
    except BotoCoreError as error:
        raise DeploytoolError(f"{doing}: {error}") from error
    except OSError as error:
        # Botocore reads the file of a token again whenever it has to renew the credentials. Some of
        # its own errors are an OSError too, so this comes last.
        raise CloudRefused(f"{doing}: {error}", hint=surroundings_hint(error)) from error


@contextmanager
def connecting(doing: str) -> Iterator[None]:
    """Run the block, in which botocore reads the user's settings and looks for credentials.

    It lets faults of the user's files, variables and programs through: a program that is not there,
    an answer that is no JSON, a damaged token, an address that is none (boto/botocore issue 2351).
    Each of them becomes CloudRefused, and the rest is translated as `translated` does.
    """
    with translated(doing):
        try:
            yield
        except (BotoCoreError, ClientError, NoAnswer, DeploytoolError):
            raise
        except EOFError as error:
            message = f"{doing}: no MFA code was typed"
            raise CloudRefused(message, hint=surroundings_hint(error)) from error
        except Exception as error:
            reason = str(error) or type(error).__name__
            raise CloudRefused(f"{doing}: {reason}", hint=surroundings_hint(error)) from error


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


def _unavailable(error: NoAnswer, doing: str) -> ApiUnavailable:
    if error.found_earlier:
        message = f"{doing}: not tried, because the AWS API of {error.region} did not answer before"
    else:
        message = f"{doing}: the AWS API of {error.region} did not answer: {error.reason}"
    return ApiUnavailable(message, error.region, hint=_what_works(error.region))


def _what_works(region: str) -> str:
    """Return what somebody can do without the API of a region."""
    lacking = f"the API of {region}"
    if region == GLOBAL_REGION:
        lacking += ", with those of Route 53, IAM and CloudFront,"
    hint = (
        f"{lacking} is not needed to serve: DNS, health checks and what is deployed go on without"
        " it, and `deploytool check` tells which region serves"
    )

    between = [name for name in os.environ if name.startswith(ENDPOINT) or name in PROXIES]
    if between:
        hint += f"; if it is not down, check {', '.join(sorted(between))}"
    return hint


def _from_client_error(error: ClientError, doing: str) -> DeploytoolError:
    code = code_of(error)
    message = f"{doing}: {message_of(error)} ({code})"
    hint = refusal_hint(code, message_of(error))
    if hint:
        return CloudRefused(message, hint=hint)
    if code in THROTTLING:
        return Throttled(
            message,
            hint="AWS throttles this account; run the command again, and it resumes",
        )
    if code == "HealthCheckVersionMismatch":
        return StaleVersion(message)
    if code == "NoSuchHealthCheck":
        return NoSuchHealthCheck(message)
    if code == "NoSuchHostedZone":
        return NoSuchZone(message)
    return DeploytoolError(message)
