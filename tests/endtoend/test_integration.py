"""Another integration behind /v1, another kind of API, and a function with dependencies."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.files.wheels import write_wheel

REGIONS = ("us-east-1", "us-west-2")
CONFIG = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]

[stages.web.settings]
integration = "http"
integration_url = {{ us-east-1 = "{east}", us-west-2 = "{west}" }}
"""
HTTP_API = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]

[stages.dev.settings]
api = "{api}"
"""


class Backend(BaseHTTPRequestHandler):
    """An ECS or EC2 service: it answers with the region that API Gateway's header names."""

    def do_GET(self) -> None:
        body = json.dumps({"version": "backend", "path": self.path}).encode()
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("x-served-by-region", self.headers["x-api-region"])
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def backends() -> Iterator[dict[str, ThreadingHTTPServer]]:
    """An HTTP service for each region, on loopback."""
    servers = {region: ThreadingHTTPServer(("127.0.0.1", 0), Backend) for region in REGIONS}
    threads = [threading.Thread(target=server.serve_forever) for server in servers.values()]
    for server in servers.values():
        server.status = 200  # type: ignore[attr-defined]
    for thread in threads:
        thread.start()
    try:
        yield servers
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()


def run_with(bench: Any, config: Path, stage: str, *words: str) -> Any:
    """Run a command on a stage of another configuration."""
    command = [sys.executable, "-m", "deploytool", words[0], "--local", "--stage", stage]
    return bench.run([*command, "--config", str(config), *words[1:]])


def test_an_http_service_fails_over_like_the_function(
    bench: Any, backends: dict[str, ThreadingHTTPServer], tmp_path: Path
) -> None:
    """It is deployed, checked and drilled; a fault that needs a function is refused."""
    urls = {
        region: f"http://127.0.0.1:{server.server_address[1]}/api"
        for region, server in backends.items()
    }
    config = bench.folder / "web.toml"
    config.write_text(CONFIG.format(east=urls["us-east-1"], west=urls["us-west-2"]))

    def deploytool(*words: str) -> Any:
        return run_with(bench, config, "web", *words)

    deployed = deploytool("deploy", "--output", "json")
    assert deployed.code == 0, deployed.err
    stacks = {stack["stack"] for stack in deployed.json["stacks"]}
    assert "integration-http" in stacks
    assert "lambda" not in stacks
    checked = deploytool("check", "--output", "json")
    assert checked.code == 0, checked.out
    assert checked.json["served_by"] == "us-east-1"
    assert checked.json["version"] == "backend"
    drilled = deploytool("drill", "--output", "json", "--report-dir", str(tmp_path))
    assert drilled.code == 0, drilled.out + drilled.err
    assert drilled.json["served_by"] == {
        "before": "us-east-1",
        "during": "us-west-2",
        "after": "us-east-1",
    }
    throttled = deploytool("drill", "--fault", "throttle", "--report-dir", str(tmp_path))
    assert throttled.code == 1, throttled.err
    assert "needs a function behind the API" in throttled.err


def test_an_http_api_fails_over_and_its_function_has_dependencies(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function imports a package of requirements.txt. The regions are compared and drilled.

    A fault that needs a REST API is refused, and so is a REST API while the HTTP API serves.
    """
    wheels = tmp_path / "wheels"
    write_wheel(wheels, "py3-none-any", {"demo_package.py": b"WORD = 'installed'\n"}, name="demo")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    folder = bench.folder / "lambda" / "api"
    (folder / "requirements.txt").write_text("demo==1.0\n")
    handler = folder / "handler.py"
    code = handler.read_text().replace('VERSION = os.environ["CODE_VERSION"]', "VERSION = WORD")
    handler.write_text(
        code.replace("import json\n", "import json\nfrom demo_package import WORD\n", 1)
    )
    config = bench.folder / "http.toml"
    config.write_text(HTTP_API.format(api="http"))

    def deploytool(*words: str) -> Any:
        return run_with(bench, config, "dev", *words)

    deployed = deploytool("deploy", "--output", "json")
    assert deployed.code == 0, deployed.err
    assert "Building function for python3.13 on this machine: " in deployed.err
    assert {"http-api", "http-api-mapping", "lambda"} < {
        stack["stack"] for stack in deployed.json["stacks"]
    }
    assert deployed.json["parity"]["differences"] == []
    assert deployed.json["parity"]["unknown"] == []
    checked = deploytool("check", "--output", "json")
    assert checked.code == 0, checked.out
    assert checked.json["version"] == "installed"

    drilled = deploytool(
        "drill", "--fault", "throttle", "--output", "json", "--report-dir", str(tmp_path)
    )
    assert drilled.code == 0, drilled.out + drilled.err
    assert drilled.json["served_by"]["during"] == "us-west-2"
    assert drilled.json["served_by"]["after"] == "us-east-1"

    unmapped = deploytool("drill", "--fault", "unmap", "--report-dir", str(tmp_path))
    assert unmapped.code == 1, unmapped.err
    assert "us-east-1 has an HTTP API" in unmapped.err
    config.write_text(HTTP_API.format(api="rest"))
    switched = deploytool("deploy")
    assert switched.code == 1, switched.err
    assert "both create the custom domain name dev.example.com" in switched.err
