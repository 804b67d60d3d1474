import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.evidence import EDITED, KINDS, judge


@pytest.mark.parametrize(
    ("kind", "accepted", "reliability"),
    [
        ("tests_passed", True, 1.0),
        ("tests_failed", False, 1.0),
        ("merged", True, 0.9),
        ("reverted", False, 0.9),
        ("accepted", True, 0.5),
        ("asked_again", False, 0.3),
        ("pull_request", None, 0.0),
    ],
)
def test_the_table(kind, accepted, reliability):
    said = judge(kind)
    assert (said.accepted, said.reliability) == (accepted, reliability)


@given(st.sampled_from(KINDS), st.floats(0.0, 1.0))
def test_a_reliability_is_a_share_and_silence_has_none(kind, distance):
    said = judge(kind, distance)
    assert 0.0 <= said.reliability <= 1.0
    assert (said.accepted is None) == (said.reliability == 0.0)


def test_an_edit_counts_by_its_distance():
    assert (judge(EDITED, 0.0).accepted, judge(EDITED, 0.0).reliability) == (True, 0.5)
    assert (judge(EDITED, 1.0).accepted, judge(EDITED, 1.0).reliability) == (False, 0.5)
    assert judge(EDITED, 0.4).reliability < judge(EDITED, 0.1).reliability


@pytest.mark.parametrize(("kind", "distance"), [("merge", None), (EDITED, None), (EDITED, 1.5), (EDITED, float("nan"))])
def test_nonsense_is_refused(kind, distance):
    with pytest.raises(ValueError, match=r"kind|distance"):
        judge(kind, distance)
