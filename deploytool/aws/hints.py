"""What to do about each way in which signing in to AWS fails: the hints of the translated errors.

The hint names the command that helps, for the profile in use. The files are read again for that: an
error of botocore does not say which profile it is about.
"""

import os

from botocore.exceptions import (
    BotoCoreError,
    ConfigNotFound,
    ConfigParseError,
    CredentialRetrievalError,
    InfiniteLoopConfigError,
    InvalidConfigError,
    InvalidDefaultsMode,
    InvalidRetryConfigurationError,
    LoginError,
    MetadataRetrievalError,
    MissingDependencyException,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)
from botocore.session import Session

from deploytool.aws.profiles import SignIn, describe_parse_error

# Botocore's errors of signing in, and of the settings that it reads for that.
SIGN_IN_ERRORS = (
    ConfigNotFound,
    ConfigParseError,
    CredentialRetrievalError,
    InvalidConfigError,
    InvalidDefaultsMode,
    InvalidRetryConfigurationError,
    LoginError,
    MetadataRetrievalError,
    MissingDependencyException,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)

WITHOUT_ACCOUNT = "without an account, use --local"
GENERAL = (
    "sign in (aws login, aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID with its secret);"
    f" {WITHOUT_ACCOUNT}"
)
TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105  # the name of a variable

# `aws login` signs with a key that only this package handles (botocore.credentials.LoginProvider).
CRT = (
    'a profile of `aws login` needs one more package: pip install "botocore[crt]";'
    ' or hand its credentials over: eval "$(aws configure export-credentials --format env)"'
)
MFA = (
    "the role of the profile asks for an MFA code. Type it in a terminal; what the AWS CLI keeps of it"
    " is used too: aws sts get-caller-identity"
)


def sign_in() -> SignIn:
    """Return the user's profiles and variables. Without a profile when the files do not parse."""
    try:
        profiles = Session().full_config["profiles"]
    except BotoCoreError:
        profiles = {}
    return SignIn(profiles, os.environ)


def sign_in_hint(error: BotoCoreError) -> str:
    """Return what to do about one of SIGN_IN_ERRORS."""
    match error:
        case ConfigParseError():
            place = describe_parse_error(error.kwargs.get("error"))
            hint = f"fix {error.kwargs['path']}: {place}. {WITHOUT_ACCOUNT}"
        case ProfileNotFound():
            hint = _hint_of_profiles()
        case MissingDependencyException():
            hint = CRT
        case RefreshWithMFAUnsupportedError():
            hint = "the credentials of the MFA code have expired: run the command again, it resumes"
        case InfiniteLoopConfigError() | InvalidConfigError() | UnknownCredentialError():
            hint = f"fix the profile {sign_in().selected} in {_config_file()}; {WITHOUT_ACCOUNT}"
        case InvalidRetryConfigurationError() | InvalidDefaultsMode():
            hint = f"fix the setting in the environment (AWS_...) or in {_config_file()}"
        case _:
            hint = sign_in().command() or GENERAL
    return hint


def surroundings_hint(error: Exception) -> str:
    """Return what to do when a file or a program that gives credentials cannot be used."""
    if isinstance(error, EOFError):
        return MFA
    token_file = os.environ.get(TOKEN_FILE)
    if token_file and isinstance(error, OSError) and error.filename == token_file:
        return (
            f"{TOKEN_FILE} names a file that cannot be read. Unset it, or let the platform write it:"
            " in GitHub Actions `permissions: id-token: write` and aws-actions/"
            "configure-aws-credentials, on EKS the service account of the pod"
        )
    user = sign_in()
    if user.has_program_or_token:
        return user.command()
    return f"look at the AWS_ variables and at {_config_file()}; {WITHOUT_ACCOUNT}"


def _hint_of_profiles() -> str:
    names = sorted(sign_in().profiles)
    known = f"the profiles there are {', '.join(names)}" if names else "there is no profile there"
    return f"AWS_PROFILE names no profile of {_config_file()}; {known}"


def _config_file() -> str:
    return str(Session().get_config_variable("config_file"))
