"""The guard's function, run on botocore's stubs: it undoes what the record says, or keeps it."""

import importlib.util
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import boto3
import pytest
from botocore.stub import ANY, Stubber

from deploytool.core.drill.record import (
    SCHEMA_VERSION,
    DrillRecord,
    RestoreConcurrency,
    RestoreHealthCheck,
    RestoreMapping,
    RestoreSwitch,
    UndoStep,
    record_name,
)
from deploytool.core.failover.records import (
    METRIC,
    NAMESPACE,
    SwitchRecord,
    parameter_name,
    parse,
    to_json,
)
from deploytool.core.failover.records import SCHEMA_VERSION as SWITCH_VERSION
from deploytool.core.project.graph import Graph
from deploytool.files.project import Project

SOURCE = Path(__file__).parents[2] / "lambda" / "drill_guard" / "guard.py"
NAME = record_name("hello", "dev")
CHECK, API = "11111111-2222-3333-4444-555555555555", "a1b2c3d4e5"
INVERTED = RestoreHealthCheck(CHECK, inverted=False)
THROTTLED = RestoreConcurrency("us-east-1", "hello-dev-lambda", 7)
UNRESERVED = RestoreConcurrency("us-east-1", "hello-dev-lambda", None)
UNMAPPED = RestoreMapping("us-east-1", "dev.example.com", "(none)", API, "dev")
HELD = RestoreSwitch("us-west-2", "hello", "dev")
RELEASED = {
    "Namespace": NAMESPACE,
    "MetricData": [
        {
            "MetricName": METRIC,
            "Dimensions": [
                {"Name": "Project", "Value": "hello"},
                {"Name": "Stage", "Value": "dev"},
            ],
            "Value": 0.0,
        }
    ],
}
SWITCH = parameter_name("hello", "dev", SwitchRecord)
ITEM = {"basePath": "(none)", "restApiId": API, "stage": "dev"}


class Function:
    """The guard's module with a stub for each client; `asked` are these, with their regions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        spec = importlib.util.spec_from_file_location("guard", SOURCE)
        assert spec is not None
        assert spec.loader is not None
        self.module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)

        monkeypatch.setattr(self.module, "client", self._client)
        monkeypatch.setattr(self.module, "time", SimpleNamespace(sleep=lambda seconds: None))
        self.asked: list[tuple[str, str | None]] = []
        self._stubs: dict[str, tuple[Any, Stubber]] = {}
        for service in ("ssm", "route53", "lambda", "apigateway", "cloudwatch"):
            keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
            client = boto3.client(service, region_name="us-west-2", **keys)  # type: ignore[call-overload]
            self._stubs[service] = client, Stubber(client)
            self._stubs[service][1].activate()

    def stub(self, service: str) -> Stubber:
        return self._stubs[service][1]

    def client_of(self, service: str) -> Any:
        return self._stubs[service][0]

    def _client(self, service: str, region: str | None = None) -> Any:
        self.asked.append((service, region))
        return self._stubs[service][0]

    def holds(self, *steps: UndoStep, drill_id: str = "d1", version: int = SCHEMA_VERSION) -> None:
        """The record that the function finds."""
        record = DrillRecord(
            version,
            drill_id,
            "any",
            "dev",
            "me",
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:14:05Z",
            steps,
        )
        answer = {"Parameter": {"Name": NAME, "Value": record.to_json()}}
        self.stub("ssm").add_response("get_parameter", answer, {"Name": NAME})

    def is_cleared(self) -> None:
        """The deletion that must follow; without it the stub answers any deletion with an error."""
        self.stub("ssm").add_response("delete_parameter", {}, {"Name": NAME})

    def health_check(self, *, inverted: bool, version: int = 4) -> None:
        config = {"Type": "HTTPS", "Inverted": inverted}
        found = {
            "Id": CHECK,
            "CallerReference": "x",
            "HealthCheckConfig": config,
            "HealthCheckVersion": version,
        }
        self.stub("route53").add_response(
            "get_health_check", {"HealthCheck": found}, {"HealthCheckId": CHECK}
        )

    def switch(self, *, held: bool, how: str = "drill") -> None:
        """The switch's record that the function reads next."""
        record = SwitchRecord(SWITCH_VERSION, held, "2026-01-02T03:04:05+00:00", "me", "", how)
        answer = {"Parameter": {"Name": SWITCH, "Value": to_json(record)}}
        self.stub("ssm").add_response("get_parameter", answer, {"Name": SWITCH})

    def run(self, drill_id: str = "d1") -> str:
        return str(self.module.restore(drill_id))

    def done(self) -> None:
        for _, stub in self._stubs.values():
            stub.assert_no_pending_responses()


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    """The function as shipped. When a test ends, every call that it announced has been made."""
    monkeypatch.setenv("RECORD", NAME)
    function = Function(monkeypatch)
    yield function
    function.done()


