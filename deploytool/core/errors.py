"""What can go wrong, as types: each class carries its exit code and, where there is one, the way to
mend it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches


class DeploytoolError(Exception):
    """Anything that a user may see. `exit_code` is the process's; `hint` says what to do about
    it.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, order=True)
class InputProblem:
    """One problem of an input: the file, the key in it, what is wrong and how to mend it."""

    file: str
    key: str
    message: str

    def __str__(self) -> str:
        return (
            f"{self.file}: {self.key}: {self.message}"
            if self.key
            else f"{self.file}: {self.message}"
        )


class InputError(DeploytoolError):
    """Bad input, nothing touched. Holds every problem found, not only the first."""

    exit_code = 2

    def __init__(self, problems: Sequence[InputProblem] | str, *, hint: str = "") -> None:
        self.problems = () if isinstance(problems, str) else tuple(problems)
        super().__init__(
            problems if isinstance(problems, str) else "\n".join(map(str, problems)), hint=hint
        )


class CloudRefused(DeploytoolError):
    """AWS refused: credentials, permissions, or a call that it will not take."""

    exit_code = 3


class Throttled(CloudRefused):
    """AWS has had too many calls from this account for a long time; waiting and asking again
    helps.
    """


class StackExists(DeploytoolError):
    """A creation was refused: a stack of that name is there, or the token was used for one of the
    past.
    """


class StaleVersion(DeploytoolError):
    """A compare-and-swap lost: someone else changed the health check since it was read."""


class DrillRefused(DeploytoolError):
    """The drill was not begun: nothing was touched."""


class ProbeFailed(DeploytoolError):
    """A DNS query or HTTP request had no answer. `kind` is one of refused, timeout, tls, dns,
    reset, other.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Interrupted(DeploytoolError):
    """The user (Ctrl-C) or the system (SIGTERM) asked to stop; raised once what was begun has been
    cleaned up.
    """

    exit_code = 130


@dataclass
class InputProblems:
    """Collects the problems of one file while it is read, and of those that it names."""

    file: str
    found: list[InputProblem] = field(default_factory=list)
    meant: set[str] = field(default_factory=set)

    def add(self, key: str, message: str, *, file: str = "") -> None:
        self.found.append(InputProblem(file or self.file, key, message))

    def unknown(self, key: str, name: str, known: list[str]) -> None:
        """An unknown key, with the known one that it resembles."""
        near = get_close_matches(name, known, n=1)
        mend = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
        self.meant.update(f"{key}.{each}" if key else each for each in near)
        self.add(f"{key}.{name}" if key else name, f"unknown key; {mend}")

    def missing(self, key: str, mend: str) -> None:
        """A key that must be there. Said only when no unknown key was meant to be it: one mistake,
        one message.
        """
        if key not in self.meant:
            self.add(key, f"is missing; {mend}")

    def raise_any(self) -> None:
        if self.found:
            raise InputError(sorted(set(self.found)))
