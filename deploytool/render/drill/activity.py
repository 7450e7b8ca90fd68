"""What a drill is doing, in words: the answer to a request to stop."""

from deploytool.core.drill.history import (
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    SwitchReleased,
    SwitchReleasing,
)

NOTHING_INJECTED = "nothing is injected; the drill's record and its guard are deleted"
UNDOING = "the fault is undone and read back before this process ends"
RELEASING = "the switch is released and read back before this process ends"
CLEANING = "all is restored; the drill's record and its guard are deleted"
UNVERIFIED = "the restore is not verified, so the drill's record and its guard remain"


class Activity:
    """A listener for the events of a drill that knows what stopping takes at the moment."""

    def __init__(self) -> None:
        self._text = NOTHING_INJECTED

    def observe(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case FaultInjecting() | FaultInjected() | FaultRestoring():
                self._text = UNDOING
            case SwitchReleasing():
                self._text = RELEASING
            case FaultRestored(_, verified) | SwitchReleased(_, verified):
                self._text = CLEANING if verified else UNVERIFIED
            case _:
                return

    def answer(self, number: int) -> str:
        """Return the answer to the first request, the second, and so on."""
        begin = "stopping" if number == 1 else "still stopping"
        return f"{begin}: {self._text}"
