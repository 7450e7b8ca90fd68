"""Bad input: exit code 2, one clear message each, no traceback, and not a single call to AWS."""

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import forked

Change = Callable[[Path], None]


def replace(name: str, old: str, new: str) -> Change:
    """Return a change of the first occurrence of a text in a file of the project."""

    def change(folder: Path) -> None:
        path = folder / name
        assert old in path.read_text(), f"{old} is not in {name}"
        path.write_text(path.read_text().replace(old, new, 1))

    return change


@pytest.fixture
def aws() -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of an endpoint that fails every call, and the paths of the calls it got."""
    calls: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.append(self.path)
            self.send_error(500)

        do_GET = do_POST  # noqa: N815  # the base class's name

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            replace("deploytool.toml", "project =", "projekt ="),
            "deploytool.toml: projekt: unknown key; did you mean 'project'?",
        ),
        (
            replace("deploytool.toml", '"example.com"', '"http://example.com"'),
            "deploytool.toml: domain: 'http://example.com' is not a domain name",
        ),
        (
            replace("deploytool.toml", "us-west-2", "us-east-1"),
            "deploytool.toml: regions: 'us-east-1' is listed twice",
        ),
        (
            lambda folder: (folder / "infra" / "api.yaml").unlink(),
            "infra/stacks.yaml: stacks.api.template: no such file: api.yaml",
        ),
        (
            replace("infra/stacks.yaml", "hosted-zone.HostedZoneId", "hosted-zone.Zone"),
            "hosted-zone.yaml has no output 'Zone'",
        ),
        (
            replace(
                "infra/stacks.yaml",
                "{setting: domain}",
                "{output: certificate.CertificateArn, region: primary}",
            ),
            "in a circle: ",
        ),
        (replace("infra/api.yaml", "Resources:", "Resources: ["), "api.yaml: not valid YAML"),
    ],
    ids=[
        "unknown key",
        "bad domain",
        "region twice",
        "missing template",
        "unknown output",
        "cycle",
        "broken YAML",
    ],
)
@pytest.mark.parametrize("command", ["deploy", "drill"])
def test_bad_input_is_refused_before_any_call(
    change: Change, says: str, command: str, aws: tuple[str, list[str]], project: Path
) -> None:
    """The message names the file, the key and the fix, and nothing is changed."""
    change(project)
    url, calls = aws
    env = {
        **os.environ,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    done = forked.run([command, "--stage", "dev"], project, env, timeout=60)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1
    assert calls == []
