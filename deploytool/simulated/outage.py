"""APIs of regions that do not answer, around any other double."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from deploytool.core.errors import ApiUnavailable

Port = TypeVar("Port")


@dataclass
class Outage:
    """The regions whose API does not answer. A test changes `dead` at any time."""

    dead: set[str] = field(default_factory=set)

    def around(self, port: Port, region: str = "") -> Port:
        """Return a port that raises ApiUnavailable while its region is dead.

        Without `region`, the first argument of each call is the region.
        """
        return cast("Port", _Api(self, port, region))

    def check(self, region: str, doing: str) -> None:
        """Raise ApiUnavailable while the region is dead."""
        if region in self.dead:
            raise ApiUnavailable(f"{doing}: the AWS API of {region} did not answer: 503", region)


class _Api:
    """Passes each call on to a port, unless the region is dead."""

    def __init__(self, outage: Outage, port: Any, region: str) -> None:  # noqa: ANN401  # any port
        self._outage = outage
        self._port = port
        self._region = region

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # any call
            self._outage.check(self._region or args[0], name)
            return getattr(self._port, name)(*args, **kwargs)

        return call
