"""What is said of the machine: ok, a warning or a problem, with the fix."""

import pytest

from deploytool.core.doctor.finding import Status
from deploytool.core.doctor.machine import (
    Requirement,
    judge_clock,
    judge_extra,
    judge_loopback,
    judge_python,
    judge_resolvers,
    judge_sdk,
)

NEW = Requirement("boto3", ">=1.43.38", "1.43.106", is_met=True)
OLD = Requirement("botocore", ">=1.43.38", "1.34.0", is_met=False)
MISSING = Requirement("ministack", "==1.5.33", "", is_met=False)


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 11, 0), Status.OK), ((3, 14, 1), Status.OK), ((3, 10, 9), Status.PROBLEM)],
)
def test_the_oldest_python(version: tuple[int, ...], status: Status) -> None:
    """The version that requires-python names is enough, an older one is not."""
    finding = judge_python(version, (3, 11))
    assert finding.status is status
    assert bool(finding.hint) is (status is not Status.OK)


def test_an_old_sdk_is_a_problem() -> None:
    """The hint installs what is too old, and nothing else."""
    assert judge_sdk([NEW, NEW]).message == "1.43.106, 1.43.106"
    finding = judge_sdk([NEW, OLD])
    assert finding.status is Status.PROBLEM
    assert finding.message == "botocore 1.34.0 is installed, and >=1.43.38 is needed"
    assert finding.hint == "pip install 'botocore>=1.43.38'"


@pytest.mark.parametrize(
    ("requirement", "is_needed", "status"),
    [
        (NEW, True, Status.OK),
        (MISSING, False, Status.WARNING),
        (MISSING, True, Status.PROBLEM),
    ],
)
def test_an_extra(requirement: Requirement, is_needed: bool, status: Status) -> None:
    """A missing extra is a problem for the run that needs it, and else a warning."""
    finding = judge_extra("local", [requirement], is_needed=is_needed)
    assert finding.status is status
    if status is not Status.OK:
        assert finding.hint == "pip install 'deploytool[local]'"
        assert "ministack is not installed" in finding.message


@pytest.mark.parametrize(
    ("difference", "status", "text"),
    [
        (0.4, Status.OK, "within 1 s"),
        (-60.0, Status.OK, "within 60 s"),
        (61.0, Status.WARNING, "61 s behind AWS's"),
        (-240.0, Status.WARNING, "240 s ahead of AWS's"),
        (-241.0, Status.PROBLEM, "241 s ahead of AWS's"),
        (3600.0, Status.PROBLEM, "3600 s behind AWS's"),
    ],
)
def test_the_clock(difference: float, status: Status, text: str) -> None:
    """A minute is normal; from four on, a signature may be refused before it arrives."""
    finding = judge_clock(difference)
    assert finding.status is status
    assert text in finding.message


@pytest.mark.parametrize(
    ("failures", "status", "text"),
    [
        ({"10.0.0.1": ""}, Status.OK, "10.0.0.1 answers"),
        ({"10.0.0.1": "", "10.0.0.2": ""}, Status.OK, "10.0.0.1, 10.0.0.2 answer"),
        ({"10.0.0.1": "", "fe80::1": "timed out"}, Status.WARNING, "timed out; 10.0.0.1 does"),
        ({"10.0.0.1": "timed out"}, Status.PROBLEM, "none answers: timed out"),
    ],
)
def test_the_resolvers(failures: dict[str, str], status: Status, text: str) -> None:
    """One that does not answer costs seconds, and none that does costs everything."""
    finding = judge_resolvers(failures)
    assert (finding.status, finding.message) == (status, text)


def test_loopback_addresses() -> None:
    """Each address that is missing has the command that adds it. AWS needs none of them."""
    there = {"127.0.0.11": "", "127.0.0.12": ""}
    assert [finding.status for finding in judge_loopback(there, is_needed=True)] == [Status.OK]

    missing = {"127.0.0.11": "", "127.0.0.12": "sudo ifconfig lo0 alias 127.0.0.12 up"}
    [warning] = judge_loopback(missing, is_needed=False)
    [problem] = judge_loopback(missing, is_needed=True)
    assert (warning.status, problem.status) == (Status.WARNING, Status.PROBLEM)
    assert problem.hint == "sudo ifconfig lo0 alias 127.0.0.12 up"
    assert "127.0.0.12 is not configured" in problem.message
