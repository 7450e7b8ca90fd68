"""The function as a whole: services in memory, name servers as a table, and commands that interfere."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from deploytool.core.drill.record import DrillRecord
from deploytool.core.failover import records as tool

AT = "2026-11-25T12:00:00Z"
PREFIX = "/deploytool/hello/dev/"
TOPIC = "arn:aws:sns:us-west-2:123456789012:alerts"
EAST, WEST = "us-east-1", "us-west-2"
ADDRESSES = {EAST: ("192.0.2.1",), WEST: ("198.51.100.1",)}


class NotFound(Exception):
    """ParameterNotFound."""


class AlreadyExists(Exception):
    """ParameterAlreadyExists."""


class Ssm:
    """Systems Manager with versions; `before_put` runs once before the next write of a name."""

    exceptions = SimpleNamespace(ParameterNotFound=NotFound, ParameterAlreadyExists=AlreadyExists)

    def __init__(self) -> None:
        self.versions: dict[str, list[str]] = {}
        self.before_put: dict[str, Callable[[], None]] = {}
        self.after_get: dict[str, Callable[[], None]] = {}
        self.refused: set[str] = set()
        # The writes of these names whose first answer is lost, so that botocore repeats them.
        self.answers_lost: set[str] = set()

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803  # as botocore
        name, _, selector = Name.removeprefix(PREFIX).partition(":")
        versions = self.versions.get(name)
        if not versions:
            raise NotFound
        number = int(selector or len(versions))
        answer = {"Parameter": {"Value": versions[number - 1], "Version": number}}
        if interference := self.after_get.pop(name, None):
            interference()
        return answer

    def put_parameter(self, Name: str, Value: str, Type: str, Overwrite: bool) -> dict[str, int]:  # noqa: N803
        name = Name.removeprefix(PREFIX)
        if interference := self.before_put.pop(name, None):
            interference()
        if name in self.refused:
            raise RuntimeError(f"writing {name} is refused")
        if name in self.versions and not Overwrite:
            raise AlreadyExists
        self.versions.setdefault(name, []).append(Value)
        if name in self.answers_lost:
            self.answers_lost.discard(name)
            return self.put_parameter(PREFIX + name, Value, Type, Overwrite)
        return {"Version": len(self.versions[name])}

    def write(self, record: Any) -> None:
        """Write a record of the tool's."""
        self.versions.setdefault(tool.PURPOSES[type(record)], []).append(tool.to_json(record))

    def read(self, kind: Any) -> Any:
        return tool.parse(kind, self.versions[tool.PURPOSES[kind]][-1], "here")


