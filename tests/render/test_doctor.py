"""The findings of `deploytool doctor` as text and as JSON."""

from collections.abc import Callable

from deploytool.core.doctor.finding import Finding, Group, Topic
from deploytool.render.doctor import doctor_document, doctor_lines
from deploytool.work.doctor.run import Check, Checked

LOCAL = ("--local",)
LONG = "the parent (example.com. at ns1.example.net) does not delegate dev.example.com: it has no NS records for it"
COMMAND = "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384"


def checked(group: Group, *findings: Finding) -> Checked:
    return Checked(Check(group, Topic("", ""), lambda: ()), findings)


FINDINGS = [
    checked(Group.MACHINE, Topic("python", "Python").ok("3.11.7")),
    checked(Group.MACHINE),
    checked(
        Group.DOMAIN,
        Topic("delegation.dev", "delegation of dev").problem(LONG, "set [the] NS records"),
        Topic("quota.x", "Lambda us-west-2").warning("few", COMMAND),
    ),
    checked(Group.PIPELINE, Topic("a", "a").not_checked("no project", "deploytool deploy")),
    checked(Group.PIPELINE, Topic("b", "b").not_checked("no project", "deploytool deploy")),
]
EXPECTED = f"""\
This machine
  ✓ Python             3.11.7

The domain
  ✗ delegation of dev  the parent (example.com. at ns1.example.net) does not
                       delegate dev.example.com: it has no NS records for it
    → set [the] NS records
  ! Lambda us-west-2   few
    → {COMMAND}

GitHub Actions
  · a                  not checked: no project
    → deploytool deploy --local
  · b                  not checked: no project

✗ 1 problem, 1 warning, 1 ok, 2 not checked
"""


def test_a_line_for_each_finding(plain: Callable[..., str]) -> None:
    """Long messages are wrapped below themselves, commands are whole, and a fix is said once."""
    text = plain(*doctor_lines(FINDINGS, 80, LOCAL))
    assert text == EXPECTED


def test_the_sum_without_a_problem(plain: Callable[..., str]) -> None:
    """The last line tells at once whether there is something to do."""
    good = checked(Group.MACHINE, Topic("python", "Python").ok("3.11.7"))
    warning = checked(Group.MACHINE, Topic("x", "x").warning("few", "more"))
    assert plain(*doctor_lines([good], 80, ())).splitlines()[-1] == "✓ no problem, 1 ok"
    last = plain(*doctor_lines([good, warning], 80, ())).splitlines()[-1]
    assert last == "! no problem, 1 warning, 1 ok"


def test_the_document() -> None:
    """Each finding has its own hint, also where the text says it once."""
    document = doctor_document(FINDINGS, LOCAL)
    assert document["counts"] == {"ok": 1, "warning": 1, "problem": 1, "not_checked": 2}
    assert document["checks"][0] == {
        "id": "python",
        "subject": "Python",
        "status": "ok",
        "message": "3.11.7",
        "hint": None,
    }
    assert [check["hint"] for check in document["checks"][-2:]] == [
        "deploytool deploy --local",
        "deploytool deploy --local",
    ]
