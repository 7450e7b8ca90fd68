"""What happens while a command moves traffic, as frozen events. Pure.

`at` is in seconds of the target's clock. It counts from the moment before the switch is set.
"""

from dataclasses import dataclass

from deploytool.core.failover.direction import Direction
from deploytool.core.failover.records import SwitchRecord
from deploytool.core.route53.timing import SwitchTime


@dataclass(frozen=True)
class MoveStarted:
    """A movement begins. `expected` is the most that it should take by the rules of Route 53."""

    at: float
    direction: Direction
    stage: str
    domain: str
    destination: str
    name_servers: tuple[str, ...]
    expected: SwitchTime


@dataclass(frozen=True)
class Warned:
    """A sentence for the person who moves traffic."""

    at: float
    message: str


@dataclass(frozen=True)
class SwitchSet:
    """The record of the switch stands. `already`: it did before this command."""

    at: float
    record: SwitchRecord
    already: bool


@dataclass(frozen=True)
class MetricPut:
    """The metric of the switch was put, first or again. `failure` says why it was not."""

    at: float
    held: bool
    failure: str = ""


@dataclass(frozen=True)
class NameServerAnswered:
    """A name server answered for the domain. `failure` says why it did not.

    `region` is that of the addresses, None when it is not known.
    """

    at: float
    name_server: str
    addresses: tuple[str, ...] = ()
    region: str | None = None
    failure: str = ""


@dataclass(frozen=True)
class ClientServed:
    """The domain was called as a client does that honours the TTL and connects anew each time.

    `region` is that of the answer's header, None without a good answer; then `failure` says why.
    """

    at: float
    address: str = ""
    region: str | None = None
    failure: str = ""


Event = MoveStarted | Warned | SwitchSet | MetricPut | NameServerAnswered | ClientServed
