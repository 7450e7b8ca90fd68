"""deploytool failover: move traffic to the secondary, and keep it there."""

from deploytool.commands._move import move_traffic
from deploytool.commands.arguments.failover import MoveArguments
from deploytool.core.failover.direction import Direction


def run(arguments: MoveArguments) -> int:
    """Return 0 when the secondary serves everywhere, 1 when it does not within the timeout."""
    return move_traffic(arguments, Direction.FAILOVER)
