"""The translation of botocore's errors: the class carries the exit code and the hint."""

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, SSLError

from deploytool.aws.breaker import NoAnswer
from deploytool.aws.errors import ignored, translated
from deploytool.core.errors import (
    ApiUnavailable,
    CloudRefused,
    DeploytoolError,
    StaleVersion,
    Throttled,
)


@pytest.mark.parametrize(
    ("raised", "class_", "exit_code", "hint"),
    [
        (NoCredentialsError(), CloudRefused, 3, "--local"),
        (NoAnswer("us-west-2", "it was silent"), ApiUnavailable, 4, "the API of us-west-2"),
        (
            SSLError(endpoint_url="https://127.0.0.1:1", error="unknown CA"),
            CloudRefused,
            3,
            "AWS_CA_BUNDLE",
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
            "invalid or expired; sign in",
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
def test_an_error_tells_what_was_being_done_and_how_to_go_on(
    raised: Exception, class_: type[DeploytoolError], exit_code: int, hint: str
) -> None:
    """Each of AWS's codes has one of our classes."""
    with pytest.raises(class_, match="storing the code") as caught, translated("storing the code"):
        raise raised
    assert type(caught.value) is class_
    assert caught.value.exit_code == exit_code
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        ("RequestExpired", "", "the clock of this machine"),
        ("RequestTimeTooSkewed", "", "the clock of this machine"),
        ("InvalidSignatureException", "Signature expired: 1 is now earlier", "the clock"),
        ("SignatureDoesNotMatch", "Signature not yet current: 1 is still later", "the clock"),
        ("SignatureDoesNotMatch", "The request signature we calculated", "invalid or expired"),
        ("InvalidSignatureException", "", "invalid or expired"),
        ("InvalidToken", "", "invalid or expired"),
        ("MissingAuthenticationToken", "", "invalid or expired"),
        ("AuthFailure", "", "aws account enable-region"),
        ("UnrecognizedClientException", "The security token", "aws account enable-region"),
        ("OptInRequired", "", "has not enabled"),
        ("RegionDisabledException", "", "has not enabled"),
        ("InvalidIdentityToken", "No OpenIDConnect provider found", "deploytool bootstrap"),
        ("403", "Forbidden", "lacks the permission"),
        ("AccessDenied", "with an explicit deny in a service control policy", "organization"),
        ("ForbiddenException", "No access", "sso_role_name"),
        ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", "bootstrap"),
        ("AccessDenied", "is not authorized to perform: sts:AssumeRole", "must trust the caller"),
        ("AccessDenied", "MultiFactorAuthentication failed with invalid MFA", "the next one"),
    ],
)
def test_a_refused_call_says_what_helps(code: str, message: str, hint: str) -> None:
    """Each ends with exit code 3. A code of a wrong signature may be about the clock."""
    error = ClientError({"Error": {"Code": code, "Message": message}}, "X")
    with pytest.raises(CloudRefused) as caught, translated("reading"):
        raise error
    assert caught.value.exit_code == 3
    assert hint in caught.value.hint


def test_a_file_that_botocore_cannot_read_is_no_bug() -> None:
    """It reads the file of a token again while a run goes on."""
    with pytest.raises(CloudRefused, match="/no/token") as caught, translated("reading"):
        raise FileNotFoundError(2, "No such file or directory", "/no/token")
    assert caught.value.hint


def test_our_own_errors_pass_unchanged() -> None:
    """No error is translated twice."""
    own = DeploytoolError("own")
    with pytest.raises(DeploytoolError) as caught, translated("doing"):
        raise own
    assert caught.value is own


def test_only_the_given_codes_are_ignored() -> None:
    """Any other error leaves the block."""
    with ignored("NotFound", "Gone"):
        raise ClientError({"Error": {"Code": "Gone"}}, "X")
    with pytest.raises(ClientError), ignored("NotFound"):
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "X")


def test_an_api_that_does_not_answer_names_what_stands_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy, or an endpoint of the user's, may be what does not answer."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(ApiUnavailable) as caught, translated("reading"):
        raise NoAnswer("us-west-2", "Failed to connect to proxy URL")
    assert "HTTPS_PROXY" in caught.value.hint