def test_the_template_names_the_handler_that_is_packaged(graph: Graph, project: Project) -> None:
    """The module is in the package, and the function in the module, that the template names."""
    resources: Any = project.templates["drill-guard.yaml"].document["Resources"]
    module, _, name = resources["Function"]["Properties"]["Handler"].partition(".")
    with ZipFile(BytesIO(project.packages["drill-guard"].data)) as package:
        assert f"def {name}(" in package.read(f"{module}.py").decode()
    assert SOURCE.stem == module


def test_it_reads_the_records_that_the_tool_writes(function: Function) -> None:
    """The function and the tool agree on the schema's version and the names of the steps."""
    assert function.module.SCHEMA_VERSION == SCHEMA_VERSION
    steps = (INVERTED, THROTTLED, UNMAPPED, HELD)
    record = DrillRecord(SCHEMA_VERSION, "d1", "any", "dev", "me", "", "", steps)
    types = [step["type"] for step in json.loads(record.to_json())["undo"]]
    assert sorted(types) == sorted(function.module.UNDO)


def test_it_reads_where_the_tool_writes(graph: Graph, project: Project) -> None:
    """The template forms the record's name from the same two settings as the tool."""
    template: Any = project.templates["drill-guard.yaml"].document["Resources"]
    given = next(node for node in graph.nodes.values() if node.id.stack == "drill-guard").parameters
    name = template["Function"]["Properties"]["Environment"]["Variables"]["RECORD"]["Fn::Sub"]
    for parameter in ("Project", "Stage"):
        name = name.replace(f"${{{parameter}}}", given[parameter])
    assert name == record_name(graph.project, graph.stage)


@pytest.mark.parametrize("inverted", [True, False])
def test_it_restores_a_health_check(function: Function, *, inverted: bool) -> None:
    """A health check that is not inverted is updated too.

    An injection that arrives later then finds its version stale.
    """
    function.holds(INVERTED)
    function.health_check(inverted=inverted, version=4)
    answer = {
        "HealthCheck": {
            "Id": CHECK,
            "CallerReference": "x",
            "HealthCheckConfig": {"Type": "HTTPS"},
            "HealthCheckVersion": 5,
        }
    }
    expected = {"HealthCheckId": CHECK, "HealthCheckVersion": 4, "Inverted": False}
    function.stub("route53").add_response("update_health_check", answer, expected)
    function.health_check(inverted=False, version=5)
    function.is_cleared()
    assert function.run() == "undone"


@pytest.mark.parametrize(("step", "call"), [(THROTTLED, "put"), (UNRESERVED, "delete")])
def test_it_restores_the_concurrency_of_the_function(
    function: Function, step: RestoreConcurrency, call: str
) -> None:
    """The function gets the earlier number, or none, in the region of the step."""
    name = {"FunctionName": "hello-dev-lambda"}
    reserved = {} if step.reserved is None else {"ReservedConcurrentExecutions": step.reserved}
    function.holds(step)
    function.stub("lambda").add_response(f"{call}_function_concurrency", {}, {**name, **reserved})
    function.stub("lambda").add_response("get_function_concurrency", reserved, name)
    function.is_cleared()
    assert function.run() == "undone"
    assert ("lambda", "us-east-1") in function.asked


@pytest.mark.parametrize("there", [True, False])
def test_it_creates_a_mapping_that_is_missing(function: Function, there: bool) -> None:
    """A mapping that exists is left alone, whatever its other properties are."""
    function.holds(UNMAPPED)
    gateway, asked = function.stub("apigateway"), {"domainName": "dev.example.com", "limit": 500}
    gateway.add_response("get_base_path_mappings", {"items": [ITEM] if there else []}, asked)
    if not there:
        gateway.add_response(
            "create_base_path_mapping", ITEM, {"domainName": "dev.example.com", **ITEM}
        )
    gateway.add_response("get_base_path_mappings", {"items": [ITEM]}, asked)
    function.is_cleared()
    assert function.run() == "undone"
    assert ("apigateway", "us-east-1") in function.asked


