"""Refuses alarms that Route 53 does not take, before anything is changed."""

from collections.abc import Callable, Iterator

from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.route53.metric_alarms import alarm_problem, parse_alarm_arn
from deploytool.core.service.ports import Alarms

# The setting of a stage that lists the ARNs of its alarms.
SETTING = "alarms"


def check_alarms(
    graph: Graph, is_chosen: Callable[[NodeId], bool], alarms: Alarms, file: str
) -> None:
    """Raise InputError, with every reason, when a chosen stack takes an alarm that is refused.

    `file` is the configuration, for the message. Without alarms, and when no chosen stack takes
    one, no call is made: a deployment to the standby alone needs no alarm. Raises ApiUnavailable
    when the API of an alarm's region does not answer.
    """
    key = f"stages.{graph.stage}.settings.{SETTING}"
    problems = []
    for arn in _chosen_alarms(graph, is_chosen):
        problem = _problem(arn, alarms)
        if problem is not None:
            problems.append(InputProblem(file, key, f"{arn}: {problem}"))
    if problems:
        raise InputError(problems)


def _chosen_alarms(graph: Graph, is_chosen: Callable[[NodeId], bool]) -> Iterator[str]:
    """Yield the alarms of the stage that are a parameter of a chosen stack."""
    listed: object = graph.settings.get(SETTING, ())
    if not isinstance(listed, tuple):
        return

    taken = set()
    for node in graph.nodes.values():
        if is_chosen(node.id):
            taken |= {value for value in node.parameters.values() if isinstance(value, str)}
    for arn in listed:
        if arn in taken:
            yield arn


def _problem(arn: str, alarms: Alarms) -> str | None:
    """Return why an alarm is refused, or None."""
    parsed = parse_alarm_arn(arn)
    if parsed is None:
        return (
            "is not the ARN of an alarm, like arn:aws:cloudwatch:us-east-1:123456789012:alarm:NAME"
        )

    alarm = alarms.find(parsed.identifier)
    # An alarm of that name in the caller's account has another ARN when the account differs.
    if alarm is None or alarm.arn != arn:
        return (
            f"there is no such alarm in {parsed.region} of the account that is deployed to;"
            " a health check takes an alarm of its own account only"
        )
    return alarm_problem(alarm)
