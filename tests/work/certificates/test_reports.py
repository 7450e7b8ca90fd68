"""When a state that is polled is reported."""

from deploytool.work.certificates.reports import REPORT_INTERVAL, Reports


def test_changes_and_reminders() -> None:
    """A new or changed state is reported at once, an unchanged one after the interval."""
    reports = Reports()
    assert reports.is_due("a", "missing", 0.0)
    assert not reports.is_due("a", "missing", REPORT_INTERVAL - 1)
    assert reports.is_due("a", "missing", REPORT_INTERVAL)
    assert not reports.is_due("a", "missing", REPORT_INTERVAL + 1)
    assert reports.is_due("a", "present", REPORT_INTERVAL + 2)


def test_subjects_are_independent() -> None:
    """A report about one subject does not delay that about another."""
    reports = Reports()
    assert reports.is_due("a", "missing", 0.0)
    assert reports.is_due("b", "missing", 0.0)
