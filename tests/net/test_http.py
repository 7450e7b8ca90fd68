"""Errors and bodies of HTTPS answers as the ports describe them, without a socket."""

import pytest
import requests

from deploytool.net.http import document_of, failure_of


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.exceptions.SSLError("bad certificate"), "tls"),
        (requests.exceptions.ConnectTimeout("slow"), "timeout"),
        (requests.exceptions.ReadTimeout("slow"), "timeout"),
        (requests.exceptions.ConnectionError("[Errno 111] Connection refused"), "refused"),
        (requests.exceptions.ConnectionError("Connection reset by peer"), "reset"),
        (requests.exceptions.ChunkedEncodingError("cut off"), "reset"),
        (requests.exceptions.InvalidURL("no URL"), "other"),
    ],
)
def test_each_error_has_its_kind(error: requests.RequestException, kind: str) -> None:
    """The message names the domain, the address and the kind."""
    failure = failure_of(error, "example.com", "192.0.2.1")
    assert failure.kind == kind
    assert str(failure) == f"https://example.com at 192.0.2.1: {kind}: {error}"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"text"', b"\xff"])
def test_a_body_that_is_no_json_object_has_no_document(body: bytes) -> None:
    """An answer of a proxy or of an error page is still an answer."""
    assert document_of(body) == {}


def test_the_values_of_a_document_are_texts() -> None:
    """Whatever type they have in JSON."""
    assert document_of(b'{"version": 1}') == {"version": "1"}
