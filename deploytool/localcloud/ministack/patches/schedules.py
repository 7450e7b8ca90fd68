"""EventBridge Scheduler on time: MiniStack looks for schedules that are due every 10 seconds, too
seldom for a fast cloud.
"""

from deploytool.localcloud.ministack.emulator import MiniStack

# Seconds of wall time, in which schedules count whatever the cloud's speed; a look takes
# microseconds
INTERVAL = 0.25


def install(ministack: MiniStack) -> None:
    """Let MiniStack's own thread look oftener; it reads this before each pause."""
    ministack.scheduler._SCHEDULE_TICK_INTERVAL = INTERVAL
