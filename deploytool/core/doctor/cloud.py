"""Judge the account: who calls, where the calls go, and the regions. Pure."""

from collections.abc import Collection, Mapping

from deploytool.core.doctor.finding import Finding, Topic
from deploytool.core.errors import ApiUnavailable, DeploytoolError
from deploytool.core.whereabouts import Caller, Whereabouts

CREDENTIALS = Topic("credentials", "credentials")
SIGN_IN = "docs/how-to/sign-in.md"


def judge_caller(caller: Caller, profile: str, region: str) -> Finding:
    """Judge who calls; `profile` is the profile in use, "" when keys of the environment are."""
    if caller.unknown:
        return CREDENTIALS.unanswered(ApiUnavailable(caller.unknown, region))

    source = f", profile {profile}" if profile else ""
    message = f"account {caller.account} as {caller.who}{source}"
    if caller.who == "the root user":
        return CREDENTIALS.warning(message, f"sign in with a role: {SIGN_IN}")
    return CREDENTIALS.ok(message)


def judge_endpoints(whereabouts: Whereabouts) -> Finding | None:
    """Judge where the calls go, None when the user has set no address of an API."""
    topic = Topic("endpoints", "endpoints")
    if whereabouts.elsewhere:
        addresses = ", ".join(whereabouts.elsewhere)
        return topic.warning(
            f"the calls go to {addresses}, which is not AWS",
            "unset AWS_ENDPOINT_URL; for deploytool's local cloud use --local",
        )
    addresses = ", ".join(whereabouts.by_address())
    return topic.ok(f"set by you: {addresses}") if addresses else None


def judge_region(
    region: str, own: Collection[str] | DeploytoolError, others: Mapping[str, Collection[str]]
) -> Finding:
    """Judge a region of the project.

    `own` are the enabled regions of the account by the region's own API, or why it did not say.
    `others` are the answers of the APIs of other regions.
    """
    topic = Topic(f"region.{region}", region)
    enabled = f"aws account enable-region --region-name {region}"
    if not isinstance(own, DeploytoolError):
        if region in own:
            return topic.ok("enabled in the account, and its API answers")
        return topic.problem("the account has not enabled this region", enabled)

    # The API of a region that is not enabled refuses good credentials
    if others and not any(region in answer for answer in others.values()):
        return topic.problem("the account has not enabled this region", enabled)
    if isinstance(own, ApiUnavailable):
        return topic.failed(own)
    return topic.unanswered(own)
