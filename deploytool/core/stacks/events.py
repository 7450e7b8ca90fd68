"""What happens during a deployment, as facts. The work emits them; renderers say them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deploytool.core.project.graph import NodeId
from deploytool.core.route53.zone import DnsRecord


@dataclass(frozen=True)
class RunStarted:
    """A deployment or deletion of these stacks begins; `at` as in every event in seconds since an
    arbitrary start.

    `waits` says of each stack which others must be done before it can begin.
    """

    at: float
    nodes: tuple[NodeId, ...]
    waits: Mapping[NodeId, frozenset[NodeId]]


@dataclass(frozen=True)
class StackStarted:
    """An operation (create, update, delete) was accepted by CloudFormation. It is expected to take
    `expected` seconds.

    `resumed`: an earlier run, which was killed, began it.
    """

    at: float
    node: NodeId
    action: str
    expected: float | None = None
    resumed: bool = False


@dataclass(frozen=True)
class StackWaiting:
    """Someone else's operation is under way; ours begins when it ends. `holder` is that operation's
    token, where known.
    """

    at: float
    node: NodeId
    status: str
    holder: str = ""


@dataclass(frozen=True)
class StackDone:
    """A stack is as desired. `action` is what was done: create, update, delete or unchanged;
    `seconds` how long that took.
    """

    at: float
    node: NodeId
    action: str
    seconds: float
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class StackFailed:
    """A stack could not be brought to the desired state. `cause` is the first cause, `hint` what to
    do about it.
    """

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
    """Another run deploys this stage; this one begins when that has ended. `holder` says who, where
    and since when.
    """

    at: float
    holder: str


@dataclass(frozen=True)
class StopRequested:
    """The user asked to stop: nothing more is begun, what runs (`nodes`) is waited for. Asked
    again, that is cancelled.
    """

    at: float
    nodes: tuple[NodeId, ...]


@dataclass(frozen=True)
class CancelRequested:
    """The user asked again: what runs (`nodes`) is being cancelled. Asked a third time, the run
    ends without waiting for it.
    """

    at: float
    nodes: tuple[NodeId, ...]


@dataclass(frozen=True)
class Detached:
    """The user asked a third time: what runs (`nodes`) is left to CloudFormation; the next run
    takes it up again.
    """

    at: float
    nodes: tuple[NodeId, ...]


@dataclass(frozen=True)
class DelegationMissing:
    """No certificate is asked for while the domain's parent does not lead to its hosted zone.
    `waited` in seconds.
    """

    at: float
    node: NodeId
    domain: str
    name_servers: tuple[str, ...]
    found: str
    waited: float


@dataclass(frozen=True)
class CertificateDoubtful:
    """Something may keep a certificate from being validated; it is asked for even so."""

    at: float
    node: NodeId
    words: str


@dataclass(frozen=True)
class CertificatePending:
    """ACM waits for a record of a name. `found` says what there is of it; `waited` in seconds since
    the stack was begun.
    """

    at: float
    node: NodeId
    domain: str
    record_name: str
    record_value: str
    found: str
    waited: float


@dataclass(frozen=True)
class CertificateFailed:
    """ACM gave up on a certificate; `reason` is its code, like CAA_ERROR. The stack fails of it in
    time.
    """

    at: float
    node: NodeId
    domain: str
    reason: str


@dataclass(frozen=True)
class RecordsNeeded:
    """Records that somebody must create where the domain's DNS is hosted, for a certificate to be
    issued.
    """

    at: float
    node: NodeId
    records: tuple[DnsRecord, ...]


@dataclass(frozen=True)
class RecordsRemoved:
    """The validation records that certificates had left in a hosted zone were deleted."""

    at: float
    zone: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class ZoneDeleted:
    """A hosted zone that its template had retained was deleted."""

    at: float
    zone: str


@dataclass(frozen=True)
class RolloutOrdered:
    """The stage serves, so an update reaches `standby` first. `serving`: `active` answered as the
    domain; else it is a guess.
    """

    at: float
    active: str
    standby: str
    serving: bool


@dataclass(frozen=True)
class RolloutUnordered:
    """The stage serves, and its regions are changed at once all the same: the user asked for it."""

    at: float
    regions: tuple[str, ...]


@dataclass(frozen=True)
class StageUnnamed:
    """None of the stage's names has an address, so nobody is served and its regions are changed at
    once.
    """

    at: float
    domain: str


@dataclass(frozen=True)
class StackHeld:
    """A stack of the region that serves is not changed before `standby` has passed its check."""

    at: float
    node: NodeId
    standby: str


@dataclass(frozen=True)
class RegionFaulty:
    """A region's own endpoint does not answer as it must, yet: `fault`. It is given `left` more
    seconds.
    """

    at: float
    url: str
    fault: str
    left: float


@dataclass(frozen=True)
class RegionPassed:
    """A region's own endpoint has passed its check; `version` is that of the function that
    answered, where it says so.
    """

    at: float
    url: str
    region: str
    version: str | None


StackEvents = (
    RunStarted | StackStarted | StackWaiting | StackDone | StackFailed | StackCancelled | Uploaded
)
RunEvents = LockWaited | StopRequested | CancelRequested | Detached
CertificateEvents = (
    DelegationMissing
    | CertificateDoubtful
    | CertificatePending
    | CertificateFailed
    | RecordsNeeded
    | RecordsRemoved
    | ZoneDeleted
)
RolloutEvents = (
    RolloutOrdered | RolloutUnordered | StageUnnamed | StackHeld | RegionFaulty | RegionPassed
)
Event = StackEvents | RunEvents | CertificateEvents | RolloutEvents
Emit = Callable[[Event], None]
