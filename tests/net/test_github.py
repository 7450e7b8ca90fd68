"""GitHub's REST API, on a small server that answers as it does."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploytool.core.doctor.pipeline import Environment
from deploytool.core.errors import DeploytoolError
from deploytool.net.github import GitHubRepository

REVIEWERS = {
    "protection_rules": [{"type": "branch_policy"}, {"type": "required_reviewers"}],
    "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
}
OPEN = {"protection_rules": [], "deployment_branch_policy": None}
Serve = Callable[..., GitHubRepository]


class Server(ThreadingHTTPServer):
    """What it answers, by path, and the token of each request."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.documents: dict[str, Any] = {}
        self.status = 200
        self.tokens: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.tokens.append(self.headers.get("authorization", ""))
        document = self.server.documents.get(self.path)
        status = self.server.status if document is not None else 404
        content = document if document is not None else {"message": "Not Found"}
        data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def github(server: Server, monkeypatch: pytest.MonkeyPatch) -> GitHubRepository:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.documents["/repos/o/r"] = {"full_name": "o/r"}
    return GitHubRepository("secret", "o/r", f"http://127.0.0.1:{server.server_port}/")


@pytest.mark.parametrize(
    ("document", "expected"),
    [(REVIEWERS, Environment(True, True)), (OPEN, Environment(False, False)), (None, None)],
)
def test_an_environment(
    github: GitHubRepository, server: Server, document: object, expected: Environment | None
) -> None:
    """Its reviewers and its branches are read; one that does not exist is None."""
    if document is not None:
        server.documents["/repos/o/r/environments/dev"] = document
    assert github.environment("dev") == expected


def test_a_repository_that_the_token_does_not_see(github: GitHubRepository, server: Server) -> None:
    """GitHub answers 404 for what a token may not see, which is no environment that is missing."""
    server.documents.clear()
    with pytest.raises(DeploytoolError, match="no repository o/r"):
        github.environment("dev")


def test_variables_of_several_pages(github: GitHubRepository, server: Server) -> None:
    """A page has thirty."""
    names = [{"name": f"V{number}", "value": str(number)} for number in range(31)]
    path = "/repos/o/r/environments/dev/variables?per_page=30&page="
    server.documents |= {
        f"{path}1": {"variables": names[:30]},
        f"{path}2": {"variables": names[30:]},
        "/repos/o/r/actions/variables?per_page=30&page=1": {"variables": names[:1]},
    }
    assert len(github.variables("dev")) == 31
    assert github.variables() == {"V0": "0"}


def test_the_token_and_no_password_of_a_file_is_sent(
    github: GitHubRepository, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests would take a password for the host from .netrc."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password wrong\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.documents["/repos/o/r/environments/dev"] = OPEN
    github.environment("dev")
    assert server.tokens == ["Bearer secret"]


@pytest.mark.parametrize(
    ("status", "document", "message", "hint"),
    [
        (401, {"message": "Bad credentials"}, "401: Bad credentials", "is not valid"),
        (403, {"message": "Resource not accessible"}, "403", "Environments and Variables"),
        (502, "<html>", "502: no JSON", "later"),
        (200, "[]", "200: no JSON", "later"),
    ],
)
def test_an_answer_that_tells_nothing(
    github: GitHubRepository,
    server: Server,
    status: int,
    document: object,
    message: str,
    hint: str,
) -> None:
    """The error has GitHub's words, and what the token lacks."""
    server.status = status
    server.documents["/repos/o/r/environments/dev"] = document
    with pytest.raises(DeploytoolError, match=message) as raised:
        github.environment("dev")
    assert hint in raised.value.hint
    assert "secret" not in str(raised.value)


def test_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text has none of the library's internals."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    github = GitHubRepository("secret", "o/r", "http://127.0.0.1:1")
    with pytest.raises(DeploytoolError, match=r"^GitHub does not answer: no connection$"):
        github.variables()
