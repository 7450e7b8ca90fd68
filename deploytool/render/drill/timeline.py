"""The timeline of a drill in sentences, for its progress on the terminal and for its reports."""

from collections.abc import Iterator

from deploytool.core.drill.history import (
    DrillAborted,
    DrillEnded,
    DrillStarted,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    PhaseBegan,
    SwitchHeld,
    SwitchMetricFailed,
    SwitchReleased,
    SwitchReleasing,
)
from deploytool.core.drill.judge import Judgement
from deploytool.core.drill.parsed_history import HealthTurned
from deploytool.core.drill.timeline import LaneMoved, TimelineEvent

MOST_ROWS = 200  # of a timeline; a lane that flaps has more


def sentence(event: TimelineEvent) -> str:  # noqa: C901, PLR0911, PLR0912  # one case an event
    """Describe an event; an empty text for one that a timeline leaves out."""
    match event:
        case DrillStarted():
            url = f"https://{event.domain}{event.path}"
            return f"drill of {url}: {event.primary} -> {event.secondary}"
        case PhaseBegan(_, phase):
            return waiting_for(phase)
        case FaultInjecting(_, fault):
            return f"injecting the fault {fault}"
        case FaultInjected():
            return "the fault is in force"
        case FaultRestoring():
            return "restoring"
        case FaultRestored(_, verified):
            if verified:
                return "restored and verified"
            return "NOT restored: run deploytool restore"
        case SwitchHeld():
            return "the switch is set: traffic stays, as after an automatic failover"
        case SwitchReleasing():
            return "failing back: releasing the switch"
        case SwitchReleased(_, verified):
            if verified:
                return "the switch is released and verified"
            return "the switch is NOT released: run deploytool restore"
        case SwitchMetricFailed(_, failure):
            return f"the switch's metric was not repeated: {failure}"
        case DrillAborted(_, reason):
            return f"aborted: {reason}"
        case DrillEnded():
            return "the drill has ended"
        case HealthTurned(_, healthy):
            return f"health check: {'healthy' if healthy else 'unhealthy'}"
        case LaneMoved(_, lane, region):
            return f"{lane}: {region or 'no answer'}"
        case _:
            return ""


def waiting_for(phase: str) -> str:
    """Describe what a phase waits for."""
    if phase == "holding":
        return "waiting until the switch holds"
    if phase == "staying":
        return "seeing that traffic stays although the primary is healthy"
    return f"waiting for the {phase.replace('-', ' ')}"


def zero_second(judgement: Judgement) -> float:
    """Return the second that reports count from.

    It is the second of the injection, or the start of the drill when nothing was injected.
    """
    injected = judgement.history.injected
    if injected is None:
        return judgement.started.at
    return injected


def timeline_rows(judgement: Judgement) -> Iterator[tuple[float, str]]:
    """Yield each notable event with its seconds since the injection, at most MOST_ROWS rows.

    The first region of a lane is left out: it is no change.
    """
    zero = zero_second(judgement)
    lanes: set[str] = set()
    rows = 0
    for event in judgement.timeline:
        if isinstance(event, LaneMoved) and event.lane not in lanes:
            lanes.add(event.lane)
            # A lane that begins with a failure is worth a row
            if event.region is not None:
                continue

        text = sentence(event)
        if not text:
            continue
        rows += 1
        if rows > MOST_ROWS:
            yield event.at - zero, "more events are in history.jsonl"
            return
        yield event.at - zero, text