@pytest.mark.parametrize("held", [True, False])
def test_it_releases_the_switch(function: Function, *, held: bool) -> None:
    """The record says that traffic returns after a drill, and then the metric is 0.

    The order matters: the function of the switch repeats the metric from the record.
    """
    function.holds(HELD)
    function.switch(held=held)
    written: list[SwitchRecord] = []

    def keep(params: Any, **_: Any) -> None:
        written.append(parse(SwitchRecord, params["Value"], SWITCH))

    function.client_of("ssm").meta.events.register("provide-client-params.ssm.PutParameter", keep)
    put = {"Name": SWITCH, "Value": ANY, "Type": "String", "Overwrite": True}
    function.stub("ssm").add_response("put_parameter", {"Version": 2}, put)
    function.stub("cloudwatch").add_response("put_metric_data", {}, RELEASED)
    function.switch(held=False)
    function.is_cleared()
    assert function.run() == "undone"
    [record] = written
    assert (record.held, record.returning, record.how) == (False, True, "drill")
    assert ("cloudwatch", "us-west-2") in function.asked


def test_it_leaves_a_switch_that_a_command_holds(function: Function) -> None:
    """Somebody moved traffic during the drill, and the end of the drill does not move it back."""
    function.holds(HELD)
    function.switch(held=True, how="command")
    function.is_cleared()
    assert function.run() == "undone"


def test_an_unknown_step_keeps_the_record_and_stops_no_other_step(function: Function) -> None:
    """A newer tool may record steps that this guard does not know."""
    function.holds(HELD, UNRESERVED)
    function.stub("lambda").add_response("delete_function_concurrency", {})
    function.stub("lambda").add_response("get_function_concurrency", {})
    del function.module.UNDO["restore_switch"]
    with pytest.raises(RuntimeError, match="restore_switch"):
        function.run()


def test_a_failed_step_keeps_the_record_and_stops_no_other_step(function: Function) -> None:
    """The concurrency is restored after a lost compare-and-swap of the health check.

    The error names the step that failed, and the record stays.
    """
    function.holds(INVERTED, UNRESERVED)
    function.health_check(inverted=True)
    function.stub("route53").add_client_error(
        "update_health_check", "HealthCheckVersionMismatch", http_status_code=409
    )
    function.stub("lambda").add_response("delete_function_concurrency", {})
    function.stub("lambda").add_response("get_function_concurrency", {})
    with pytest.raises(RuntimeError, match=r"restore_health_check.*HealthCheckVersionMismatch"):
        function.run()


def test_a_change_without_effect_is_a_failure(function: Function) -> None:
    """A second read decides, and not that the call was accepted."""
    function.holds(THROTTLED)
    function.stub("lambda").add_response(
        "put_function_concurrency", {"ReservedConcurrentExecutions": 7}
    )
    function.stub("lambda").add_response(
        "get_function_concurrency", {"ReservedConcurrentExecutions": 0}
    )
    with pytest.raises(RuntimeError, match="it is 0, not 7"):
        function.run()


def test_without_a_record_there_is_nothing_to_do(function: Function) -> None:
    """The drill has restored everything itself, or an earlier attempt has."""
    function.stub("ssm").add_client_error("get_parameter", "ParameterNotFound")
    assert function.run() == "has no record, nothing to undo"


def test_the_record_of_another_drill_is_ignored(function: Function) -> None:
    """A schedule that is left over restores nothing of a later drill."""
    function.holds(INVERTED, drill_id="d2")
    assert function.run("d1") == "is over, d2 is under way"


def test_a_record_of_another_schema_is_refused(function: Function) -> None:
    """Nothing is undone by guessing, and the record stays, so that it can still be read."""
    function.holds(INVERTED, version=SCHEMA_VERSION + 1)
    with pytest.raises(ValueError, match="unknown schema version"):
        function.run()


def test_it_tries_again_while_there_is_time_and_then_fails(
    function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each attempt is logged. The function raises the last error, so that Lambda counts it."""
    left = iter([200_000, 100_000, 50_000])
    for _ in range(3):
        function.stub("ssm").add_client_error(
            "get_parameter", "InternalServerError", http_status_code=400
        )
    with pytest.raises(Exception, match="InternalServerError"):
        function.module.handler(
            {"drill_id": "d1"}, SimpleNamespace(get_remaining_time_in_millis=lambda: next(left))
        )
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_it_logs_the_outcome(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    """The event of a schedule is enough to run, and the log reports the outcome."""
    function.holds()
    function.is_cleared()
    assert function.module.handler(json.loads('{"drill_id": "d1"}'), None) == "undone"
    assert "drill d1: undone" in capsys.readouterr().out
