"""Botocore's sessions: one for each region, where the credentials come from STS.

A session keeps its credentials, and asks STS in the region of its first client. With one session a
dead region could take the credentials of all regions with it. AWS recommends the regional endpoints
of STS, and what one of them gives is valid in all regions (IAM User Guide, "Manage AWS STS in an
AWS Region").
"""

import os
from pathlib import Path
from typing import Any

from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.session import Session
from botocore.utils import JSONFileCache

from deploytool.aws.availability import watch
from deploytool.aws.breaker import Breaker
from deploytool.aws.limits import QUICK
from deploytool.aws.profiles import SignIn

# The credentials that STS gives, by botocore's name of their provider (METHOD in
# botocore.credentials). All others are the same in every region: keys of the environment or of a
# file, a process, the instance's, the identity center's, which is in one region that the profile
# names.
STS_PROVIDERS = ("assume-role", "assume-role-with-web-identity")


# Where the AWS CLI keeps what STS gave it (awscli.customizations.assumerole). The keys are botocore's.
CLI_CACHE = "~/.aws/cli/cache"

# The settings of a session on a local cloud: botocore's defaults. Neither a variable nor a file of the
# user's is read, so that none of them can be wrong there.
NO_SETTINGS = {
    name: (None, None, None if name.endswith("_file") else default, convert)
    for name, (_, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
}


class CliCache(dict[str, Any]):
    """What STS gave, in memory and in the files of the AWS CLI.

    A code of an MFA device is valid once. So what it brought is kept for the next command, as the
    AWS CLI does, and what the AWS CLI has kept is used.
    """

    def __init__(self) -> None:
        super().__init__()
        self._files = JSONFileCache(str(Path(CLI_CACHE).expanduser()))

    def __contains__(self, key: object) -> bool:
        if not super().__contains__(key):
            try:
                super().__setitem__(str(key), self._files[str(key)])
            except KeyError:
                # There is no such file, or it is damaged
                return False
        return True

    def __setitem__(self, key: str, value: object) -> None:
        super().__setitem__(key, value)
        try:
            self._files[key] = value
        except OSError:
            # A home folder that cannot be written to costs the user another code, and nothing else
            return


class Sessions:
    """The sessions of a run. Not safe to use from several threads.

    A local cloud's session has nothing of the user's: no profile, no variable and no file.
    """

    def __init__(self, breaker: Breaker, *, local: bool) -> None:
        self._breaker = breaker
        self._local = local
        self._by_region: dict[str, Session] = {}
        # The session of every region, once it is known that none needs its own.
        self._common: Session | None = None
        # What STS gave, for every session: it is asked again only after it did not answer.
        self._given: dict[str, Any] = {}
        self._kept = CliCache()

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
        session = Session(NO_SETTINGS if self._local else None)
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
        wants_code = _sign_in(session).wants_mfa_code
        cache = self._kept if wants_code else self._given
        providers = session.get_component("credential_provider")
        for name in STS_PROVIDERS:
            providers.get_provider(name).cache = cache


def _asks_sts(session: Session) -> bool:
    """Return whether the session's credentials come from STS."""
    credentials = session.get_credentials()
    if credentials is None:
        return False

    # A fault shows here, once, and not in several threads later. So it is with the code of an MFA
    # device, which the user types. STS is asked later, by each region beside the other.
    asks_sts = credentials.method in STS_PROVIDERS
    if not asks_sts or _sign_in(session).wants_mfa_code:
        credentials.get_frozen_credentials()
    return asks_sts


def _sign_in(session: Session) -> SignIn:
    return SignIn(session.full_config["profiles"], os.environ)
