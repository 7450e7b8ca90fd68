"""The page about an ECS service behind a load balancer: its template and lines, as they stand there.

The template is made after the samples of Amazon ECS (aws-samples/ecs-refarch-cloudformation and
"Creating Amazon ECS resources using AWS CloudFormation").
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cfnlint.api import lint  # type: ignore[import-untyped]  # cfn-lint ships no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # the same

from deploytool.core.project.graph import Graph, NodeId, OutputRef
from deploytool.core.project.template import parse_template
from deploytool.files.project import load_project
from deploytool.localcloud import lifecycle
from deploytool.localcloud.settings import Settings

from .conftest import Aws

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "put-a-load-balancer-behind-the-api.md").read_text()
TEMPLATE, ENTRY, SETTING, URL = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
[SETTINGS] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
LEFT_OUT = tuple(re.findall(r"--leave-out (\S+)", PAGE))
REGIONS = ("us-east-1", "us-west-2")


def graph_with(folder: Path, api: str) -> Graph:
    """Return the graph of a copy of the project with what the page says."""
    for name in ("infra", "lambda"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "infra" / "web.yaml").write_text(TEMPLATE)
    stacks = folder / "infra" / "stacks.yaml"
    text = stacks.read_text().replace("\nstacks:\n", f"\nstacks:\n{ENTRY}", 1)
    text = text.replace("\nsettings:\n", f"\nsettings:\n{SETTING}", 1)
    setting = "      Url: {setting: integration_url}\n"
    assert setting in text
    stacks.write_text(text.replace(setting, URL))
    (folder / "deploytool.toml").write_text(
        f'project = "hello"\ndomain = "example.com"\nregions = {list(REGIONS)}\n'
        f'{SETTINGS}\napi = "{api}"\n[stages.prod]\n'
    )
    project = load_project(folder / "deploytool.toml")
    assert NodeId("web", REGIONS[0]) not in project.graph("prod").nodes
    return project.graph("dev")


@pytest.mark.parametrize("api", ["rest", "http"])
def test_the_api_waits_for_the_service_of_its_region(tmp_path: Path, api: str) -> None:
    """The API's stack takes the address of the load balancer, and the image is of the region."""
    graph = graph_with(tmp_path, api)
    for region in REGIONS:
        web = NodeId("web", region)
        integration = graph.nodes[NodeId("integration-http", region)]
        assert integration.parameters["Url"] == OutputRef(web, "Url")
        assert f".{region}." in str(graph.nodes[web].parameters["Image"])


def test_the_template_is_valid() -> None:
    """cfn-lint finds nothing in both regions."""
    matches = lint(TEMPLATE, config=ManualArgs(regions=list(REGIONS)))
    assert [str(match) for match in matches] == []


def test_the_page_names_what_the_local_cloud_lacks() -> None:
    """Nothing more is left out than the types of ECS and of load balancers."""
    types = set(parse_template(TEMPLATE, "web.yaml").resources.values())
    lacking = {kind for kind in types if kind.split("::")[1] in ("ECS", "ElasticLoadBalancingV2")}
    assert set(LEFT_OUT) == lacking


@pytest.fixture(scope="module")
def sparing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """A cloud that leaves out what the page says."""
    settings = Settings(tmp_path_factory.mktemp("sparing"), left_out=LEFT_OUT)
    with lifecycle.private(settings) as state:
        yield Aws(state)


def test_an_http_api_calls_the_load_balancer(sparing: Aws) -> None:
    """The rest of the template is made locally, and the API's integration has the address."""

    def create(name: str, file: str, **parameters: str) -> dict[str, str]:
        text = (ROOT / "infra" / file).read_text()
        document: dict[str, Any] = dict(parse_template(text, file).document)
        return sparing.create_stack(name, document, **parameters)

    web = dict(parse_template(TEMPLATE, "web.yaml").document)
    url = sparing.create_stack("web", web, Image="web:1")["Url"]
    assert url == "http://left-out-DNSName/v1"
    api_id = create("http-api", "http-api.yaml")["HttpApiId"]
    create("integration", "integration-http.yaml", HttpApiId=api_id, StageName="dev", Url=url)

    client = sparing.client("apigatewayv2")
    [integration] = client.get_integrations(ApiId=api_id)["Items"]
    assert integration["IntegrationUri"] == url
    address = f"{sparing.state.endpoint_url}/_aws/execute-api/{api_id}/dev/v1"
    assert requests.get(address, timeout=20).status_code == 503
