"""EventBridge Scheduler: run schedules on time in a fast cloud.

MiniStack looks for schedules that are due every 10 seconds.
"""

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "scheduler._SCHEDULE_TICK_INTERVAL": "schedules are up to 10 s late",
}

# Seconds of wall time between two polls for due schedules. Schedules count wall time whatever the
# cloud's speed, and a poll takes microseconds.
INTERVAL = 0.25


def install(patcher: Patcher) -> None:
    """Shorten the interval; MiniStack's scheduler thread reads it before each pause."""
    patcher.replace("scheduler._SCHEDULE_TICK_INTERVAL", INTERVAL)
