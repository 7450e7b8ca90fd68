"""Judge the machine: versions, the clock, resolvers and loopback addresses. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deploytool.core.doctor.finding import Finding, Topic

# Seconds by which the clocks may differ. AWS takes a signature of the last five minutes (IAM User
# Guide, "Elements of an AWS API request signature"), and the request needs some time itself.
CLOCK_WARNING = 60.0
CLOCK_PROBLEM = 240.0

SET_CLOCK = "Linux: timedatectl set-ntp true; macOS: sudo sntp -sS time.apple.com"

# What an extra of deploytool is for.
EXTRAS = {
    "local": "the local cloud (--local)",
    "lint": "deploytool lint",
}


@dataclass(frozen=True)
class Requirement:
    """A package that deploytool needs, and the version that is installed, "" when none is.

    `required` are the versions that do, like `>=1.43.38`.
    """

    name: str
    required: str
    installed: str
    is_met: bool

    def __str__(self) -> str:
        """Say what is wrong."""
        if not self.installed:
            return f"{self.name} is not installed"
        return f"{self.name} {self.installed} is installed, and {self.required} is needed"


def judge_python(version: tuple[int, ...], required: tuple[int, ...]) -> Finding:
    """Compare Python's version with the oldest that deploytool runs with."""
    topic = Topic("python", "Python")
    text = ".".join(map(str, version))
    if version >= required:
        return topic.ok(text)
    oldest = ".".join(map(str, required))
    return topic.problem(
        f"{text} is too old: deploytool needs {oldest} or newer",
        f"install Python {oldest}, then install deploytool with it",
    )


def judge_sdk(requirements: Sequence[Requirement]) -> Finding:
    """Compare boto3 and botocore with the versions that deploytool needs."""
    topic = Topic("aws-sdk", "boto3, botocore")
    unmet = [requirement for requirement in requirements if not requirement.is_met]
    if unmet:
        wanted = " ".join(f"'{each.name}{each.required}'" for each in unmet)
        return topic.problem("; ".join(map(str, unmet)), f"pip install {wanted}")
    return topic.ok(", ".join(requirement.installed for requirement in requirements))


def judge_extra(extra: str, requirements: Sequence[Requirement], *, is_needed: bool) -> Finding:
    """Judge whether the packages of an extra are there. Without `is_needed` it only warns."""
    topic = Topic(f"extra.{extra}", f"extra {extra}")
    unmet = [requirement for requirement in requirements if not requirement.is_met]
    purpose = EXTRAS[extra]
    if not unmet:
        return topic.ok(f"installed, for {purpose}")

    message = f"{purpose} needs it: {'; '.join(map(str, unmet))}"
    hint = f"pip install 'deploytool[{extra}]'"
    if is_needed:
        return topic.problem(message, hint)
    return topic.warning(message, hint)


def judge_clock(difference: float) -> Finding:
    """Judge by how many seconds AWS's clock is ahead of this machine's; negative when behind."""
    topic = Topic("clock", "clock")
    seconds = abs(difference)
    if seconds <= CLOCK_WARNING:
        return topic.ok(f"within {max(round(seconds), 1)} s of AWS's")

    direction = "behind" if difference > 0 else "ahead of"
    message = f"{seconds:.0f} s {direction} AWS's; AWS refuses requests from 300 s on"
    if seconds > CLOCK_PROBLEM:
        return topic.problem(message, SET_CLOCK)
    return topic.warning(message, SET_CLOCK)


def judge_resolvers(failures: Mapping[str, str]) -> Finding:
    """Judge the resolvers of this machine; `failures` has why each gave no answer, "" when it did.

    The system asks the next one when one does not answer, which takes seconds each time.
    """
    topic = Topic("resolvers", "resolvers")
    dead = {name: failure for name, failure in failures.items() if failure}
    if not dead:
        return topic.ok(f"{', '.join(failures)} {'answers' if len(failures) == 1 else 'answer'}")

    message = "; ".join(dead.values())
    if len(dead) == len(failures):
        return topic.problem(
            f"none answers: {message}",
            "check /etc/resolv.conf, the VPN and the firewall (UDP and TCP port 53)",
        )
    alive = ", ".join(name for name in failures if name not in dead)
    return topic.warning(
        f"{message}; {alive} does", f"remove {', '.join(dead)} from /etc/resolv.conf"
    )


def judge_loopback(missing: Mapping[str, str], *, is_needed: bool) -> Iterator[Finding]:
    """Judge the loopback addresses of the local cloud's regions.

    `missing` has for each address the command that adds it, "" when the address is there.
    """
    topic = Topic("loopback", "loopback addresses")
    lacking = {address: command for address, command in missing.items() if command}
    if not lacking:
        yield topic.ok(", ".join(missing))
        return

    for address, command in lacking.items():
        message = f"{address} is not configured; the local cloud needs it"
        yield topic.problem(message, command) if is_needed else topic.warning(message, command)
