"""EventBridge rules with a rate: on time, and on the cloud's calendar.

MiniStack looks for rules that are due every 10 seconds and counts wall time. EventBridge's
documentation counts a rule's first interval from its creation, as MiniStack does (EventBridge User
Guide, "Rate expressions"). Rules with `cron(...)` still count wall time. Schedules of EventBridge
Scheduler with a rate count the cloud's time too, those with `at(...)` wall time.
"""

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "eventbridge._SCHEDULER_TICK_INTERVAL": "rules are up to 10 s late",
    "eventbridge._parse_rate_seconds": "rates count wall time whatever the cloud's speed",
}

# Seconds of wall time between two looks for rules that are due. A look takes microseconds.
INTERVAL = 0.1


def install(patcher: Patcher, speed: float) -> None:
    """Look for due rules often, and divide each rate by the cloud's speed."""

    def parse_rate_seconds(expr: str) -> float | None:
        seconds = parse_original(expr)
        return None if seconds is None else seconds / speed

    parse_original = patcher.replace("eventbridge._parse_rate_seconds", parse_rate_seconds)
    patcher.replace("eventbridge._SCHEDULER_TICK_INTERVAL", INTERVAL)
