"""A proxy in front of a local cloud's AWS API that lets calls fail as AWS and networks do."""

import http.client
import json
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from urllib.parse import urlsplit

# Of a signature version 4: the credential's scope
_SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/")
_ACTION = re.compile(rb"Action=(\w+)")
# Services with an XML protocol; the others here speak JSON
_XML = {"cloudformation", "route53", "iam", "sts", "s3"}
_THROTTLED_WITH_429 = {"lambda", "apigateway", "scheduler"}
# Between two hops only (RFC 9110, section 7.6.1), or set by this proxy
_NOT_PASSED_ON = {"connection", "content-length", "transfer-encoding", "expect", "date"}
_LONGEST_ANSWER = 300.0  # seconds


class Fault(StrEnum):
    """What happens to a call."""

    THROTTLED = "throttled"  # refused, not executed
    FAILED = "failed"  # status 500, not executed
    FAILED_LATE = "failed late"  # executed, then status 500
    RESET = "reset"  # the connection is reset before the call is executed
    LOST = "lost"  # executed, then the connection is reset
    SLOW = "slow"  # executed after some seconds
    EXPIRED = "expired"  # refused, because the credentials have expired


@dataclass(frozen=True)
class Weather:
    """The share of calls that each fault meets, and the seconds by which a slow call is late."""

    name: str
    shares: Mapping[Fault, float]
    seconds: tuple[float, float] = (1.0, 3.0)

    def draw(self, random: Random) -> Fault | None:
        """Return what happens to the next call; None when nothing does."""
        number = random.random()
        for fault, share in self.shares.items():
            if number < share:
                return fault
            number -= share
        return None


class FaultProxy:
    """A running proxy. Safe to use from several threads.

    It draws a fault for each call with `weather`, and passes every call on without one. `counts` has
    the number of calls that each fault has met.
    """

    def __init__(self, upstream: str) -> None:
        self.weather: Weather | None = None
        self.counts: Counter[Fault] = Counter()
        self.upstream = urlsplit(upstream)
        self._random = Random(0)  # noqa: S311  # chooses cases, keeps no secret
        self._lock = threading.Lock()

    @contextmanager
    def storm(self, weather: Weather, seed: int) -> Iterator[None]:
        """Let calls meet faults during the block."""
        with self._lock:
            self._random = Random(seed)  # noqa: S311  # as above
            self.weather = weather
        try:
            yield
        finally:
            with self._lock:
                self.weather = None

    def next_fault(self) -> tuple[Fault | None, float]:
        """Return what happens to the next call, and the seconds by which it is late if slow."""
        with self._lock:
            if self.weather is None:
                return None, 0.0
            fault = self.weather.draw(self._random)
            if fault is not None:
                self.counts[fault] += 1
            return fault, self._random.uniform(*self.weather.seconds)


@contextmanager
def fault_proxy(upstream: str) -> Iterator[tuple[FaultProxy, str]]:
    """Run a proxy on a loopback port during the block; give it and its URL."""
    proxy = FaultProxy(upstream)

    class Handler(_Handler):
        owner = proxy

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,))
        thread.start()
        try:
            yield proxy, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _cbor(text: str) -> bytes:
    """Return a short text in CBOR (RFC 8949, section 3.1, major type 3)."""
    data = text.encode()
    return bytes([0x78, len(data)]) + data


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: clients that are killed reset their connections."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: FaultProxy

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def _serve(self) -> None:
        body = self._body()
        # The control of the local cloud is no API of AWS
        is_control = self.path.startswith("/_deploytool")
        fault, seconds = (None, 0.0) if is_control else self.owner.next_fault()
        match fault:
            case None:
                self._answer(*self._ask(body))
            case Fault.SLOW:
                time.sleep(seconds)
                self._answer(*self._ask(body))
            case Fault.THROTTLED | Fault.FAILED | Fault.EXPIRED:
                self._refuse(fault, body)
            case Fault.FAILED_LATE:
                self._ask(body)
                self._refuse(fault, body)
            case Fault.RESET:
                self._reset()
            case Fault.LOST:
                self._ask(body)
                self._reset()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _serve  # noqa: N815  # names of http.server

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            length = int(self.headers.get("Content-Length") or 0)
            return self.rfile.read(length)
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Pass the call on; return the status, the headers and the body of the answer."""
        upstream = self.owner.upstream
        connection = http.client.HTTPConnection(
            str(upstream.hostname), upstream.port, timeout=_LONGEST_ANSWER
        )
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in _NOT_PASSED_ON
        }
        # A body that is empty has a length too: botocore signs it
        if body or self.command in {"POST", "PUT", "PATCH"}:
            headers["Content-Length"] = str(len(body))
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _NOT_PASSED_ON:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, fault: Fault, body: bytes) -> None:
        """Answer with an error as the service of the call writes it."""
        scope = _SCOPE.search(self.headers.get("Authorization", ""))
        service = scope[2] if scope else ""
        status, code, message = 500, "InternalFailure", "An internal error has occurred"
        if fault is Fault.THROTTLED:
            is_xml = service in _XML
            status = 429 if service in _THROTTLED_WITH_429 else 400
            code = "Throttling" if is_xml else "ThrottlingException"
            message = "Rate exceeded"
            if service == "s3":
                status, code, message = 503, "SlowDown", "Please reduce your request rate."
            if service in {"lambda", "apigateway"}:
                code = "TooManyRequestsException"

        if fault is Fault.EXPIRED:
            status, code = 403, "ExpiredToken" if service in _XML else "ExpiredTokenException"
            message = "The security token included in the request is expired"

        if "cbor" in self.headers.get("Content-Type", ""):
            answer = b"\xa2" + _cbor("__type") + _cbor(code) + _cbor("message") + _cbor(message)
            headers = [("smithy-protocol", "rpc-v2-cbor"), ("Content-Type", "application/cbor")]
            self._answer(status, headers, answer)
            return
        if service == "s3":
            text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        elif service in _XML or _ACTION.search(body):
            error = (
                f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            )
            text = f"<ErrorResponse>{error}<RequestId>storm</RequestId></ErrorResponse>"
        else:
            text = json.dumps({"__type": code, "message": message})
        self._answer(status, [("x-amzn-errortype", code)], text.encode())

    def _reset(self) -> None:
        """Close the connection with a reset: SO_LINGER of zero seconds (socket(7))."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Print nothing."""
