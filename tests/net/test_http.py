"""Errors and bodies of HTTPS answers as the ports describe them, without a socket."""

import pytest
import requests

from deploytool.net.http import document_of, failure_of

# As requests and urllib3 write it, shortened
BAD_CERTIFICATE = (
    "HTTPSConnectionPool(host='192.0.2.1'): Max retries exceeded (Caused by SSLError("
    "SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed:"
    " Hostname mismatch (_ssl.c:1016)')))"
)


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (
            requests.exceptions.SSLError(BAD_CERTIFICATE),
            "tls",
            "the certificate is not valid: Hostname mismatch",
        ),
        (requests.exceptions.SSLError("no protocol"), "tls", "TLS failed: no protocol"),
        (
            requests.exceptions.ConnectTimeout("slow"),
            "timeout",
            "no connection within the time limit",
        ),
        (requests.exceptions.ReadTimeout("slow"), "timeout", "no answer within the time limit"),
        (
            requests.exceptions.ConnectionError("[Errno 111] Connection refused"),
            "refused",
            "the connection is refused",
        ),
        (
            requests.exceptions.ConnectionError("Connection reset by peer"),
            "reset",
            "the connection ended before the answer",
        ),
        (
            requests.exceptions.ChunkedEncodingError("cut off"),
            "reset",
            "the connection ended before the answer",
        ),
        (requests.exceptions.InvalidURL("no URL"), "other", "no URL"),
    ],
)
def test_each_error_has_its_kind(error: requests.RequestException, kind: str, reason: str) -> None:
    """The message names the domain, the address and the reason, without urllib3's internals."""
    failure = failure_of(error, "example.com", "192.0.2.1")
    assert failure.kind == kind
    assert str(failure) == f"https://example.com at 192.0.2.1: {reason}"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"text"', b"\xff"])
def test_a_body_that_is_no_json_object_has_no_document(body: bytes) -> None:
    """An answer of a proxy or of an error page is still an answer."""
    assert document_of(body) == {}


def test_the_values_of_a_document_are_texts() -> None:
    """Whatever type they have in JSON."""
    assert document_of(b'{"version": 1}') == {"version": "1"}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900])
def test_a_body_that_is_nested_deeply_is_no_error(body: bytes) -> None:
    """A server may answer anything, and the probe only needs to know what kind of answer it is."""
    assert set(document_of(body)) <= {"a"}
