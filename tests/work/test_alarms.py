"""Alarms that Route 53 does not take are refused before anything is changed."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from deploytool.core.errors import ApiUnavailable, InputError
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.route53.alarms import AlarmConfiguration, AlarmIdentifier
from deploytool.core.route53.metric_alarms import MetricAlarm
from deploytool.work.alarms import check_alarms

EAST, WEST = "us-east-1", "us-west-2"
ERRORS = f"arn:aws:cloudwatch:{EAST}:123456789012:alarm:errors"
QUEUE = f"arn:aws:cloudwatch:{WEST}:123456789012:alarm:queue"
GOOD = AlarmConfiguration("ours", "errors", (), "Sum", 60, 3, 10.0, "GreaterThanThreshold")
FILE = "deploytool.toml"


class KnownAlarms:
    """An account with these alarms; a region of `dead` does not answer."""

    def __init__(self, *alarms: MetricAlarm, dead: str = "") -> None:
        self._alarms: Mapping[str, MetricAlarm] = {
            alarm.arn.rpartition(":")[2]: alarm for alarm in alarms
        }
        self._dead = dead
        self.asked: list[AlarmIdentifier] = []

    def find(self, identifier: AlarmIdentifier) -> MetricAlarm | None:
        self.asked.append(identifier)
        if identifier.region == self._dead:
            raise ApiUnavailable("reading the alarm: no answer", identifier.region)
        return self._alarms.get(identifier.name)


@pytest.fixture
def graph(graph_of: object) -> Graph:
    """A stage whose zone stack takes both alarms, which are its setting."""
    made: Graph = graph_of()  # type: ignore[operator]
    node_id = NodeId("zone", EAST)
    node = replace(made.nodes[node_id], parameters={"Input": ERRORS, "More": QUEUE})
    settings = {**made.settings, "alarms": (ERRORS, QUEUE)}
    return replace(made, nodes={**made.nodes, node_id: node}, settings=settings)


def check(graph: Graph, alarms: KnownAlarms, *, chosen: str = "") -> None:
    """Check the alarms of every stack, or of those in one region."""
    check_alarms(graph, lambda node: chosen in ("", node.region), alarms, FILE)


def test_good_alarms_pass(graph: Graph) -> None:
    """Each is looked up in its own region."""
    alarms = KnownAlarms(MetricAlarm(ERRORS, GOOD), MetricAlarm(QUEUE, GOOD))
    check(graph, alarms)
    assert alarms.asked == [AlarmIdentifier(EAST, "errors"), AlarmIdentifier(WEST, "queue")]


def test_every_problem_is_told_at_once(graph: Graph) -> None:
    """The message names the file, the key, the alarm and the reason; the exit code is 2."""
    fast = replace(GOOD, period=10)
    with pytest.raises(InputError) as caught:
        check(graph, KnownAlarms(MetricAlarm(ERRORS, fast)))
    assert caught.value.exit_code == 2
    first, second = map(str, caught.value.problems)
    assert first.startswith(f"{FILE}: stages.dev.settings.alarms: {ERRORS}: its period is 10 s")
    assert f"{QUEUE}: there is no such alarm in us-west-2" in second


def test_an_alarm_of_another_account(graph: Graph) -> None:
    """An alarm of the same name in the caller's account is another alarm."""
    ours = MetricAlarm(ERRORS.replace("123456789012", "210987654321"), GOOD)
    with pytest.raises(InputError, match="its own account only"):
        check(graph, KnownAlarms(ours, MetricAlarm(QUEUE, GOOD)))


def test_m_out_of_n(graph: Graph) -> None:
    """Route 53 would need every data point, so it is refused."""
    alarm = MetricAlarm(ERRORS, GOOD, datapoints_to_alarm=2)
    with pytest.raises(InputError, match="2 of 3 data points"):
        check(graph, KnownAlarms(alarm, MetricAlarm(QUEUE, GOOD)))


def test_text_that_is_no_alarm(graph: Graph) -> None:
    """Text that is not the ARN of an alarm is refused without a call."""
    node_id = NodeId("zone", EAST)
    node = replace(graph.nodes[node_id], parameters={"Input": "errors"})
    wrong = replace(
        graph,
        nodes={**graph.nodes, node_id: node},
        settings={**graph.settings, "alarms": ("errors",)},
    )
    alarms = KnownAlarms()
    with pytest.raises(InputError, match="is not the ARN of an alarm"):
        check(wrong, alarms)
    assert alarms.asked == []


def test_a_deployment_of_the_standby_asks_for_no_alarm(graph: Graph) -> None:
    """Only the stack that takes the alarms needs them, so a dead region does not matter."""
    alarms = KnownAlarms(dead=EAST)
    check(graph, alarms, chosen=WEST)
    assert alarms.asked == []


def test_an_api_that_does_not_answer(graph: Graph) -> None:
    """Whether an alarm can be used is then unknown (exit code 4)."""
    with pytest.raises(ApiUnavailable) as caught:
        check(graph, KnownAlarms(dead=EAST))
    assert caught.value.exit_code == 4


def test_no_alarms(graph_of: object) -> None:
    """A stage without alarms makes no call."""
    alarms = KnownAlarms()
    check(graph_of(), alarms)  # type: ignore[operator]
    assert alarms.asked == []
