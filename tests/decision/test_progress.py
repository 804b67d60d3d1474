from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.events import Event, Kind
from suffice.decision.progress import IDLE_TURNS, INTERVENTIONS, Progress, Segment, advance


def failed(signature: str = "boom") -> Event:
    return Event(kind=Kind.TESTS_FAILED, tool="pytest", signature=signature)


PASSED = Event(kind=Kind.TESTS_PASSED, tool="pytest")
BAD_EDIT = Event(kind=Kind.EDIT_FAILED, tool="edit", signature="not found")


def run(*turns: Segment, allowed: tuple[str, ...] = INTERVENTIONS) -> tuple[Progress, list[tuple[str, ...]]]:
    progress, told = Progress(), []
    for turn in turns:
        progress, happened = advance(progress, turn, allowed)
        told.append(happened)
    return progress, told


def test_a_failing_test_counts_as_after_an_edit_only_when_there_was_one() -> None:
    progress, told = run(Segment(events=(failed("a"),)), Segment(wrote=True), Segment(events=(failed("b"),)))
    assert told == [("tests_failed",), (), ("tests_failed", "tests_failed_after_edit")]
    assert (progress.tests_failed, progress.failed_after_edit) == (2, 1)


def test_the_same_error_twice_is_an_event_and_a_success_ends_it() -> None:
    _, told = run(Segment(events=(failed(),)), Segment(events=(failed(),)))
    assert "same_error" in told[1]
    _, told = run(Segment(events=(failed(),)), Segment(events=(PASSED,)), Segment(events=(failed(),)))
    assert "same_error" not in told[2]


def test_turns_without_a_write_add_up_and_a_write_ends_them() -> None:
    progress, told = run(*[Segment()] * IDLE_TURNS)
    assert [bool(h) for h in told] == [False] * (IDLE_TURNS - 1) + [True]
    assert progress.idle == IDLE_TURNS
    assert run(*[Segment()] * (IDLE_TURNS - 1), Segment(wrote=True))[0].idle == 0


def test_it_takes_two_confirmations_and_then_it_latches() -> None:
    bad = Segment(events=(BAD_EDIT,))
    assert not run(bad)[0].latch.escalated
    assert run(bad, bad)[0].latch.escalated
    assert not run(bad, Segment(events=(PASSED,)), bad)[0].latch.escalated
    assert run(bad, bad, Segment(events=(PASSED,)))[0].latch.escalated


def test_what_is_not_allowed_is_counted_and_changes_nothing() -> None:
    progress, told = run(*[Segment(events=(BAD_EDIT,), compacted=True, done=True)] * 3, allowed=())
    assert (progress.edits_failed, progress.compactions, progress.done_declared) == (3, 3, 3)
    assert {"edit_failed", "compaction", "done_declared", "same_error"} <= set(told[2])
    assert progress.latch.events == 0


segments = st.builds(
    Segment,
    events=st.lists(st.sampled_from([failed("a"), failed("b"), PASSED, BAD_EDIT]), max_size=3).map(tuple),
    wrote=st.booleans(),
    compacted=st.booleans(),
    done=st.booleans(),
)


@given(st.lists(segments, max_size=12), st.sets(st.sampled_from(INTERVENTIONS)))
def test_counters_only_grow_and_a_latch_never_opens(turns: list[Segment], allowed: set[str]) -> None:
    progress = Progress()
    for turn in turns:
        after, _ = advance(progress, turn, allowed)
        assert after.turns == progress.turns + 1
        assert after.tests_failed >= progress.tests_failed
        assert after.same_error >= progress.same_error
        assert after.latch.escalated or not progress.latch.escalated
        progress = after
    assert allowed or not progress.latch.escalated
