"""What the reference says is what the code does."""

import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from deploytool import cli
from deploytool.commands.report import judge_file
from deploytool.core import errors
from deploytool.core.drill.scenario import Scenario
from deploytool.core.project.configschema import config_schema
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.graphschema import graph_schema
from deploytool.core.project.yamltext import load_yaml
from deploytool.files.history import HistoryFile
from deploytool.render.drill.result import drill_document
from deploytool.simulated.world import World
from deploytool.work.drill.run import DrillContext, run_drill
from docs import generate
from tests.docs.pages import ROOT, Block, blocks, pages

CONFIG = Draft7Validator(config_schema())
GRAPH = Draft7Validator(graph_schema())
REFERENCE = ROOT / "docs/reference"
BASE_CONFIG: dict[str, Any] = {
    "project": "hello",
    "domain": "example.com",
    "regions": ["us-east-1", "us-west-2"],
    "stages": {"dev": {}},
}
BASE_GRAPH: dict[str, Any] = {"stacks": {"a": {"template": "a.yaml", "scope": "regional"}}}


def test_the_generated_parts_are_as_the_code_is() -> None:
    """Run `make docs` after a change of an option, a key, a setting or its comment."""
    assert generate.stale() == []


def documented(page: str, heading: str) -> set[str]:
    """The fields in the first column of the table below a heading."""
    text = (REFERENCE / page).read_text().split(heading)[1]
    table = re.search(r"((?:^\|.*\n)+)", text, re.MULTILINE)
    assert table
    fields = set()
    for row in table[1].splitlines()[2:]:
        fields |= set(re.findall(r"`([\w-]+)`", row.split("|")[1]))
    return fields


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The drill.json of a drill in a simulated world."""
    world = World()
    context = DrillContext("0", "2026-11-24T01:00:00+00:00", "simulated", 1.0)
    with HistoryFile(tmp_path_factory.mktemp("reports")) as history:
        ports = world.drill_ports()
        run_drill(ports, world.service, Scenario(), Objectives(), context, history.write)
    assert history.folder
    return drill_document(judge_file(history.folder))


def test_every_field_of_a_drill_is_documented(drill: dict[str, Any]) -> None:
    """docs/reference/drill-report.md has the fields of drill.json, and no others."""
    assert documented("drill-report.md", "## drill.json") == set(drill)
    assert documented("drill-report.md", "The fields of `measures`") == set(
        drill["measures"]["failover"]
    )


def test_every_exit_code_is_documented() -> None:
    """docs/reference/command-line.md has the codes of the errors, 0, and that of a bug."""
    classes = [each for each in vars(errors).values() if isinstance(each, type)]
    codes = {each.exit_code for each in classes if issubclass(each, errors.DeploytoolError)} | {
        0,
        cli.BUG_EXIT_CODE,
    }
    text = (REFERENCE / "command-line.md").read_text().split("| exit code |")[1].split("\n\n")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes


def toml_blocks(page: Path) -> Iterator[tuple[Block, dict[str, Any]]]:
    for block in blocks(page):
        if block.language in ("toml", "") and "=" in block.text:
            with suppress(tomllib.TOMLDecodeError):
                yield block, tomllib.loads(block.text)


def yaml_blocks(page: Path) -> Iterator[tuple[Block, dict[str, Any]]]:
    for block in blocks(page):
        if block.language in ("yaml", "") and ":" in block.text:
            with suppress(yaml.YAMLError, errors.InputError):
                document = load_yaml(block.text, str(block))
                if isinstance(document, dict):
                    yield block, document


def faults(validator: Any, document: dict[str, Any]) -> list[str]:
    return [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(document)]


def config_of(document: dict[str, Any]) -> dict[str, Any] | None:
    """A part of a configuration as a whole one; None when it is a part of something else."""
    if document.keys() <= CONFIG.schema["properties"].keys() - {"domain"}:
        return {**BASE_CONFIG, **document}
    declared = generate._project_schema()["properties"]["stages"]["additionalProperties"]
    if document.keys() <= declared["properties"]["settings"]["properties"].keys():
        return {**BASE_CONFIG, "stages": {"dev": {"settings": document}}}
    if document.keys() <= CONFIG.schema["properties"].keys():
        return {**BASE_CONFIG, **document}
    return None


def graph_of(document: dict[str, Any]) -> dict[str, Any] | None:
    """A part of a graph file as a whole one; None when it is a part of something else."""
    if document.keys() <= GRAPH.schema["properties"].keys():
        return {**BASE_GRAPH, **document}
    values = [value for value in document.values() if isinstance(value, dict)]
    if len(values) == len(document) and all("template" in each for each in values):
        return {**BASE_GRAPH, "stacks": document}
    if len(values) == len(document) and all("source" in each for each in values):
        return {**BASE_GRAPH, "artifacts": document}
    return None


def schema_of(page: Path) -> dict[str, Any]:
    """The schema with the settings that are shipped, and those that the page declares or uses."""
    text = generate.GRAPH.read_text()
    own = {name for _, document in yaml_blocks(page) for name in document.get("settings") or {}}
    own |= set(re.findall(r"\{setting: (\w+)", page.read_text()))
    return config_schema(parse_graph_file(text, "stacks.yaml").settings, {}, frozenset(own))


def test_every_example_of_a_configuration_is_valid() -> None:
    """A reader may copy each of them."""
    wrong, count = [], 0
    for page in pages():
        validator = Draft7Validator(schema_of(page))
        for block, document in toml_blocks(page):
            whole = config_of(document)
            if whole:
                count += 1
                wrong += [f"{block}: {each}" for each in faults(validator, whole)]
    assert wrong == []
    assert count > 10


def test_every_example_of_a_graph_is_valid() -> None:
    """The same for infra/stacks.yaml."""
    wrong, count = [], 0
    for page in pages():
        for block, document in yaml_blocks(page):
            whole = graph_of(document)
            if whole:
                count += 1
                wrong += [f"{block}: {each}" for each in faults(GRAPH, whole)]
    assert wrong == []
    assert count > 5


def project_files(pattern: str) -> list[Path]:
    folders = ("tests", "failover_tests", "benchmarks")
    return [path for folder in folders for path in sorted((ROOT / folder).rglob(pattern))]


def test_the_configurations_of_the_tests_are_valid() -> None:
    """They are deployed, so the schemas must accept them."""
    configs = project_files("deploytool.toml")
    graphs = project_files("stacks.yaml")
    assert configs
    assert graphs
    for path in configs:
        assert faults(CONFIG, tomllib.loads(path.read_text())) == [], path
    for path in [*graphs, ROOT / "infra/stacks.yaml"]:
        assert faults(GRAPH, load_yaml(path.read_text(), str(path))) == [], path
