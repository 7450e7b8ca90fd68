"""The call of an HTTP_PROXY integration: one request, and the endpoint's answer as it is."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploytool.localcloud.ministack.patches.http_proxy import call


@pytest.fixture
def endpoint() -> Iterator[str]:
    """The address of a server that redirects, sets two cookies and reports the request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.send_header("Set-Cookie", "a=1")
            self.send_header("Set-Cookie", "b=2")
            self.send_header("Connection", "close")
            region = self.headers["x-api-region"]
            self.send_header("X-Request", f"{self.path} {region} {self.headers['host']}")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_status_headers_and_body_are_passed_on_unchanged(endpoint: str) -> None:
    """No redirect is followed, a repeated header stays, and the Host is that of the endpoint."""
    status, headers, body = call(
        "POST", f"http://{endpoint}/a?b=1", {"x-api-region": "us-east-1"}, b"hello", 5
    )
    assert (status, body) == (302, b"hello")
    assert headers["Location"] == "/elsewhere"
    assert headers["Set-Cookie"] == ["a=1", "b=2"]
    assert headers["X-Request"] == f"/a?b=1 us-east-1 {endpoint}"
    assert "Connection" not in headers


def test_an_endpoint_that_refuses_or_does_not_answer_is_an_error() -> None:
    """A refused connection and a timeout raise errors; API Gateway answers 504 for either."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(TimeoutError):
            call("GET", url, {}, b"", 0.1)
    with pytest.raises(ConnectionRefusedError):
        call("GET", url, {}, b"", 5)
