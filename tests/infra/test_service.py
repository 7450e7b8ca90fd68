"""What a check and a drill learn of the shipped graph once it is deployed."""

from collections.abc import Mapping

import pytest

from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.service.service import DrillGuard, Service
from deploytool.files.project import Project
from deploytool.targets.service import service_of


@pytest.fixture
def outputs(graph: Graph) -> dict[NodeId, Mapping[str, str]]:
    """Every stack with every output, each with a value of its own."""
    return {
        each.id: {name: f"{each.id}.{name}" for name in each.template.outputs}
        for each in graph.nodes.values()
    }


@pytest.fixture
def service(project: Project, graph: Graph, outputs: dict[NodeId, Mapping[str, str]]) -> Service:
    return service_of(project, graph, outputs)


def test_each_region_s_function_and_api_are_known(service: Service, project: Project) -> None:
    """A fault in the primary must never touch the secondary's."""
    assert service.functions == {
        each: f"lambda@{each}.FunctionName" for each in project.config.regions
    }
    assert service.rest_apis == {each: f"api@{each}.RestApiId" for each in project.config.regions}


def test_the_guard_is_known_with_its_region(service: Service, project: Project) -> None:
    """Where its function is the schedule must be too."""
    where = f"drill-guard@{project.config.secondary}"
    names = (f"{where}.FunctionArn", f"{where}.SchedulerRoleArn", f"{where}.ScheduleGroup")
    assert service.guard == DrillGuard(project.config.secondary, *names)


def test_a_deployment_without_the_guard_has_none(
    project: Project, graph: Graph, outputs: dict[NodeId, Mapping[str, str]]
) -> None:
    """One that an older version made, or whose guard failed, can still be checked and restored."""
    del outputs[NodeId("drill-guard", project.config.secondary)]
    assert service_of(project, graph, outputs).guard is None
