import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.storage import migrate, statements, tables
from suffice.storage.connection import SqliteSession


def fresh(path):
    session = SqliteSession(path, statements.load(), "writer")
    migrate.migrate(session, statements.migrations(), 0)
    return session


@pytest.fixture
def session(tmp_path):
    session = fresh(tmp_path / "s.db")
    yield session
    session.close()


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 100)), max_size=20), st.integers(0, 1000))
def test_leases_never_pass_the_limit(tmp_path_factory, asks, limit):
    session = fresh(tmp_path_factory.mktemp("t") / "s.db")
    tables.put_budget(session, tables.BudgetRow("b", "day", limit, 0, 1))
    total = 0
    for need, divisor in asks:
        reply = tables.take_lease(session, "boot", "b", 0, need, divisor)
        total += reply.granted_nano
        assert reply.leased_nano == total <= limit
        # A refusal is true: there is not as much left as was asked for.
        assert reply.granted_nano >= need or limit - total < need
    session.close()


def test_what_is_given_back_can_be_leased_again(session):
    tables.put_budget(session, tables.BudgetRow("b", "day", 100, 0, 1))
    assert tables.take_lease(session, "one", "b", 0, 100, 1).granted_nano == 100
    assert tables.take_lease(session, "two", "b", 0, 1, 1).granted_nano == 0
    tables.give_back(session, "one", "b", 0, 40)
    assert tables.take_lease(session, "two", "b", 0, 40, 1).granted_nano == 40
    tables.end_boot(session, "one")
    assert session.run("windows") == [("b", 0, 0, 40)]
    assert session.run("lease_boots") == [("two",)]


def test_a_budget_that_is_not_there_leases_nothing(session):
    assert tables.take_lease(session, "one", "b", 0, 1, 1).granted_nano == 0


def test_changes_of_budgets_and_keys_raise_the_generation(session):
    start = tables.generation(session)
    tables.put_budget(session, tables.BudgetRow("b", "day", 1, 0, 1))
    tables.delete_budget(session, "b")
    key = tables.KeyRow("k", b"d", b"", 0, 1, 0, 0, "{}")
    tables.put_key(session, key, new=True)
    tables.put_key(session, key._replace(revoked_s=9), new=False)
    assert tables.generation(session) == start + 4
    assert tables.budgets(session) == [] and tables.keys(session)[0].revoked_s == 9
