"""The function behind /v1, called with the event that API Gateway makes."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2] / "lambda" / "api" / "handler.py"


def load() -> ModuleType:
    """A cold start: the module executed anew. By path, because `lambda` is a keyword and its folder
    no package.
    """
    spec = importlib.util.spec_from_file_location("handler", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The function as deployed to us-west-2."""
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    monkeypatch.setenv("CODE_VERSION", "0123456789ab")
    return load()


def event(method: str) -> dict[str, Any]:
    """The part of a proxy event that the function reads."""
    return {
        "httpMethod": method,
        "path": "/v1",
        "requestContext": {"requestId": "request-1", "stage": "dev"},
    }


def test_get_names_the_region_the_version_the_stage_and_the_request(function: ModuleType) -> None:
    """In JSON, with the region in a header too, so that a client sees who served without reading
    the body.
    """
    answer = function.handler(event("GET"), None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {
        "region": "us-west-2",
        "version": "0123456789ab",
        "stage": "dev",
        "request_id": "request-1",
    }
    assert answer["headers"] == {
        "content-type": "application/json",
        "x-served-by-region": "us-west-2",
        "cache-control": "no-store",
    }


def test_head_has_the_headers_and_no_body(function: ModuleType) -> None:
    """As HTTP asks (RFC 9110, section 9.3.2)."""
    answer = function.handler(event("HEAD"), None)
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert answer["headers"] == function.handler(event("GET"), None)["headers"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_told_which_are_allowed(function: ModuleType, method: str) -> None:
    """405 with the Allow header (RFC 9110, section 15.5.6), still naming the region."""
    answer = function.handler(event(method), None)
    assert answer["statusCode"] == 405
    assert answer["headers"]["allow"] == "GET, HEAD"
    assert answer["headers"]["x-served-by-region"] == "us-west-2"
    assert method in json.loads(answer["body"])["message"]
    assert "allow" not in function.handler(event("GET"), None)["headers"]


def test_a_function_without_its_version_fails_at_its_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong deployment is seen at once, not when someone reads a body."""
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    monkeypatch.delenv("CODE_VERSION", raising=False)
    with pytest.raises(KeyError, match="CODE_VERSION"):
        load()


def test_it_needs_nothing_that_lambda_does_not_bring() -> None:
    """Standard library only: the package is the source as it is."""
    lines = [line.split() for line in SOURCE.read_text(encoding="utf-8").splitlines()]
    imported = {words[1].split(".")[0] for words in lines if words[:1] in (["import"], ["from"])}
    assert imported
    assert imported <= sys.stdlib_module_names
