"""What one check found, and what all of them say together."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from deploytool.core.errors import ApiUnavailable, CloudRefused, DeploytoolError

PAGE = "docs/how-to/check-your-setup.md"
UNAVAILABLE = "https://health.aws.amazon.com/health/status, the network connection and the proxies"


class Status(StrEnum):
    """How a part of the setup is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NOT_CHECKED = "not_checked"


class Group(StrEnum):
    """What a check looks at. The values are headings."""

    MACHINE = "This machine"
    PROJECT = "The project"
    CLOUD = "AWS"
    LOCAL = "The local cloud"
    DOMAIN = "The domain"
    QUOTAS = "Quotas"
    PIPELINE = "GitHub Actions"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    `id` names the check for programs, `subject` for people. `hint` is what to do, a command or a
    page of the documentation; it is empty when the status is ok. `error` is why nothing was
    answered, and None when there was an answer.
    """

    id: str
    subject: str
    status: Status
    message: str
    hint: str = ""
    error: DeploytoolError | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Topic:
    """What a finding is about: its id, and its subject for people."""

    id: str
    subject: str

    def ok(self, message: str) -> Finding:
        """Return that nothing is wrong."""
        return Finding(self.id, self.subject, Status.OK, message)

    def warning(self, message: str, hint: str) -> Finding:
        """Return something that may go wrong later, or that only some setups need."""
        return Finding(self.id, self.subject, Status.WARNING, message, hint)

    def problem(self, message: str, hint: str) -> Finding:
        """Return something with which a deployment fails, or does not serve."""
        return Finding(self.id, self.subject, Status.PROBLEM, message, hint)

    def not_checked(self, reason: str, hint: str) -> Finding:
        """Return that nothing is known, and why."""
        return Finding(self.id, self.subject, Status.NOT_CHECKED, reason, hint)

    def unanswered(self, error: DeploytoolError, hint: str = "") -> Finding:
        """Return that nothing is known because of an error. `hint` replaces that of the error."""
        message, hint = str(error), hint or error.hint or PAGE
        if isinstance(error, ApiUnavailable):
            # The same for each call to a region, whichever was the first
            message, hint = f"the AWS API of {error.region} does not answer", UNAVAILABLE
        return Finding(self.id, self.subject, Status.NOT_CHECKED, message, hint, error)

    def failed(self, error: DeploytoolError) -> Finding:
        """Return an error that is a problem by itself, such as credentials that are refused."""
        return replace(self.unanswered(error), status=Status.PROBLEM)


def exit_code(findings: Sequence[Finding], of_cloud: Sequence[Finding]) -> int:
    """Return the exit code of all findings; `of_cloud` are those for which AWS was asked.

    It is 0 without a problem and 1 with one. When AWS answered none of its questions, and nothing
    else is a problem, it is 3 (AWS refused) or 4 (no API answered).
    """
    problems = [finding for finding in findings if finding.status is Status.PROBLEM]
    if any(finding.error is None for finding in problems):
        return 1

    errors = [finding.error for finding in of_cloud if finding.error is not None]
    if errors and len(errors) == len(of_cloud):
        if any(isinstance(error, CloudRefused) for error in errors):
            return CloudRefused.exit_code
        if any(isinstance(error, ApiUnavailable) for error in errors):
            return ApiUnavailable.exit_code
    return 1 if problems else 0
