"""Whether the AWS API of each region answers; `api_gate` describes what clients see.

us-east-1 has an API in every cloud: those of Route 53, IAM and CloudFront are there.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from deploytool.core.errors import InputError
from deploytool.localcloud.ministack.signature import GLOBAL_REGION

ApiCondition = Literal["answering", "failing", "hanging", "unreachable"]
_CONDITIONS: tuple[ApiCondition, ...] = get_args(ApiCondition)


@dataclass(frozen=True)
class ApiChanged:
    """The condition of a region's API changed, at a moment in cloud seconds."""

    region: str
    old: ApiCondition
    new: ApiCondition
    at: float


def parse_api_condition(condition: object) -> ApiCondition:
    """Return the condition of this name. Raises InputError for any other value."""
    known = next((name for name in _CONDITIONS if name == condition), None)
    if known is None:
        raise InputError(f"condition {condition!r}: an API can be {', '.join(_CONDITIONS)}")
    return known


class RegionalApis:
    """The condition of the API of each region of a cloud, and of us-east-1. All answer at first.

    `now` returns cloud seconds; `on_change` is called after each change. Only `condition` may be
    called from another thread than the event loop's.
    """

    def __init__(
        self,
        regions: Iterable[str],
        now: Callable[[], float],
        on_change: Callable[[ApiChanged], None],
    ) -> None:
        self._now = now
        self._on_change = on_change
        self._conditions: dict[str, ApiCondition] = {}
        for region in (*regions, GLOBAL_REGION):
            self._conditions[region] = "answering"
        # Set, and replaced, when a condition changes.
        self._changed = asyncio.Event()

    @property
    def conditions(self) -> Mapping[str, ApiCondition]:
        """The condition of each region's API."""
        return dict(self._conditions)

    def condition(self, region: str) -> ApiCondition:
        """Return the condition of a region's API; a region that the cloud lacks answers."""
        return self._conditions.get(region, "answering")

    def set_condition(self, region: str, condition: ApiCondition) -> None:
        """Change the condition of a region that the cloud has."""
        old = self._conditions[region]
        if condition == old:
            return
        self._conditions[region] = condition
        self._changed.set()
        self._changed = asyncio.Event()
        self._on_change(ApiChanged(region, old, condition, self._now()))

    async def wait_until_changed(self, region: str) -> None:
        """Return once the region's API has another condition than now."""
        condition = self.condition(region)
        while self.condition(region) == condition:
            await self._changed.wait()
