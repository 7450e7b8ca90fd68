"""The edges of a running cloud as a drill breaks and mends them, from outside its process:
`core.drill.ports.Edges`.
"""

from dataclasses import dataclass

from deploytool.localcloud import lifecycle
from deploytool.localcloud.state import State


@dataclass(frozen=True)
class LocalEdges:
    """Raises DeploytoolError when the cloud is gone or refuses. `seconds` are true ones: see
    `checkers.wall_delay`.
    """

    cloud: State

    def set_condition(self, region: str, condition: str, seconds: float = 0.0) -> None:
        """Returns once it holds."""
        lifecycle.set_region(self.cloud, region, condition, seconds)

    def condition(self, region: str) -> str:
        """What a client of the region meets now."""
        return lifecycle.condition_of(self.cloud, region)
