"""What happens during a deployment, as facts. The work emits them; renderers say them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deploytool.core.graph import NodeId


@dataclass(frozen=True)
class RunStarted:
    """A deployment or deletion of these stacks begins; `at` as in every event in seconds since an arbitrary start.

    `waits` says of each stack which others must be done before it can begin.
    """

    at: float
    nodes: tuple[NodeId, ...]
    waits: Mapping[NodeId, frozenset[NodeId]]


@dataclass(frozen=True)
class StackBegun:
    """An operation (create, update, delete) was accepted by CloudFormation. It is expected to take `expected` seconds.

    `resumed`: an earlier run, which was killed, began it.
    """

    at: float
    node: NodeId
    action: str
    expected: float | None = None
    resumed: bool = False


@dataclass(frozen=True)
class StackWaiting:
    """Someone else's operation is under way; ours begins when it ends. `holder` is that operation's token, where known."""

    at: float
    node: NodeId
    status: str
    holder: str = ""


@dataclass(frozen=True)
class StackDone:
    """A stack is as desired. `action` is what was done: create, update, delete or unchanged; `seconds` how long that took."""

    at: float
    node: NodeId
    action: str
    seconds: float
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class StackFailed:
    """A stack could not be brought to the desired state. `cause` is the first cause, `hint` what to do about it."""

    at: float
    node: NodeId
    cause: str
    hint: str = ""


@dataclass(frozen=True)
class StackCancelled:
    """A stack was not begun, because of these, which failed or were cancelled themselves."""

    at: float
    node: NodeId
    because: tuple[NodeId, ...]


@dataclass(frozen=True)
class Uploaded:
    """A package was stored (or `there_already`) in a region's bucket."""

    at: float
    node: NodeId
    key: str
    size: int
    there_already: bool


@dataclass(frozen=True)
class LockWaited:
    """Another run deploys this stage; this one begins when that has ended. `holder` says who, where and since when."""

    at: float
    holder: str


@dataclass(frozen=True)
class StopRequested:
    """The user asked to stop: nothing more is begun, what runs (`nodes`) is waited for. Asked again, that is cancelled."""

    at: float
    nodes: tuple[NodeId, ...]


@dataclass(frozen=True)
class CancelRequested:
    """The user asked again: what runs (`nodes`) is being cancelled. Asked a third time, the run ends without waiting for it."""

    at: float
    nodes: tuple[NodeId, ...]


@dataclass(frozen=True)
class Detached:
    """The user asked a third time: what runs (`nodes`) is left to CloudFormation; the next run takes it up again."""

    at: float
    nodes: tuple[NodeId, ...]


Event = (
    RunStarted
    | StackBegun
    | StackWaiting
    | StackDone
    | StackFailed
    | StackCancelled
    | Uploaded
    | LockWaited
    | StopRequested
    | CancelRequested
    | Detached
)
Emit = Callable[[Event], None]
