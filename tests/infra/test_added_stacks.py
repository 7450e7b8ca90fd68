"""Stacks that users add: the example of docs/how-to/add-a-route.md, and an alarm in a third region."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # cfn-lint ships no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # the same

from deploytool.core.project.graph import NodeId, OutputRef
from deploytool.files.project import Project, load_project

ROOT = Path(__file__).parents[2]
PRIMARY, SECONDARY, METRICS = "eu-west-1", "eu-central-1", "us-east-1"

# The metrics of Route 53 are in us-east-1, wherever the endpoint is (Route 53 Developer Guide,
# "Monitoring health checks using CloudWatch"). So is an alarm on them.
HEALTH_ALARM = """
AWSTemplateFormatVersion: "2010-09-09"
Description: Tells a topic that Route 53 finds the primary region down, or finds nothing at all.
Parameters:
  HealthCheckId:
    Type: String
    Description: The health check of the primary's endpoint.
  Minutes:
    Type: Number
    Description: How many minutes in a row it must be down.
    Default: 1
    MinValue: 1
Resources:
  Topic:
    Type: AWS::SNS::Topic
  Down:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub Health check ${HealthCheckId} is down
      Namespace: AWS/Route53
      MetricName: HealthCheckStatus
      Dimensions:
        - Name: HealthCheckId
          Value: !Ref HealthCheckId
      Statistic: Minimum
      Period: 60
      EvaluationPeriods: !Ref Minutes
      Threshold: 1
      ComparisonOperator: LessThanThreshold
      TreatMissingData: breaching
      AlarmActions:
        - !Ref Topic
      OKActions:
        - !Ref Topic
Outputs:
  TopicArn:
    Value: !Ref Topic
"""
HEALTH_ALARM_ENTRY = f"""
  health-alarm:
    template: health-alarm.yaml
    scope: global
    region: {METRICS}
    parameters:
      HealthCheckId: {{output: health-check.HealthCheckId}}
"""
Added = Callable[..., Path]


def blocks_of(page: str) -> list[str]:
    """Return the YAML of a page, block by block."""
    text = (ROOT / "docs" / "how-to" / page).read_text()
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def added(tmp_path: Path) -> Added:
    """Return a function that copies the project, adds a template and an entry, and edits the graph."""

    def add(name: str, template: str, entry: str, *edits: tuple[str, str]) -> Path:
        shutil.copytree(ROOT / "infra", tmp_path / "infra")
        shutil.copytree(ROOT / "lambda", tmp_path / "lambda")
        (tmp_path / "infra" / name).write_text(template)
        graph = tmp_path / "infra" / "stacks.yaml"
        text = graph.read_text().replace("\nstacks:\n", f"\nstacks:\n{entry}", 1)
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        graph.write_text(text)
        (tmp_path / "deploytool.toml").write_text(
            f'project = "hello"\ndomain = "example.com"\nregions = ["{PRIMARY}", "{SECONDARY}"]\n'
            "[stages.dev]\n"
        )
        return tmp_path

    return add


def cfn_lint_report(template: str, *regions: str) -> list[str]:
    """Return what cfn-lint finds in a template for these regions."""
    return [str(match) for match in lint(template, config=ManualArgs(regions=list(regions)))]


def deployment_of(project: Project) -> str:
    """Return the logical id of the API's deployment."""
    resources = project.graph("dev").nodes[NodeId("lambda", PRIMARY)].document["Resources"]
    assert isinstance(resources, dict)
    [name] = [name for name in resources if name.startswith("Deployment")]
    return str(name)


def test_the_example_of_a_route_is_published_after_its_methods(added: Added) -> None:
    """The page's template and lines give the order, and a new deployment when the route changes."""
    template, entry, snapshot = blocks_of("add-a-route.md")
    old = "    snapshot: {resource: Deployment, of: [api, lambda]}\n"
    folder = added("users.yaml", template, entry, (old, snapshot))
    assert cfn_lint_report(template, PRIMARY, SECONDARY) == []

    project = load_project(folder / "deploytool.toml")
    graph = project.graph("dev")
    for region in (PRIMARY, SECONDARY):
        assert NodeId("users", region) in graph.edges()[NodeId("lambda", region)]
        assert NodeId("lambda", region) in graph.reversed_edges()[NodeId("users", region)]

    before = deployment_of(project)
    (folder / "infra" / "users.yaml").write_text(
        template.replace("HttpMethod: ANY", "HttpMethod: GET")
    )
    assert deployment_of(load_project(folder / "deploytool.toml")) != before


def test_an_alarm_on_the_health_check_of_a_project_in_europe(added: Added) -> None:
    """The stack is in us-east-1, takes the health check's id from the primary, and is linted there."""
    folder = added("health-alarm.yaml", HEALTH_ALARM, HEALTH_ALARM_ENTRY)
    assert cfn_lint_report(HEALTH_ALARM, METRICS) == []

    project = load_project(folder / "deploytool.toml")
    assert [path.name for path in project.templates_by_regions()[(METRICS,)]] == [
        "health-alarm.yaml"
    ]
    graph = project.graph("dev")
    alarm = graph.nodes[NodeId("health-alarm", METRICS)]
    assert alarm.parameters["HealthCheckId"] == OutputRef(
        NodeId("health-check", PRIMARY), "HealthCheckId"
    )
    assert alarm.stack_name == "hello-dev-health-alarm"
    assert graph.all_regions == (PRIMARY, SECONDARY, METRICS)
