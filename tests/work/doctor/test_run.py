"""Checks run side by side, and none stops another."""

from collections.abc import Iterator
from typing import NoReturn

from deploytool.core.doctor.finding import Finding, Group, Status, Topic
from deploytool.core.errors import CloudRefused, DeploytoolError
from deploytool.simulated.executor import InlineExecutor
from deploytool.work.doctor.run import Check, Once, run_checks

TOPIC = Topic("id", "subject")


def check(look: object, **more: object) -> Check:
    return Check(Group.CLOUD, TOPIC, look, **more)  # type: ignore[arg-type]


def raising(error: Exception) -> NoReturn:
    raise error


def findings(*checks: Check) -> list[Finding]:
    return [each for checked in run_checks(InlineExecutor(), checks) for each in checked.findings]


def good() -> Iterator[Finding]:
    yield TOPIC.ok("fine")


def half() -> Iterator[Finding]:
    yield TOPIC.ok("first")
    raise DeploytoolError("no permission", hint="ask")


def test_an_error_of_one_check_leaves_the_others() -> None:
    """The part is not checked, with the reason and the fix; the order stays."""
    first, second, third = findings(
        check(lambda: raising(DeploytoolError("no permission", hint="ask"))),
        check(good),
        check(half),
    )
    assert (first.status, first.message, first.hint) == (
        Status.NOT_CHECKED,
        "no permission",
        "ask",
    )
    assert second.status is Status.OK
    assert third.status is Status.NOT_CHECKED


def test_a_bug_in_a_check_leaves_the_others() -> None:
    """It is said as what it is, because the user should report it."""
    first, second = findings(check(lambda: raising(KeyError("Stacks"))), check(good))
    assert first.status is Status.NOT_CHECKED
    assert first.message == "unexpected KeyError: 'Stacks'"
    assert "report it" in first.hint
    assert second.status is Status.OK


def test_refused_credentials_save_the_calls() -> None:
    """Every API would refuse them, after its own time."""
    made: list[str] = []
    caller: Once[object] = Once(lambda: raising(CloudRefused("expired", hint="sign in")))
    [finding] = findings(check(lambda: made.append("call"), asks_cloud=True, sign_in=caller.get))
    assert made == []
    assert finding.status is Status.NOT_CHECKED
    assert finding.hint == "sign in"
    assert isinstance(finding.error, CloudRefused)


def test_a_value_is_read_once() -> None:
    """Also an error is: it is raised again for each that needs the value."""
    reads: list[int] = []
    once = Once(lambda: reads.append(1) or len(reads))
    assert (once.get(), once.get()) == (1, 1)

    def fail() -> NoReturn:
        reads.append(1)
        raise DeploytoolError("no")

    failing = Once(fail)
    for _ in range(2):
        try:
            failing.get()
        except DeploytoolError as error:
            assert str(error) == "no"  # noqa: PT017
    assert len(reads) == 2
