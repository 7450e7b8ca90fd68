"""What each observer saw, as stretches: nothing is lost by merging, no failure by condensing."""

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
    """Neighbours differ, each ends where the next begins, and no probe is lost."""
    found = merged(points, float(len(points)))
    assert sum(each.probes for each in found) == len(points)
    for one, next_ in pairwise(found):
        assert one.end == next_.start
        assert (one.kind, one.text) != (next_.kind, next_.text)


@given(stretches, st.integers(2, 20))
def test_condensing_loses_no_probe_and_no_failure(points: list[Stretch], most: int) -> None:
    """At most so many stretches, the probes' sum stays, and where one failed something is shown as
    failed.
    """
    before = merged(points, float(len(points)))
    found = condensed(before, most)
    assert len(found) <= most
    assert sum(each.probes for each in found) == len(points)
    for each in before:
        if each.kind is Kind.FAILED:
            assert any(
                there.kind is Kind.FAILED and there.start <= each.start <= there.end
                for there in found
            )
