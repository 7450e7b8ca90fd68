"""deploytool failback: let traffic come back to the primary."""

from deploytool.commands._move import move_traffic
from deploytool.commands.arguments.failover import MoveArguments
from deploytool.core.failover.direction import Direction


def run(arguments: MoveArguments) -> int:
    """Return 0 when the primary serves everywhere, 1 when it does not within the timeout."""
    return move_traffic(arguments, Direction.FAILBACK)
