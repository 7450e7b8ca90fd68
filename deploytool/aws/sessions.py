"""Clients: one a service and region, made once. Standard AWS conventions hold; a local cloud hands
in its endpoint.
"""

import threading
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.session import Session

from deploytool import __version__
from deploytool.aws.errors import translated

RETRIES = {"mode": "standard", "max_attempts": 8}


@dataclass(frozen=True)
class Endpoint:
    """Where to find an AWS that is not AWS, with the credentials that it takes."""

    url: str
    access_key: str
    secret_key: str
    session_token: str | None = None


class Clients:
    """Makes and keeps botocore's clients, which are boto3's too. Safe to use from several threads
    (making one is not: a lock).

    boto3 itself is not imported: it brings its file transfers along, a tenth of a run that finds
    nothing to do.
    """

    def __init__(self, endpoint: Endpoint | None = None) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._session: Session | None = None

    def get(self, service: str, region: str) -> Any:  # noqa: ANN401  # botocore makes its clients' types at run time
        """The client of a service in a region. Raises CloudRefused when there are no
        credentials.
        """
        with self._lock, translated(f"connecting to {service} in {region}"):
            if (service, region) not in self._clients:
                self._clients[service, region] = self._make(service, region)
            return self._clients[service, region]

    def _make(self, service: str, region: str) -> Any:  # noqa: ANN401  # as above
        config = Config(
            region_name=region,
            retries=RETRIES,  # type: ignore[arg-type]  # the stubs want a literal
            user_agent_extra=f"deploytool/{__version__}",
            s3={"addressing_style": "path"} if self._endpoint else {},
            proxies={} if self._endpoint else None,
        )
        if self._endpoint is None:
            self._session = self._session or Session()
            return self._session.create_client(service, config=config)
        # A session without a profile: what the user's AWS_PROFILE names plays no part on a local
        # cloud.
        self._session = self._session or Session({"profile": (None, None, None, None)})
        return self._session.create_client(
            service,
            config=config,
            endpoint_url=self._endpoint.url,
            aws_access_key_id=self._endpoint.access_key,
            aws_secret_access_key=self._endpoint.secret_key,
            aws_session_token=self._endpoint.session_token,
        )
