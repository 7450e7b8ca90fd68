"""Reads what the functions of a stage log."""

from collections.abc import Sequence
from functools import partial
from itertools import product

from deploytool.aws.logs import CloudWatchLogs
from deploytool.commands._context import CommandContext
from deploytool.core.errors import ApiUnavailable
from deploytool.core.service.logs import LogEvent, in_order
from deploytool.core.service.missing import Missing
from deploytool.work.tasks import for_each


def read_logs(
    context: CommandContext, regions: Sequence[str], since: float, text: str = ""
) -> tuple[list[LogEvent], dict[str, Missing]]:
    """Return the events of the regions whose API answers, and those that do not by region.

    `since` is in Unix seconds; with `text` only events that contain it. Raises DeploytoolError.
    """
    logs = CloudWatchLogs(context.target.clients)
    executor = context.target.ports.executor
    project = context.project.config.project
    prefix = f"/aws/lambda/{project}-{context.graph.stage}-"
    groups = for_each(executor, partial(_groups, logs, prefix), regions)
    missing = {gap.region: gap for gap in groups.values() if isinstance(gap, Missing)}
    places = [
        place
        for region, names in groups.items()
        if not isinstance(names, Missing)
        for place in product([region], names)
    ]

    events: list[LogEvent] = []
    read = for_each(executor, partial(_events, logs, since, text), places)
    for found in read.values():
        if isinstance(found, Missing):
            missing[found.region] = found
        else:
            events += found
    return in_order(events), missing


def _groups(logs: CloudWatchLogs, prefix: str, region: str) -> tuple[str, ...] | Missing:
    try:
        return tuple(logs.groups(region, prefix))
    except ApiUnavailable as error:
        return Missing("the logs", region, str(error))


def _events(
    logs: CloudWatchLogs, since: float, text: str, place: tuple[str, str]
) -> list[LogEvent] | Missing:
    region, group = place
    try:
        return logs.events(region, group, since, text)
    except ApiUnavailable as error:
        return Missing("the logs", region, str(error))
