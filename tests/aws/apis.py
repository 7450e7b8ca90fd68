"""AWS APIs on loopback sockets, each alive or failing in one way, which count the attempts."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

# The parts of a signature's scope: the region and the service
SCOPE = "/aws4_request"


class Api:
    """What a server has been asked. `requests` has the region, the service and the form of each."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[tuple[str, str, str]] = []
        self.connections = 0


def scope_of(authorization: str) -> tuple[str, str]:
    """The region and the service that a request is signed for."""
    scope = authorization.partition("Credential=")[2].partition(SCOPE)[0]
    parts = scope.split("/")
    return (parts[-2], parts[-1]) if len(parts) == 4 else ("", "")


def forget_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing of the AWS settings of the person who runs the tests; loopback needs no proxy."""
    for name in tuple(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@contextmanager
def answering(
    status: int = 200,
    body: object = None,
    code: str = "",
    dead: tuple[str, ...] = (),
    ahead: float = 0.0,
) -> Iterator[Api]:
    """A server that gives one answer.

    `code` is that of an error. With `dead`, only the requests for these regions get the status 503.
    Its clock is `ahead` of this machine's, in seconds.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            form = self.rfile.read(length).decode()
            region, service = scope_of(self.headers.get("authorization", ""))
            api.requests.append((region, service, form))

            is_dead = region in dead
            content: Any = {"__type": code, "message": "it says"} if code else body or {}
            content = "<html>Service Unavailable</html>" if is_dead else content
            data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(503 if is_dead else status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST  # noqa: N815  # the name that http.server calls

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time.time()) + ahead)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = Api(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def accepting(*, close: bool) -> Iterator[Api]:
    """A server that accepts each connection, and then closes it or never answers."""
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            api.connections += 1
            if close:
                connection.recv(65536)
                connection.close()
            else:
                kept.append(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        api = Api(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield api
        finally:
            # Closing alone does not wake a thread that waits in accept
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in kept:
                connection.close()


@contextmanager
def refusing() -> Iterator[Api]:
    """A port that refuses connections: it is bound, and nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield Api(f"http://127.0.0.1:{bound.getsockname()[1]}")


@contextmanager
def unresolvable() -> Iterator[Api]:
    """A name that no resolver has an address for (RFC 2606)."""
    yield Api("http://api.invalid")
