"""The benchmark's pure parts: the shortest time, the peers' inputs, the table."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import inputs
from benchmarks.__main__ import SEEDS
from benchmarks.graphs import TEN_STACKS, critical_path, load, write_chain, write_wide
from benchmarks.report import Measurement, markdown_table, text_table
from deploytool.commands.local import typical_durations
from deploytool.core.project.graph import Graph


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load(TEN_STACKS)


def test_the_ten_stacks_and_their_critical_path(graph: Graph) -> None:
    """Zone, certificate, domain with its mapping, record: 35 + 75 + 14 + 32 s, times the scale."""
    assert len(graph.nodes) == 10
    assert critical_path(graph, typical_durations(1, seed=None)) == 156
    assert critical_path(graph, typical_durations(0.5, seed=None)) == 78


def test_a_seed_varies_the_critical_path_for_all_tools_alike(graph: Graph) -> None:
    """Each seed has a critical path of its own, within half and twice the typical one."""
    paths = {critical_path(graph, typical_durations(1, seed)) for seed in SEEDS}
    assert len(paths) == len(SEEDS)
    assert all(78 <= seconds <= 312 for seconds in paths)


def test_the_graphs_of_200_stacks(tmp_path: Path) -> None:
    """A chain takes 200 times what one of its stacks takes, 200 side by side take as long as
    one.
    """
    chain, wide = load(write_chain(tmp_path / "chain")), load(write_wide(tmp_path / "wide"))
    assert (len(chain.nodes), critical_path(chain, typical_durations(1, seed=None))) == (200, 200)
    assert (len(wide.nodes), critical_path(wide, typical_durations(1, seed=None))) == (200, 1)


def test_the_cdk_gets_no_value_from_another_region(graph: Graph) -> None:
    """Every import has its export in the same region, every dependency is an artifact, and no
    parameter is left.
    """
    files = inputs.cdk(graph)
    artifacts = json.loads(files["manifest.json"])["artifacts"]
    assert len(artifacts) == 11  # the zone is copied
    exports: dict[str, set[str]] = {}
    imports: dict[str, set[str]] = {}
    for artifact in artifacts.values():
        assert set(artifact["dependencies"]) <= set(artifacts)
        text = files[artifact["properties"]["templateFile"]]
        document = json.loads(text)
        assert "Parameters" not in document
        region = artifact["environment"].rpartition("/")[2]
        named = [
            each["Export"]["Name"] for each in document["Outputs"].values() if "Export" in each
        ]
        exports.setdefault(region, set()).update(named)
        imports.setdefault(region, set()).update(_imports(document))
    assert imports == exports
    assert imports["us-west-2"] >= {"zone-HostedZoneId", "mapping-TargetDomainName"}


def _imports(value: object) -> set[str]:
    match value:
        case {"Fn::ImportValue": str(name)}:
            return {name}
        case dict():
            return set().union(*map(_imports, value.values()))
        case list():
            return set().union(*map(_imports, value))
    return set()


def test_sceptre_gets_a_config_a_stack(graph: Graph) -> None:
    """What a stack takes of another is looked up there, across regions too."""
    files = inputs.sceptre(graph)
    west = files["config/bench/us-west-2/certificate.yaml"]
    assert "HostedZoneId: !stack_output bench/us-east-1/zone.yaml::HostedZoneId" in west
    assert (
        sum(name.startswith("config/") and not name.endswith("config.yaml") for name in files) == 10
    )


FAKE = """#!/bin/sh
case "$*" in
*describe-stacks*) echo "value" ;;
*--stack-name\\ bench-run-$BREAK\\ *) exit 1 ;;
*) echo "$*" >> "$CALLS" ;;
esac
"""


@pytest.mark.skipif(shutil.which("sh") is None, reason="the script is for a shell")
@pytest.mark.parametrize("side_by_side", [False, True])
@pytest.mark.parametrize("broken", ["none", "certificate"])
def test_the_script_runs_in_order_and_fails_with_its_commands(
    graph: Graph, tmp_path: Path, side_by_side: bool, broken: str
) -> None:
    """Each stack is deployed after those it needs; a command that fails ends the script with a
    failure, not with waiting.
    """
    for name, text in inputs.script(graph, side_by_side=side_by_side).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "aws").write_text(FAKE)
    (tmp_path / "aws").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "DONE": str(tmp_path / "done"),
        "CALLS": str(tmp_path / "calls"),
        "BREAK": broken,
    }
    done = subprocess.run(
        ["sh", "deploy.sh"], cwd=tmp_path, env=environment, timeout=60, check=False
    )
    calls = (tmp_path / "calls").read_text().splitlines()
    order = [tuple(call.split()[i] for i in (5, 3)) for call in calls]
    assert (done.returncode == 0) == (broken == "none")
    for node in graph.nodes.values():
        here = (node.stack_name, node.id.region)
        if here in order:
            before = {(graph.nodes[need].stack_name, need.region) for need in node.needs}
            assert before <= set(order[: order.index(here)])
    assert len(order) == 10 or broken != "none"


MEASURED = Measurement("create", "a tool", (12.0, 14.0, 13.0), 10.0, {"x.A": 20, "x.B": 6})


def test_a_measurement_derives_its_figures() -> None:
    """The median of the runs, over the critical path; calls of one run, and how many that is in a
    minute.
    """
    assert (MEASURED.seconds, MEASURED.ratio, MEASURED.total_calls, MEASURED.calls_a_minute) == (
        13.0,
        1.3,
        26,
        120.0,
    )
    assert json.loads(json.dumps(MEASURED.to_json()))["ratio"] == 1.3


def test_the_tables_show_what_could_not_be_measured() -> None:
    """A peer that is missing has a line that says why."""
    missing = Measurement("create", "a peer", note="not installed: npm is not on the PATH")
    text, markdown = text_table([MEASURED, missing]), markdown_table([MEASURED, missing])
    assert "a tool      13.0               1.300         26             120" in text
    assert "| create | a tool | 13.0 | 1.300 | 26 | 120 |  |" in markdown
    for table in (text, markdown):
        assert "not installed: npm is not on the PATH" in table
