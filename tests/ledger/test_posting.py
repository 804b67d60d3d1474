import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.ledger import posting, queries
from suffice.ledger.records import (
    AttemptIntent,
    AttemptResult,
    Closed,
    Decided,
    DecisionRecord,
    Noted,
    Observed,
    Opened,
    OutcomeRecord,
    RowKind,
)
from suffice.storage import migrate, statements, tables
from suffice.storage.connection import SqliteSession
from suffice.values.plan import Arm, Plan, Step


def opened(ident, amount=10):
    return Opened(ident, 0, 1, amount, (("b", 0, True), ("soft", 0, False)), "k", AttemptIntent(model="m"))


def closed(ident, charge=7):
    return Closed(ident, 0, 2, RowKind.SETTLED, AttemptResult(charge_nano=charge))


def fresh(path):
    session = SqliteSession(path, statements.load(), "writer")
    migrate.migrate(session, statements.migrations(), 0)
    tables.put_budget(session, tables.BudgetRow("b", "total", 1000, 0, 1))
    tables.take_lease(session, "boot", "b", 0, 1000, 1)
    return session


@pytest.fixture
def session(tmp_path):
    session = fresh(tmp_path / "s.db")
    yield session
    session.close()


ENTRIES = [
    (entry, opened(ident) if isinstance(entry, Closed) else None)
    for ident in ("x", "y", "z")
    for entry in (opened(ident), Noted(ident, 0, 3), closed(ident))
]


@given(st.lists(st.integers(1, 9), max_size=5), st.integers(0, 9))
def test_however_entries_are_grouped_and_repeated_the_books_are_the_same(tmp_path_factory, cuts, again):
    session = fresh(tmp_path_factory.mktemp("p") / "s.db")
    at = 0
    for size in [*cuts, 99]:
        posting.post(session, "boot", ENTRIES[at : at + size])
        at += size
    posting.post(session, "boot", ENTRIES[again:])
    posting.replay(session, "boot", [entry for entry, _ in ENTRIES])
    assert session.run("windows") == [("b", 0, 21, 979), ("soft", 0, 21, 0)]
    assert queries.verify(session) == ()
    session.close()


def test_an_open_attempt_is_charged_by_its_checkpoint_or_whole(session):
    posting.post(session, "boot", [(opened("a"), None), (opened("b"), None), (Noted("b", 0, 4), None)])
    for row in tables.reservations_of(session, "boot"):
        posting.close_unknown(session, row, 5)
    posting.replay(session, "boot", [opened("a"), closed("a")])
    assert {a.row.request_id: (a.row.kind, a.row.charge_nano) for a in queries.recent(session)} == {
        "a": ("U", 10),
        "b": ("U", 4),
    }


def test_large_records_are_cut_to_their_facts(session):
    arm = Arm(model="m" * 80_000, endpoint="e")
    step = Step(arm=arm, reach=1, p_success=1, cost=1)
    plan = Plan(steps=(step,), expected_total=1, p_complete=1, repair=0, propensity=1, reason="")
    decided = Decided(DecisionRecord(request_id="r", at_ms=1, plan=plan, task="edit"))
    seen = Observed(OutcomeRecord(request_id="r", at_ms=1, kind="tests", detail="d" * 20_000))
    big = Closed("r", 0, 2, RowKind.SETTLED, AttemptResult(charge_nano=1, message="x" * 20_000))
    posting.post(session, "boot", [(decided, None), (seen, None), (opened("r"), None), (big, opened("r"))])
    story = queries.story(session, "r")
    assert story.decision.plan is None and story.decision.task == "edit" and "64 KiB" in story.decision.note
    assert story.charged == 1 and story.outcomes[0].kind == "tests" and len(msgspec.json.encode(story.outcomes)) < 500
