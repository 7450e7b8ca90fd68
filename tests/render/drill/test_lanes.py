"""Stretches of equal answers: merging loses no probe, and condensing loses no failure."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from deploytool.render.report.lanes import Kind, Stretch, condensed, merged

stretches = st.lists(st.tuples(st.sampled_from(Kind), st.sampled_from("ab")), max_size=60).map(
    lambda drawn: [
        Stretch(float(at), float(at), kind, text) for at, (kind, text) in enumerate(drawn)
    ]
)


@given(stretches)
def test_merging_keeps_every_probe_and_leaves_no_gap(points: list[Stretch]) -> None:
    """Neighbours differ, each stretch ends where the next begins, and no probe is lost."""
    result = merged(points, float(len(points)))
    assert sum(stretch.probes for stretch in result) == len(points)
    for stretch, following in pairwise(result):
        assert stretch.end == following.start
        assert (stretch.kind, stretch.text) != (following.kind, following.text)


@given(stretches, st.integers(2, 20))
def test_condensing_loses_no_probe_and_no_failure(points: list[Stretch], most: int) -> None:
    """There are at most `most` stretches, no probe is lost, and each failure is still visible."""
    before = merged(points, float(len(points)))
    after = condensed(before, most)
    assert len(after) <= most
    assert sum(stretch.probes for stretch in after) == len(points)

    failures = [stretch for stretch in after if stretch.kind is Kind.FAILED]
    for stretch in before:
        if stretch.kind is Kind.FAILED:
            assert any(failed.start <= stretch.start <= failed.end for failed in failures)
