"""EventBridge Scheduler on time: MiniStack looks for schedules that are due every 10 seconds, too seldom for a fast cloud."""

# ruff: noqa: SLF001 - MiniStack has neither types nor public names for its state

from deploytool.localcloud.ministack.emulator import MiniStack

INTERVAL = 0.25  # seconds of wall time, in which schedules count whatever the cloud's speed; a look takes microseconds


def install(ministack: MiniStack) -> None:
    """Let MiniStack's own thread look oftener; it reads this before each pause."""
    ministack.scheduler._SCHEDULE_TICK_INTERVAL = INTERVAL
