"""The errors that a user may see. Each class carries the exit code of the process."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches


class DeploytoolError(Exception):
    """The base of all errors that a user may see; `hint` says what to do about the error."""

    # The code with which the process ends. Scripts and workflows rely on these codes.
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, order=True)
class InputProblem:
    """One problem of an input: the file, the key in it, what is wrong and how to fix it."""

    file: str
    key: str
    message: str

    def __str__(self) -> str:
        # A problem of the whole file has no key.
        place = f"{self.file}: {self.key}" if self.key else self.file
        return f"{place}: {self.message}"


LONGEST_WORD = 100  # characters of a misspelled word that are compared
# Problems that a message shows. A file with more of them has one fault that makes them all.
MOST_PROBLEMS = 50


class InputError(DeploytoolError):
    """The input is bad and nothing was changed. It holds every problem, not only the first."""

    exit_code = 2

    def __init__(self, problems: Sequence[InputProblem] | str, *, hint: str = "") -> None:
        if isinstance(problems, str):
            self.problems: tuple[InputProblem, ...] = ()
            message = problems
        else:
            self.problems = tuple(problems)
            lines = [str(problem) for problem in problems[:MOST_PROBLEMS]]
            if len(problems) > MOST_PROBLEMS:
                lines.append(f"... and {len(problems) - MOST_PROBLEMS:,} more problems")
            message = "\n".join(lines)
        super().__init__(message, hint=hint)


class NotInstalled(DeploytoolError):
    """A package that only an extra of deploytool brings is not installed."""


class CloudRefused(DeploytoolError):
    """AWS refused a call: the credentials, the permissions or the call itself are wrong."""

    exit_code = 3


class ApiUnavailable(DeploytoolError):
    """An AWS API of a region did not answer: it is down, hangs, or cannot be reached.

    Part of the work or of the answer is missing. `region` is the region whose API it is; a global
    service has that of its control plane.
    """

    exit_code = 4

    def __init__(self, message: str, region: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.region = region


class Throttled(CloudRefused):
    """AWS throttled the account's calls for a long time. A later call may succeed."""


class NoSuchZone(DeploytoolError):
    """The account has no hosted zone of that id."""


class StackExists(DeploytoolError):
    """A creation was refused: the stack exists, or its token was used for an earlier stack."""


class StaleVersion(DeploytoolError):
    """A compare-and-swap lost: someone else changed the health check since it was read."""


class NoSuchHealthCheck(DeploytoolError):
    """Route 53 does not know the health check: it is deleted, or so new that it is not known yet."""


class DrillRefused(DeploytoolError):
    """The drill was not started, and nothing was changed."""


class ProbeFailed(DeploytoolError):
    """A DNS query or an HTTP request got no answer.

    `kind` is one of refused, timeout, tls, dns, reset, other.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Interrupted(DeploytoolError):
    """The user (Ctrl-C) or the system (SIGTERM) asked to stop. Raised after the cleanup."""

    exit_code = 130


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown word: the known one that it resembles, or "".

    It begins with a semicolon.
    """
    matches = get_close_matches(word[:LONGEST_WORD], list(known), n=1)
    return f"; did you mean '{matches[0]}'?" if matches else ""


@dataclass
class InputProblems:
    """Collects the problems of one file while it is read, and of the files that it names."""

    file: str
    problems: list[InputProblem] = field(default_factory=list)

    # Known keys that an unknown key resembles: the user misspelled them, so they are not missing.
    misspelled: set[str] = field(default_factory=set)

    def add(self, key: str, message: str, *, file: str = "") -> None:
        """Add a problem of this file, or of another one that is named."""
        self.problems.append(InputProblem(file or self.file, key, message))

    def unknown(self, parent: str, name: str, known: list[str]) -> None:
        """Add an unknown key below `parent`, with the known key that it resembles."""
        # The parent of a key at the top of the file is empty.
        prefix = f"{parent}." if parent else ""
        # Each comparison takes time, and nobody reads so many
        matches = []
        if len(self.problems) < MOST_PROBLEMS:
            matches = get_close_matches(name[:LONGEST_WORD], known, n=1)
        if matches:
            # The user meant this key, so `missing` does not report it a second time.
            fix = f"did you mean '{matches[0]}'?"
            self.misspelled.add(f"{prefix}{matches[0]}")
        else:
            fix = f"known keys: {', '.join(known)}"
        self.add(f"{prefix}{name}", f"unknown key; {fix}")

    def unknown_keys(self, parent: str, keys: Iterable[str], known: list[str]) -> None:
        """Add each of the keys below `parent` that is not known."""
        for key in keys:
            if key not in known:
                self.unknown(parent, str(key), known)

    def missing(self, key: str, fix: str) -> None:
        """Add a required key that is missing, unless an unknown key resembles it.

        One mistake gives one message.
        """
        if key not in self.misspelled:
            self.add(key, f"is missing; {fix}")

    def raise_any(self) -> None:
        """Raise InputError with every distinct problem, sorted, if there is any."""
        if self.problems:
            raise self.error()

    def error(self) -> InputError:
        """Return the error with every distinct problem, sorted."""
        # One mistake can be found more than once, for instance in each region.
        return InputError(sorted(set(self.problems)))
