"""The events of a deployment or a deletion. The work emits them, renderers print them.

`at` is in seconds since an arbitrary start, and so is every other time of an event.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deploytool.core.project.graph import NodeId
from deploytool.core.route53.zone import DnsRecord


@dataclass(frozen=True)
class RunStarted:
    """A run over these stacks started. `needs` are the stacks that must be done before each."""

    at: float
    nodes: tuple[NodeId, ...]
    needs: Mapping[NodeId, frozenset[NodeId]]


@dataclass(frozen=True)
class StackStarted:
    """CloudFormation accepted an operation, which should take `expected` seconds.

    `action` is the operation's text for people. `resumed`: a run that was killed started it.
    """

    at: float
    node: NodeId
    action: str
    expected: float | None = None
    resumed: bool = False


@dataclass(frozen=True)
class StackWaiting:
    """Someone else's operation is under way on the stack; ours starts when it has ended.

    `holder` is the token of that operation, where it is known.
    """

    at: float
    node: NodeId
    status: str
    holder: str = ""


@dataclass(frozen=True)
class StackDone:
    """A stack is as desired, after `seconds`. `action` says what was done, for people."""

    at: float
    node: NodeId
    action: str
    seconds: float
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class StackFailed:
    """A stack is not as desired. `cause` is the first cause, `hint` says what to do."""

    at: float
    node: NodeId
    cause: str
    hint: str = ""


@dataclass(frozen=True)
class StackLeft:
    """A stack that is not as desired is left, for the `reason` given: an API does not answer."""

    at: float
    node: NodeId
    reason: str


@dataclass(frozen=True)
class StackCancelled:
    """A stack was not started, because the stacks in `because` failed or were cancelled."""

    at: float
    node: NodeId
    because: tuple[NodeId, ...]


@dataclass(frozen=True)
class Uploaded:
    """A package is in a region's bucket. `there_already`: it was not stored again."""

    at: float
    node: NodeId
    key: str
    size: int
    there_already: bool


@dataclass(frozen=True)
class LockWaited:
    """The run waits for another one on the stage. `holder`: who runs that, where and since when."""

    at: float
    holder: str


@dataclass(frozen=True)
class DrillUnknown:
    """Whether a drill is under way cannot be known: its record is in `region`, whose API is dead."""

    at: float
    region: str


@dataclass(frozen=True)
class LeaseKept:
    """The lease in `region` could not be given back. It expires by itself."""

    at: float
    region: str
    reason: str


@dataclass(frozen=True)
class StopRequested:
    """The user asked to stop. No more stacks are started; those under way (`nodes`) are waited for.

    A second request cancels them.
    """

    at: float
    nodes: tuple[NodeId, ...]


@dataclass(frozen=True)
class CancelRequested:
    """The user asked a second time. The operations under way (`nodes`) are being cancelled.

    A third request ends the run without waiting for them.
    """

    at: float
    nodes: tuple[NodeId, ...]


@dataclass(frozen=True)
class Detached:
    """The user asked a third time. The operations under way (`nodes`) are left to CloudFormation.

    The next run continues them.
    """

    at: float
    nodes: tuple[NodeId, ...]


@dataclass(frozen=True)
class DelegationMissing:
    """No certificate is requested, because the domain's parent does not delegate to its zone.

    `problem` describes the delegation, `waited` is in seconds. `precaution` is what to do before the
    name servers are changed.
    """

    at: float
    node: NodeId
    domain: str
    name_servers: tuple[str, ...]
    problem: str
    waited: float
    precaution: str = ""


@dataclass(frozen=True)
class CertificateDoubtful:
    """A certificate is requested, although its validation may fail for the reason in `text`."""

    at: float
    node: NodeId
    text: str


@dataclass(frozen=True)
class CertificatePending:
    """ACM waits for a validation record. `problem` says what DNS has instead.

    `waited` are the seconds since the stack was started.
    """

    at: float
    node: NodeId
    domain: str
    record_name: str
    record_value: str
    problem: str
    waited: float


@dataclass(frozen=True)
class CertificateFailed:
    """ACM failed to issue a certificate, so its stack will fail. `reason` is a code (CAA_ERROR)."""

    at: float
    node: NodeId
    domain: str
    reason: str


@dataclass(frozen=True)
class RecordsNeeded:
    """A certificate needs these records, which the user must create where the DNS is hosted."""

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
class RecordsKept:
    """Validation records that the stage's certificates had stay in a hosted zone, for a reason."""

    at: float
    zone: str
    names: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class ZoneDeleted:
    """A hosted zone that its template retains was deleted."""

    at: float
    zone: str


@dataclass(frozen=True)
class RolloutOrdered:
    """The stage serves clients, so the region `standby` is updated first.

    `serving`: `active` answered as the domain. Otherwise `active` is only assumed.
    """

    at: float
    active: str
    standby: str
    serving: bool


@dataclass(frozen=True)
class RolloutUnordered:
    """The stage serves clients, and the user asked to change its regions at the same time."""

    at: float
    regions: tuple[str, ...]


@dataclass(frozen=True)
class StageUnnamed:
    """No name of the stage has an address, so its regions are changed at the same time."""

    at: float
    domain: str


@dataclass(frozen=True)
class StackHeld:
    """A stack of the active region waits until `standby` has passed its check."""

    at: float
    node: NodeId
    standby: str


@dataclass(frozen=True)
class RegionAlone:
    """`region` is changed although it may be the only one that serves.

    The API of the other region does not answer, and `url`, its own endpoint, has a `problem`.
    """

    at: float
    region: str
    url: str
    problem: str


@dataclass(frozen=True)
class RegionNotReady:
    """A region's own endpoint does not yet answer as it should. It has `left` more seconds."""

    at: float
    url: str
    problem: str
    left: float


@dataclass(frozen=True)
class RegionPassed:
    """A region's own endpoint passed its check. `version` is that of the function, if known."""

    at: float
    url: str
    region: str
    version: str | None


StackEvents = (
    RunStarted
    | StackStarted
    | StackWaiting
    | StackDone
    | StackFailed
    | StackLeft
    | StackCancelled
    | Uploaded
)
RunEvents = LockWaited | DrillUnknown | LeaseKept | StopRequested | CancelRequested | Detached
CertificateEvents = (
    DelegationMissing
    | CertificateDoubtful
    | CertificatePending
    | CertificateFailed
    | RecordsNeeded
    | RecordsRemoved
    | RecordsKept
    | ZoneDeleted
)
RolloutEvents = (
    RolloutOrdered
    | RolloutUnordered
    | StageUnnamed
    | StackHeld
    | RegionAlone
    | RegionNotReady
    | RegionPassed
)
Event = StackEvents | RunEvents | CertificateEvents | RolloutEvents
Emit = Callable[[Event], None]
