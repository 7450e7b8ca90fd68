"""AWS's codes of a refused call, and what to do about each.

Services with XML answers, such as IAM and S3, and those with JSON answers, such as Systems Manager,
have different codes for the same error. So each set has several. Sources: "Common Error Types" of the
API references; the errors of STS; botocore.retries and the issues named below.
"""

from deploytool.aws.hints import GENERAL, sign_in

# The credentials are unknown, incomplete or too old.
CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
}

# The credentials are good and do not allow the call. S3 answers to HEAD without a body, so that the
# status is the code (boto3 guide, "Error handling"). ForbiddenException is IAM Identity Center's.
PERMISSIONS = {
    "403",
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "Forbidden",
    "ForbiddenException",
    "NotAuthorized",
    "UnauthorizedOperation",
}

# Codes that also say that the account has not enabled the region (aws/chalice issue 1445: a region
# since 2019 has to be enabled, and answers that the token is invalid).
OF_A_DISABLED_REGION = {"AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"}
REGION_DISABLED = {"OptInRequired", "RegionDisabledException"}

# A signature is valid for minutes (IAM User Guide, "Elements of an AWS API request signature"). Where
# the code is that of any wrong signature, the text tells.
CLOCK = {"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"}
CLOCK_TEXTS = ("Signature expired", "Signature not yet current")

# The identity provider of a web identity does not suit the account (API reference of
# AssumeRoleWithWebIdentity).
WEB_IDENTITY = {"IDPCommunicationError", "IDPRejectedClaim", "InvalidIdentityToken"}

ENABLE_REGION = "aws account enable-region --region-name REGION"


def is_of_credentials(code: str, message: str) -> bool:
    """Return whether a refusal is about the credentials, the clock or the region, for every call."""
    is_of_clock = code in CLOCK or any(text in message for text in CLOCK_TEXTS)
    return is_of_clock or code in CREDENTIALS | REGION_DISABLED | WEB_IDENTITY


def refusal_hint(code: str, message: str) -> str:
    """Return what to do about a refused call, empty when the code is of another kind."""
    if code in CLOCK or any(text in message for text in CLOCK_TEXTS):
        return (
            "the clock of this machine is wrong, and AWS refuses what is signed with it: set it"
            " (Linux: timedatectl set-ntp true; macOS: sudo sntp -sS time.apple.com)"
        )
    if code in REGION_DISABLED:
        return f"the account has not enabled the service or the region: {ENABLE_REGION}"
    if code in WEB_IDENTITY:
        return (
            "the account has no identity provider that accepts this token: deploytool bootstrap"
            " creates the one of GitHub Actions, with the audience sts.amazonaws.com"
        )
    if code in CREDENTIALS:
        return _credentials_hint(code)
    if code in PERMISSIONS:
        return _permissions_hint(code, message)
    return ""


def _credentials_hint(code: str) -> str:
    hint = f"the credentials are invalid or expired; {sign_in().command() or GENERAL}"
    if code in OF_A_DISABLED_REGION:
        hint += f". Where they are good elsewhere, enable the region: {ENABLE_REGION}"
    return hint


def _permissions_hint(code: str, message: str) -> str:
    if code == "ForbiddenException":
        return (
            "IAM Identity Center gives this user no such role: see sso_account_id and sso_role_name"
            " of the profile"
        )
    if "sts:AssumeRoleWithWebIdentity" in message:
        return (
            "the role does not trust this token: run deploytool bootstrap with the repository, in"
            " the form that its tokens have, and with the branch or environment of the job"
        )
    if "sts:AssumeRole" in message:
        return "the caller needs sts:AssumeRole, and the role must trust the caller"
    if "MultiFactorAuthentication failed" in message:
        return "the MFA code was wrong, or was used already: wait for the next one and try again"
    if "service control policy" in message or "resource control policy" in message:
        return (
            "a policy of the organization forbids it, often for every region but a few: its"
            " administrator can allow it, or choose other regions"
        )
    return "the role or user of this command lacks the permission named above"
