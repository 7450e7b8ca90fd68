"""The events of a run as lines of a log, with rich's markup."""

from typing import assert_never

from deploytool.core.stacks.events import (
    CancelRequested,
    CertificateEvents,
    Detached,
    DrillUnknown,
    Event,
    LeaseKept,
    LockWaited,
    RecordsKept,
    RecordsRemoved,
    RegionAlone,
    RegionNotReady,
    RegionPassed,
    RolloutEvents,
    RolloutOrdered,
    RolloutUnordered,
    RunEvents,
    RunStarted,
    StackCancelled,
    StackDone,
    StackEvents,
    StackFailed,
    StackLeft,
    StackStarted,
    StackWaiting,
    StageUnnamed,
    StopRequested,
    Uploaded,
    ZoneDeleted,
)
from deploytool.render.run.certificates import certificate_text
from deploytool.render.run.rollout import rollout_text
from deploytool.render.run.run_state import PAST
from deploytool.render.text import escape, quantity

# The events that concern no single stack
WITHOUT_STACK = (
    RolloutOrdered,
    RolloutUnordered,
    StageUnnamed,
    RegionAlone,
    RegionNotReady,
    RegionPassed,
    RecordsRemoved,
    RecordsKept,
    ZoneDeleted,
)
TIME_WIDTH = 12  # columns of the time and the space between the columns
KEY_LENGTH = 21  # characters of a package's key that are shown


def line_of(event: Event, started: float, width: int = 30) -> str | None:
    """Return the line of an event, or None for an event that needs none.

    `started` is the start of the run in seconds of its clock, `width` that of the column of the
    stacks' names. Further lines of a text are aligned below its first one.
    """
    # These can precede the start of the run, so they have no time since then
    if isinstance(event, RunEvents):
        return run_text(event)
    text = _text(event)
    if not text or isinstance(event, RunStarted):
        return None

    node = "" if isinstance(event, WITHOUT_STACK) else str(event.node)
    line = f"{event.at - started:7.1f} s  {node:{width}} {text}"
    return line.replace("\n", "\n" + " " * (width + TIME_WIDTH))


def _text(event: StackEvents | CertificateEvents | RolloutEvents) -> str:
    if isinstance(event, CertificateEvents):
        return certificate_text(event)
    if isinstance(event, RolloutEvents):
        return rollout_text(event)
    return stack_text(event)


def stack_text(event: StackEvents) -> str:  # noqa: C901, PLR0911, PLR0912  # one case an event
    """Describe an event of a stack. An unchanged stack and the start of the run have no text."""
    match event:
        case StackStarted():
            return _started_text(event)
        case StackWaiting(_, _, status, holder):
            text = f"[yellow]waits: another operation is in progress ({status})[/]"
            if holder:
                text += f" [dim]({escape(holder)})[/]"
            return text
        case StackDone(_, _, action, seconds):
            # Nothing was done: the number of unchanged stacks is printed at the end
            if action not in PAST:
                return ""
            return f"[green]{PAST[action]}[/] in {seconds:.1f} s"
        case StackFailed(_, _, cause, hint):
            # CloudFormation's reasons can have line breaks, and a log has an event a line
            text = f"[red]failed[/]: {escape(' '.join(cause.split()))}"
            if hint:
                text += f"\n{escape(hint)}"
            return text
        case StackLeft(_, _, reason):
            return f"[yellow]left[/]: {escape(reason)}"
        case StackCancelled(_, _, because):
            needs = ", ".join(map(str, because))
            return f"[dim]not started: needs {needs}[/]"
        case Uploaded(_, _, key, size, there_already):
            code = f"code {key[:KEY_LENGTH]}..."
            if there_already:
                return f"[dim]{code} already stored[/]"
            return f"[dim]{code} stored ({size:,} bytes)[/]"
        case RunStarted():
            return ""
        case _:
            assert_never(event)


def _started_text(event: StackStarted) -> str:
    text = f"{event.action} ..."
    if event.resumed:
        text = f"{event.action}, started by an earlier run ..."
    if event.expected:
        text += f" [dim](about {event.expected:.0f} s)[/]"
    return text


def run_text(event: RunEvents) -> str:
    """Describe an event of the whole run, and what the user's next interrupt does."""
    match event:
        case LockWaited(_, holder):
            text = f"waits: this stage is being deployed by {escape(holder)}"
        case DrillUnknown(_, region):
            text = (
                f"the API of {region} does not answer, so a drill that was left unfinished cannot"
                " be seen"
            )
        case LeaseKept(_, region, reason):
            text = (
                f"the lease in {region} could not be given back: {escape(reason)}."
                " It expires within two minutes; until then a deployment from elsewhere has to wait."
            )
        case StopRequested(_, nodes):
            running = "nothing is running"
            if nodes:
                running = f"{quantity(len(nodes), 'operation')} still running"
            text = (
                f"stopping: nothing more is started, {running}."
                " Ctrl-C again cancels what is running."
            )
        case CancelRequested(_, nodes):
            text = (
                f"cancelling {quantity(len(nodes), 'operation')}: updates are rolled back,"
                " creations deleted. Ctrl-C again leaves them to CloudFormation."
            )
        case Detached(_, nodes):
            left = ", ".join(map(str, nodes)) or "nothing"
            text = (
                f"left to CloudFormation: {left}."
                " Run the same command again to wait for them and to continue."
            )
        case _:
            assert_never(event)
    return f"[yellow]{text}[/]"