class World:
    """The services of the standby region, and the region that each name server answers with."""

    def __init__(self, function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.function: Any = function
        self.ssm = Ssm()
        self.metric: list[float] = []
        self.messages: list[dict[str, str]] = []
        self.asked: list[tuple[str, str | None]] = []
        self.broken: set[str] = set()
        self.regions: list[str | None] = [EAST] * 4
        # What the resolver answers for each region's target.
        self.targets = dict(ADDRESSES)
        self.setenv = monkeypatch.setenv
        monkeypatch.setattr(function, "SEEN", {})
        monkeypatch.setattr(function, "client", self._client)
        monkeypatch.setattr(function, "addresses_of", self._addresses_of)
        monkeypatch.setattr(function, "resolver_of_the_system", lambda: "resolver")
        environment = {
            "PREFIX": PREFIX,
            "PROJECT": "hello",
            "STAGE": "dev",
            "FAILBACK": "manual",
            "TOPIC": TOPIC,
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    def _client(self, service: str, region: str | None = None) -> Any:
        self.asked.append((service, region))
        if service == "ssm":
            return self.ssm
        return SimpleNamespace(put_metric_data=self._put_metric_data, publish=self._publish)

    def _put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803
        if "cloudwatch" in self.broken:
            raise RuntimeError("CloudWatch is down")
        [datum] = MetricData
        assert (Namespace, datum["MetricName"]) == (tool.NAMESPACE, tool.METRIC)
        assert [(each["Name"], each["Value"]) for each in datum["Dimensions"]] == [
            ("Project", "hello"),
            ("Stage", "dev"),
        ]
        self.metric.append(datum["Value"])

    def _publish(self, TopicArn: str, Subject: str, Message: str) -> None:  # noqa: N803
        assert TopicArn == TOPIC
        if "sns" in self.broken:
            raise RuntimeError("SNS is down")
        self.messages.append({"subject": Subject, "text": Message})

    def _addresses_of(self, name: str, server: Any, *, recurse: bool) -> tuple[str, ...]:
        if recurse:
            assert server == "resolver"
            if name.startswith("d-"):
                return self.targets[name.removeprefix("d-")]
            return (f"203.0.113.{name[3]}",)
        assert name == "dev.example.com"
        region = self.regions[int(server.address[-1])]
        if region is None:
            raise self.function.DnsFailed("no answer")
        return ADDRESSES[region]

    def deploy(self) -> None:
        self.ssm.write(
            tool.StandbyRecord(
                schema_version=1,
                project="hello",
                stage="dev",
                domain="dev.example.com",
                path="/v1",
                primary=EAST,
                secondary=WEST,
                regional_domains={},
                hosted_zone_id="Z1",
                name_servers=("ns-0.example", "ns-1.example", "ns-2.example", "ns-3.example"),
                health_check_id="a",
                failover_health_check_id="b",
                switch_health_check_id="c",
                failback="manual",
                deployed=tool.Deployed(AT, "me"),
                targets={EAST: f"d-{EAST}", WEST: f"d-{WEST}"},
            )
        )

    def command(self, *, held: bool) -> None:
        """What `failover` and `failback` do: the record first, then the metric."""
        self.ssm.write(
            tool.SwitchRecord(1, held, AT, "me", "an outage", "command", returning=not held)
        )
        self.metric.append(1.0 if held else 0.0)

    def drill(self) -> None:
        record = DrillRecord(1, "d1", "edge", "dev", "me@host", AT, AT, ())
        self.ssm.versions["drill"] = [record.to_json()]

    def serve(self, region: str) -> None:
        self.regions = [region] * 4

    def run(self) -> str:
        return str(self.function.handler({}, None))

    @property
    def switch(self) -> tool.SwitchRecord:
        return self.ssm.read(tool.SwitchRecord)  # type: ignore[no-any-return]

    @property
    def serving(self) -> tool.ServingRecord:
        return self.ssm.read(tool.ServingRecord)  # type: ignore[no-any-return]


@pytest.fixture
def world(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> World:
    """A deployed stage with a manual failback and a topic, whose primary serves."""
    world = World(function, monkeypatch)
    world.deploy()
    return world


def test_the_template_names_the_handler() -> None:
    """The module is in the folder, and the function in the module."""
    folder = Path(__file__).parents[3]
    template = (folder / "infra" / "switch.yaml").read_text()
    assert "Handler: switch.handler" in template
    assert "def handler(" in (folder / "lambda" / "switch" / "switch.py").read_text()


def test_a_stage_that_was_never_moved_is_not_held(world: World) -> None:
    """Without a record the metric is 0, and the first look sends no message."""
    assert world.run() == "us-east-1 serves dev.example.com"
    assert world.metric == [0.0]
    assert [change.region for change in world.serving.changes] == [EAST]
    assert world.messages == []


def test_before_the_first_deployment_has_ended_there_is_only_the_metric(
    function: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The standby record comes last, so the function waits for it."""
    world = World(function, monkeypatch)
    assert "no standby record" in world.run()
    assert world.metric == [0.0]
    assert "serving" not in world.ssm.versions


def test_a_command_is_repeated_and_noted(world: World) -> None:
    """Who and why are the command's. Nothing new is noted at the next look but its time."""
    world.run()
    world.command(held=True)
    world.serve(WEST)
    world.run()
    world.run()
    assert world.metric == [0.0, 1.0, 1.0, 1.0]
    newest = world.serving.changes[-1]
    assert (newest.region, newest.how, newest.who, newest.why) == (
        WEST,
        "command",
        "me",
        "an outage",
    )
    assert len(world.serving.changes) == 2
    [message] = world.messages
    assert message["subject"] == "dev.example.com is served by us-west-2"
    assert "How: command." in message["text"]
    assert "an outage" in message["text"]
    assert "failback --stage" not in message["text"]


def test_an_automatic_failover_is_held_with_a_manual_failback(world: World) -> None:
    """From the first look on the metric is 1, and stays so when the primary recovers."""
    world.run()
    world.serve(WEST)
    assert world.run().endswith("the switch is now held")
    assert (world.switch.held, world.switch.how, world.switch.who) == (True, "automatic", "")
    assert world.metric == [0.0, 0.0, 1.0]
    [message] = world.messages
    assert "deploytool failback --stage dev" in message["text"]

    world.serve(EAST)
    world.run()
    assert world.metric[-1] == 1.0
    assert world.switch.held


def test_an_automatic_failback_is_left_to_route_53(world: World) -> None:
    """Without the setting nothing is held."""
    world.setenv("FAILBACK", "automatic")
    world.run()
    world.serve(WEST)
    world.run()
    assert "switch" not in world.ssm.versions
    assert set(world.metric) == {0.0}


def test_a_drill_is_not_held(world: World) -> None:
    """Its failover is noted as a drill."""
    world.run()
    world.drill()
    world.serve(WEST)
    world.run()
    assert "switch" not in world.ssm.versions
    assert (world.serving.changes[-1].how, world.serving.changes[-1].who) == ("drill", "me@host")


def test_a_failback_is_not_held_and_ends_when_the_primary_serves(world: World) -> None:
    """Until then the secondary still serves. Afterwards a new failure is held again."""
    world.run()
    world.command(held=True)
    world.serve(WEST)
    world.run()
    world.command(held=False)
    world.run()
    assert (world.switch.held, world.switch.returning) == (False, True)

    world.serve(EAST)
    world.run()
    assert (world.switch.returning, world.switch.who) == (False, "me")
    assert world.serving.changes[-1].how == "command"
    assert world.metric[-1] == 0.0

    world.serve(WEST)
    world.run()
    assert (world.switch.held, world.switch.how) == (True, "automatic")


def test_while_a_change_spreads_nothing_is_decided(world: World) -> None:
    """Name servers that differ, or too few answers, change no record but keep the metric."""
    world.run()
    before = dict(world.ssm.versions)
    for regions in ([EAST, WEST, WEST, WEST], [None, None, None, WEST]):
        world.regions = regions
        assert "cannot tell" in world.run()
    assert {name: len(each) for name, each in world.ssm.versions.items()} == {
        name: len(each) for name, each in before.items()
    }
    assert world.metric == [0.0, 0.0, 0.0]


def test_addresses_of_earlier_calls_are_known(world: World) -> None:
    """An answer holds only some of API Gateway's addresses. Those of a dead resolver stay known."""
    world.run()
    world.targets[EAST] = ("192.0.2.2",)
    assert world.run() == "us-east-1 serves dev.example.com"
    world.targets[EAST] = ()
    assert world.run() == "us-east-1 serves dev.example.com"


def test_name_servers_that_do_not_answer_are_left_out(world: World) -> None:
    """Half of them are enough."""
    world.regions = [None, EAST, None, EAST]
    assert world.run() == "us-east-1 serves dev.example.com"


@pytest.mark.parametrize("first", [True, False], ids=["new", "there"])
@pytest.mark.parametrize("moment", ["before-the-look", "before-the-write"])
def test_a_command_wins_against_the_function(world: World, first: bool, moment: str) -> None:
    """A failback that is written while the function decides to hold stays written.

    So does the first record of the stage.
    """
    if not first:
        world.command(held=False)
    world.run()
    world.serve(WEST)
    if moment == "before-the-look":
        world.ssm.after_get["serving"] = lambda: world.command(held=False)
    else:
        world.ssm.before_put["switch"] = lambda: world.command(held=False)
    world.run()
    assert (world.switch.held, world.switch.how) == (False, "command")
    assert world.metric[-1] == 0.0
    assert all("failback --stage" not in message["text"] for message in world.messages)


@pytest.mark.parametrize("first", [True, False], ids=["new", "there"])
def test_a_lost_answer_is_no_command_of_somebody_else(world: World, first: bool) -> None:
    """The switch is held, with its metric and its message, although botocore wrote it twice."""
    if not first:
        world.command(held=False)
    world.run()
    world.serve(WEST)
    world.ssm.answers_lost.add("switch")
    assert world.run().endswith("the switch is now held")
    assert world.metric[-1] == 1.0


def test_a_command_wins_although_an_answer_was_lost(world: World) -> None:
    """The command's record is neither of the two that the function wrote, and is put back."""
    world.command(held=False)
    world.run()
    world.serve(WEST)
    world.ssm.before_put["switch"] = lambda: world.command(held=False)
    world.ssm.answers_lost.add("switch")
    world.run()
    assert (world.switch.held, world.switch.how) == (False, "command")
    assert world.metric[-1] == 0.0


def test_a_failback_that_ends_after_the_look_is_not_taken_for_a_failover(world: World) -> None:
    """The secondary was seen while traffic returned; then the command noted that it has returned."""
    world.run()
    world.command(held=False)
    returning = world.switch
    world.serve(WEST)
    world.ssm.after_get["serving"] = lambda: world.ssm.write(replace(returning, returning=False))
    world.run()
    assert not world.switch.held
    assert world.metric[-1] == 0.0


def test_a_command_during_the_metric_is_repeated(world: World) -> None:
    """A 0 that arrives after the command's 1 is followed by another 1."""
    world.command(held=False)
    world.metric.clear()
    world.ssm.after_get["switch"] = lambda: world.command(held=True)
    world.run()
    assert world.metric == [1.0, 0.0, 1.0]


def test_a_message_that_cannot_be_sent_stops_nothing(world: World) -> None:
    """The records are written and the switch is held. At the end the error is raised."""
    world.run()
    world.broken.add("sns")
    world.serve(WEST)
    with pytest.raises(RuntimeError, match=r"publishing to arn:aws:sns.*SNS is down"):
        world.run()
    assert world.serving.changes[-1].region == WEST
    assert world.switch.held
    assert world.metric[-1] == 1.0


def test_a_metric_that_cannot_be_put_stops_nothing(world: World) -> None:
    """Who serves is noted, a message is sent, and at the end the error is raised."""
    world.setenv("FAILBACK", "automatic")
    world.run()
    world.broken.add("cloudwatch")
    world.serve(WEST)
    with pytest.raises(RuntimeError, match=r"putting the metric.*CloudWatch is down"):
        world.run()
    assert world.serving.changes[-1].region == WEST
    assert len(world.messages) == 1


def test_a_record_that_cannot_be_written_holds_nothing(world: World) -> None:
    """The metric follows the record, so both stay as they are."""
    world.run()
    world.ssm.refused.add("switch")
    world.serve(WEST)
    with pytest.raises(RuntimeError, match="writing the switch's record"):
        world.run()
    assert set(world.metric) == {0.0}


def test_two_calls_at_once_come_to_the_same_result(world: World) -> None:
    """The second one runs while the first is about to hold; both leave it held once."""
    world.command(held=False)
    world.serve(EAST)
    world.run()
    world.serve(WEST)
    outcomes: list[str] = []
    world.ssm.before_put["switch"] = lambda: outcomes.append(world.run())
    world.run()
    assert (world.switch.held, world.switch.how) == (True, "automatic")
    assert [change.region for change in world.serving.changes] == [EAST, WEST]
    assert world.metric[-1] == 1.0


def test_a_record_of_a_newer_tool_changes_nothing(world: World) -> None:
    """No metric is put, so the alarm and the health check keep their state."""
    world.ssm.versions["switch"] = [json.dumps({"schema_version": 2})]
    with pytest.raises(ValueError, match="unknown schema version 2"):
        world.run()
    assert world.metric == []


def test_it_calls_the_standby_region_alone(world: World) -> None:
    """Its clients are those of its own region, and the topic's."""
    world.run()
    world.serve(WEST)
    world.run()
    assert set(world.asked) == {("ssm", None), ("cloudwatch", None), ("sns", WEST)}


def test_a_long_domain_has_a_short_subject(world: World) -> None:
    """SNS takes subjects of fewer than 100 characters."""
    messages = __import__("messages")
    standby = SimpleNamespace(domain="a" * 60 + ".example.com" * 5, primary=EAST, secondary=WEST)
    message = messages.message_of(
        "dev", standby, SimpleNamespace(at=AT, region=WEST), None, holds=True
    )
    assert message.subject == "us-west-2 serves stage dev"


def test_the_resolver_is_the_local_cloud_s_where_there_is_one(
    function: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere it is the system's."""
    monkeypatch.setenv("DEPLOYTOOL_RESOLVER", "127.0.0.1:5353")
    assert str(function.resolver_of_the_system()) == "127.0.0.1:5353"
    monkeypatch.delenv("DEPLOYTOOL_RESOLVER")
    monkeypatch.setattr(function, "system_resolver", lambda: "the system's")
    assert function.resolver_of_the_system() == "the system's"
