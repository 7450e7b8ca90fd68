"""The message that tells people of a change. Pure."""

from dataclasses import dataclass

from records import Change, Standby
from transitions import Look

_LONGEST_SUBJECT = 99  # characters; SNS takes fewer than 100 (API reference of Publish)


@dataclass(frozen=True)
class Message:
    """A message's subject (ASCII, one line), and its text."""

    subject: str
    text: str


def message_of(
    stage: str, standby: Standby, look: Look, change: Change | None, *, holds: bool
) -> Message:
    """Return the message of a change of who serves, of a switch that is held from now on, or both."""
    subject = f"{standby.domain} is served by {look.region}"
    if len(subject) > _LONGEST_SUBJECT:
        subject = f"{look.region} serves stage {stage}"

    role = "secondary" if look.region == standby.secondary else "primary"
    lines = [f"{look.region}, the {role}, serves {standby.domain} (stage {stage})."]
    if change:
        lines.append(f"Seen at {change.at}. How: {change.how}.")
        if change.who:
            lines.append(f"Who: {change.who}.")
        if change.why:
            lines.append(f"Why: {change.why}.")
    if holds:
        lines.append(
            "Traffic stays there, whatever the primary's health, until you move it back:"
            f" deploytool failback --stage {stage}"
        )
    return Message(subject, "\n".join(lines))
