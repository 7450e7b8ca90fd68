"""How long CloudFormation takes over a resource, for a local cloud that imitates AWS's durations.

The local cloud has no table of its own: the seconds are given when it starts. They are a model, not
AWS. A stack takes the sum of its resources, one after another, which is how the emulator makes
them; AWS makes resources that do not depend on each other side by side.
"""

import json
import math
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

from deploytool.core.errors import InputError

DELETION = 0.5  # share of a creation's seconds that a deletion takes: a guess
SPREAD = 2.0  # with a seed a resource takes between 1/SPREAD and SPREAD times its seconds


@dataclass(frozen=True)
class Durations:
    """Seconds that the creation of a resource takes.

    `seconds` maps a resource type to its seconds; every other type takes `other` seconds. With a
    `seed` each resource of each region takes a factor of its own between 1/SPREAD and SPREAD
    longer: the same seed gives the same factors, whatever tool creates the resource and in
    whatever order. Without any seconds resources are created at once.

    Raises InputError for seconds that are negative or not finite.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    other: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        for value in (*self.seconds.values(), self.other):
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"durations: seconds must not be negative, got {value}")

    def __bool__(self) -> bool:
        return bool(self.seconds) or self.other > 0

    def creation(self, resource_type: str, logical_id: str, region: str) -> float:
        """Seconds to create a resource, or to update one."""
        seconds = self.seconds.get(resource_type, self.other)
        return seconds * self._factor(resource_type, logical_id, region)

    def deletion(self, resource_type: str, logical_id: str, region: str) -> float:
        """Seconds to delete a resource."""
        return DELETION * self.creation(resource_type, logical_id, region)

    def stack(self, resources: Mapping[str, str], region: str) -> float:
        """Seconds to create a stack of these resources (type by logical id) in a region."""
        total = 0.0
        for logical_id, resource_type in resources.items():
            total += self.creation(resource_type, logical_id, region)
        return total

    def _factor(self, resource_type: str, logical_id: str, region: str) -> float:
        """A number that depends on nothing but the seed and the resource.

        Its logarithm is uniform, so that half as long and twice as long are equally likely.
        """
        if self.seed is None:
            return 1.0
        name = f"{self.seed} {region} {resource_type} {logical_id}"
        exponent = random.Random(name).uniform(-1.0, 1.0)  # noqa: S311  # keeps no secret
        return float(SPREAD**exponent)

    def to_json(self) -> str:
        """One line of JSON, as `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raise InputError when the text is not what `to_json` gives."""
        try:
            fields = json.loads(text)
            seconds = {str(name): float(value) for name, value in fields["seconds"].items()}
            seed = fields["seed"]
            return cls(seconds, float(fields["other"]), None if seed is None else int(seed))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"durations: cannot be read: {error}") from error
