"""Another integration behind /v1: an HTTP service in each region, in place of a load balancer."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.local_only
REGIONS = ("us-east-1", "us-west-2")
CONFIG = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]

[stages.web.settings]
integration = "http"
integration_url = {{ us-east-1 = "{east}", us-west-2 = "{west}" }}
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
        command = [
            sys.executable,
            "-m",
            "deploytool",
            words[0],
            "--local",
            "--stage",
            "web",
            "--config",
            str(config),
            *words[1:],
        ]
        return bench.run(command)

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
