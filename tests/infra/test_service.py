"""The values that a check and a drill take from the shipped graph once it is deployed."""

from collections.abc import Mapping

import pytest

from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.service.service import DrillGuard, Service
from deploytool.files.project import Project
from deploytool.targets.service import service_of


@pytest.fixture
def outputs(graph: Graph) -> dict[NodeId, Mapping[str, str]]:
    """Return a different value for each output of each stack."""
    return {
        node.id: {name: f"{node.id}.{name}" for name in node.template.outputs}
        for node in graph.nodes.values()
    }


@pytest.fixture
def service(project: Project, graph: Graph, outputs: dict[NodeId, Mapping[str, str]]) -> Service:
    return service_of(project, graph, outputs)


def test_each_region_s_function_and_api_are_known(service: Service, project: Project) -> None:
    """A fault in the primary must not affect the secondary's function and API."""
    assert service.functions == {
        region: f"lambda@{region}.FunctionName" for region in project.config.regions
    }
    assert service.rest_apis == {
        region: f"api@{region}.RestApiId" for region in project.config.regions
    }


def test_the_guard_is_known_with_its_region(service: Service, project: Project) -> None:
    """The schedule must be in the region of the guard's function."""
    where = f"drill-guard@{project.config.secondary}"
    names = (f"{where}.FunctionArn", f"{where}.SchedulerRoleArn", f"{where}.ScheduleGroup")
    assert service.guard == DrillGuard(project.config.secondary, *names)


def test_a_deployment_without_the_guard_has_none(
    project: Project, graph: Graph, outputs: dict[NodeId, Mapping[str, str]]
) -> None:
    """A check and a restoration do not need the guard.

    An older version created none, or its stack failed.
    """
    del outputs[NodeId("drill-guard", project.config.secondary)]
    assert service_of(project, graph, outputs).guard is None
