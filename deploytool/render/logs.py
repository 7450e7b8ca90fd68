"""Lines of logs."""

from datetime import UTC, datetime
from typing import Any

from deploytool.core.service.logs import LogEvent
from deploytool.render.text import escape


def event_line(event: LogEvent) -> str:
    """Return a line with the time (UTC), the region and the function. It has rich's markup."""
    text = escape(event.message)
    if event.is_error:
        text = f"[red]{text}[/]"
    return f"[dim]{_time(event)[11:23]}  {event.region}  {escape(event.source)}[/]  {text}"


def event_document(event: LogEvent) -> dict[str, Any]:
    """Return an event as a document for programs."""
    return {
        "time": _time(event),
        "region": event.region,
        "group": event.group,
        "message": event.message,
    }


def _time(event: LogEvent) -> str:
    return datetime.fromtimestamp(event.time, UTC).isoformat(timespec="milliseconds")
