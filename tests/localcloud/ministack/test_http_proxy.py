"""The call of an HTTP_PROXY integration: one request, and the endpoint's answer as it is."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploytool.localcloud.ministack.patches.http_proxy import call


@pytest.fixture
def endpoint() -> Iterator[str]:
    """The address of a server that redirects, sets two cookies and says what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(302)
            for name, value in (
                ("Location", "/elsewhere"),
                ("Set-Cookie", "a=1"),
                ("Set-Cookie", "b=2"),
                ("Connection", "close"),
            ):
                self.send_header(name, value)
            self.send_header(
                "X-Asked", f"{self.path} {self.headers['x-api-region']} {self.headers['host']}"
            )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_status_headers_and_body_come_through_as_they_are(endpoint: str) -> None:
    """A redirect is the client's to follow, a header may come twice, and the Host is the endpoint's
    own.
    """
    status, headers, body = call(
        "POST", f"http://{endpoint}/a?b=1", {"x-api-region": "us-east-1"}, b"hello", 5
    )
    assert (status, body) == (302, b"hello")
    assert headers["Location"] == "/elsewhere"
    assert headers["Set-Cookie"] == ["a=1", "b=2"]
    assert headers["X-Asked"] == f"/a?b=1 us-east-1 {endpoint}"
    assert "Connection" not in headers


def test_an_endpoint_that_is_not_there_or_says_nothing_is_an_error() -> None:
    """Refused or too late: API Gateway answers 504 for either."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(TimeoutError):
            call("GET", url, {}, b"", 0.1)
    with pytest.raises(ConnectionRefusedError):
        call("GET", url, {}, b"", 5)
