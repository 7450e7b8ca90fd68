"""CloudWatch Logs: the log groups of a stage's functions, and their events."""

from collections.abc import Sequence
from itertools import islice

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients
from deploytool.core.service.logs import LogEvent

MOST_EVENTS = 2000  # of a group in one reading; more would fill the screen and the memory


class CloudWatchLogs:
    """Reads logs."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def groups(self, region: str, prefix: str) -> Sequence[str]:
        """DescribeLogGroups: the names that begin with the prefix."""
        with translated(f"listing the log groups {prefix}* in {region}"):
            paginator = self._clients.get("logs", region).get_paginator("describe_log_groups")
            pages = paginator.paginate(logGroupNamePrefix=prefix)
            return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    def events(self, region: str, group: str, since: float, text: str = "") -> list[LogEvent]:
        """FilterLogEvents: the events since a Unix time, those that contain `text` if it is given.

        At most MOST_EVENTS, the earliest ones.
        """
        more = {"filterPattern": f'"{text}"'} if text else {}
        with translated(f"reading the log group {group} in {region}"):
            paginator = self._clients.get("logs", region).get_paginator("filter_log_events")
            pages = paginator.paginate(logGroupName=group, startTime=int(since * 1000), **more)
            found = (event for page in pages for event in page["events"])
            return [
                LogEvent(
                    time=event["timestamp"] / 1000,
                    region=region,
                    group=group,
                    # The local cloud gives none
                    id=event.get("eventId", event.get("logStreamName", "")),
                    text=event["message"],
                )
                for event in islice(found, MOST_EVENTS)
            ]
