"""HTTPS requests to a given address, with the domain's name in TLS and in the Host header."""

import json
import time
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import HttpAnswer

# In seconds of wall time, for the connection and again for each part of the answer.
TIMEOUT = 5.0
REGION_HEADER = "x-served-by-region"


class _ToAddress(HTTPAdapter):
    """Connects to the address in the URL, and expects the domain's certificate there."""

    def __init__(self, domain: str) -> None:
        self._domain = domain
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # requests' signature
        """Set SNI and the name to verify (urllib3's documented pool arguments)."""
        super().init_poolmanager(
            *args, server_hostname=self._domain, assert_hostname=self._domain, **kwargs
        )


class HttpsClient:
    """The Http port. `ca` is a PEM file to trust instead of the public authorities.

    The limits are in seconds: `connect` for the connection and again for the TLS handshake, `read`
    for each part of an answer.
    """

    def __init__(
        self,
        https_port: int = 443,
        ca: Path | None = None,
        connect: float = TIMEOUT,
        read: float = TIMEOUT,
    ) -> None:
        self._port = https_port
        self._timeout = (connect, read)
        self._verify: bool | str = str(ca) if ca else True

    def get(self, domain: str, address: str, path: str) -> HttpAnswer:
        """GET https://<domain><path> at an address, on a connection of its own.

        Raises ProbeFailed: refused, timeout, tls, reset or other.
        """
        connection = self._open(domain, address, "close")
        try:
            return connection.get(path)
        finally:
            connection.close()

    def connect(self, domain: str, address: str) -> "KeptConnection":
        """Return a connection that is kept from one request to the next."""
        return self._open(domain, address, "keep-alive")

    def _open(self, domain: str, address: str, connection: str) -> "KeptConnection":
        session = requests.Session()
        # No proxy, .netrc or REQUESTS_CA_BUNDLE may change the address or the trusted authority.
        session.trust_env = False
        session.verify = self._verify
        session.headers.update(
            {"Host": domain, "Connection": connection, "Accept": "application/json"}
        )
        session.mount("https://", _ToAddress(domain))
        host = f"[{address}]" if ":" in address else address  # an IPv6 address needs brackets
        url = f"https://{host}:{self._port}"
        return KeptConnection(session, url, domain, address, self._timeout)


class KeptConnection:
    """The Connection port on a session of requests."""

    def __init__(
        self,
        session: requests.Session,
        url: str,
        domain: str,
        address: str,
        timeout: tuple[float, float],
    ) -> None:
        self._session = session
        self._url = url
        self._domain = domain
        self._address = address
        self._timeout = timeout

    def get(self, path: str) -> HttpAnswer:
        """GET the path. Raises ProbeFailed: refused, timeout, tls, reset or other."""
        started = time.monotonic()
        try:
            answer = self._session.get(
                self._url + path, timeout=self._timeout, allow_redirects=False
            )
            body = answer.content
        except requests.RequestException as error:
            raise failure_of(error, self._domain, self._address) from error

        document = document_of(body)
        return HttpAnswer(
            status=answer.status_code,
            region=answer.headers.get(REGION_HEADER),
            version=document.get("version"),
            request_id=document.get("request_id"),
            seconds=time.monotonic() - started,
            headers={name.lower(): value for name, value in answer.headers.items()},
        )

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def document_of(body: bytes) -> dict[str, str]:
    """Return the JSON object of an answer's body; empty when the body is something else."""
    try:
        document = json.loads(body)
        if not isinstance(document, dict):
            return {}
        return {key: str(value) for key, value in document.items()}
    except (ValueError, RecursionError):
        return {}


def failure_of(error: requests.RequestException, domain: str, address: str) -> ProbeFailed:
    """Translate an error of requests, whose own text has several lines of internals."""
    # SSLError and ConnectTimeout are kinds of ConnectionError, so the order matters.
    match error:
        case requests.exceptions.SSLError():
            kind, reason = "tls", _tls_reason(error)
        case requests.exceptions.ConnectTimeout():
            kind, reason = "timeout", "no connection within the time limit"
        case requests.exceptions.Timeout():
            kind, reason = "timeout", "no answer within the time limit"
        case requests.exceptions.ConnectionError() if "refused" in str(error):
            kind, reason = "refused", "the connection is refused"
        case requests.exceptions.ConnectionError() | requests.exceptions.ChunkedEncodingError():
            kind, reason = "reset", "the connection ended before the answer"
        case _:
            kind, reason = "other", str(error)
    return ProbeFailed(kind, f"https://{domain} at {address}: {reason}")


def _tls_reason(error: requests.exceptions.SSLError) -> str:
    """Return what is wrong with TLS: the text after OpenSSL's own names, as far as it has one."""
    _, found, reason = str(error).rpartition("certificate verify failed: ")
    if not found:
        return f"TLS failed: {error}"
    return f"the certificate is not valid: {reason.split(' (_ssl')[0]}"
