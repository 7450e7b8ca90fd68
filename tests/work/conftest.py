"""A small graph, and what deploys it to the simulated CloudFormation."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.package import build_package
from deploytool.core.project.template import parse_template
from deploytool.core.stacks.events import Event
from deploytool.simulated.cloudformation import SimulatedStacks
from deploytool.simulated.executor import InlineExecutor, VirtualClock
from deploytool.simulated.memory import SimulatedBuckets, SimulatedLocks
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployPorts

EAST, WEST = "us-east-1", "us-west-2"
TEMPLATE = """
Parameters: {Input: {Type: String, Default: ''}, More: {Type: String, Default: ''}}
Resources: {A: {Type: 'AWS::Some::Thing'}}
Outputs: {Out: {Value: x}}
"""
GRAPH = """
artifacts: {function: {source: x, bucket: {output: bucket.Out}}}
stacks:
  zone: {template: t.yaml, scope: global, parameters: {Input: {setting: domain}}}
  bucket: {template: t.yaml, scope: regional}
  api: {template: t.yaml, scope: regional}
  lambda: {template: t.yaml, scope: regional, parameters: {Input: {output: api.Out}, More: {artifact: function, part: key}}}
  certificate: {template: t.yaml, scope: regional, parameters: {Input: {output: zone.Out}}}
  mapping: {template: t.yaml, scope: regional, parameters: {Input: {output: certificate.Out}, More: {output: lambda.Out}}}
  records:
    template: t.yaml
    scope: global
    parameters: {Input: {output: mapping.Out, region: primary}, More: {output: mapping.Out, region: secondary}}
"""


@cache
def make_graph(
    code: bytes = b"1",
    thing: str = "Thing'",
    stage: str = "",
    graph: str = GRAPH,
    parameter: str = "",
) -> Graph:
    """Return the graph of a small stage.

    `thing` is the end of the resource's text, `stage` the stage's lines in the configuration.
    """
    config = parse_config(
        f'project = "hello"\ndomain = "example.com"\nregions = ["{EAST}", "{WEST}"]\n[stages.dev]\n{stage}',
        "c",
    )
    template = TEMPLATE.replace("Thing'", thing).replace(
        "Default: ''}, More", f"Default: ''{parameter}}}, More"
    )
    packages = {"function": build_package("function", {"handler.py": code})}
    return build_graph(
        config,
        config.stage("dev"),
        parse_graph_file(graph, "stacks.yaml"),
        {"t.yaml": parse_template(template, "t.yaml")},
        packages,
    )


@pytest.fixture
def stacks() -> SimulatedStacks:
    return SimulatedStacks(VirtualClock())


@pytest.fixture
def buckets() -> SimulatedBuckets:
    return SimulatedBuckets()


@pytest.fixture
def executor() -> InlineExecutor:
    return InlineExecutor()


@pytest.fixture
def graph_of() -> Callable[..., Graph]:
    return make_graph


@pytest.fixture
def ports(
    stacks: SimulatedStacks, buckets: SimulatedBuckets, executor: InlineExecutor
) -> DeployPorts:
    return DeployPorts(stacks, buckets, stacks.clock, executor, stacks)


@pytest.fixture
def run(ports: DeployPorts) -> Callable[..., tuple[Outcome, list[Event]]]:
    return _run_on(ports)


@pytest.fixture
def fresh() -> Callable[[], tuple[SimulatedStacks, Callable[..., tuple[Outcome, list[Event]]]]]:
    """Return a function that creates an empty cloud and what deploys to it."""

    def fresh() -> tuple[SimulatedStacks, Callable[..., tuple[Outcome, list[Event]]]]:
        stacks = SimulatedStacks(VirtualClock())
        return stacks, _run_on(
            DeployPorts(stacks, SimulatedBuckets(), stacks.clock, InlineExecutor(), stacks)
        )

    return fresh


def _run_on(ports: DeployPorts) -> Callable[..., tuple[Outcome, list[Event]]]:
    def run(
        graph: Graph | None = None, work: Callable[..., Outcome] = deploy, **more: Any
    ) -> tuple[Outcome, list[Event]]:
        events: list[Event] = []
        return work(graph or make_graph(), ports, events.append, **more), events

    return run


@pytest.fixture
def locks() -> SimulatedLocks:
    return SimulatedLocks()
