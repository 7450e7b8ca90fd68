"""Botocore's sessions: one for each region, where the credentials come from STS.

A session keeps its credentials, and asks STS in the region of its first client. With one session a
dead region could take the credentials of all regions with it. AWS recommends the regional endpoints
of STS, and what one of them gives is valid in all regions (IAM User Guide, "Manage AWS STS in an
AWS Region").
"""

from typing import Any

from botocore.session import Session

from deploytool.aws.availability import watch
from deploytool.aws.breaker import Breaker
from deploytool.aws.limits import QUICK

# The credentials that STS gives, by botocore's name of their provider (METHOD in
# botocore.credentials). All others are the same in every region: keys of the environment or of a
# file, a process, the instance's, the identity center's, which is in one region that the profile
# names.
STS_PROVIDERS = ("assume-role", "assume-role-with-web-identity")


class Sessions:
    """The sessions of a run. Not safe to use from several threads.

    A local cloud's session has no profile: the user's AWS_PROFILE does not apply to it.
    """

    def __init__(self, breaker: Breaker, *, local: bool) -> None:
        self._breaker = breaker
        self._local = local
        self._by_region: dict[str, Session] = {}
        # The session of every region, once it is known that none needs its own.
        self._common: Session | None = None
        # What STS gave, for every session: it is asked again only after it did not answer.
        self._given: dict[str, Any] = {}

    def get(self, region: str) -> Session:
        """Return the session for clients in a region.

        Raises NoAnswer when STS does not answer, and botocore's errors for bad profiles.
        """
        if self._common is not None:
            return self._common
        if region not in self._by_region:
            session = self._create(region)
            if self._local or not _asks_sts(session):
                self._common = session
                return session
            self._by_region[region] = session
        return self._by_region[region]

    def _create(self, region: str) -> Session:
        variables = {"profile": (None, None, None, None)} if self._local else None
        session = Session(variables)
        watch(session, self._breaker)
        if self._local:
            return session

        # Botocore's default (botocore.configprovider). A profile or a variable may still say legacy,
        # with which most regions ask us-east-1 (botocore.args.LEGACY_GLOBAL_STS_REGIONS).
        session.set_config_variable("sts_regional_endpoints", "regional")
        session.set_config_variable("region", region)
        # STS answers at once, or not at all.
        session.set_default_client_config(QUICK.client_config())
        self._share_credentials(session)
        return session

    def _share_credentials(self, session: Session) -> None:
        """Let a session keep what STS gives in the cache of all sessions, as the AWS CLI does."""
        providers = session.get_component("credential_provider")
        for name in STS_PROVIDERS:
            providers.get_provider(name).cache = self._given


def _asks_sts(session: Session) -> bool:
    """Return whether the session's credentials come from STS."""
    credentials = session.get_credentials()
    if credentials is None or credentials.method not in STS_PROVIDERS:
        return False

    # The user types the code of an MFA device here, once, and not in several threads later.
    if "mfa_serial" in session.get_scoped_config():
        credentials.get_frozen_credentials()
    return True
