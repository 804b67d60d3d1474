from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.sessions import BODY_SIGNALS, HEADER_SIGNALS, Session, SessionTable, session_key
from suffice.values.money import NanoUsd
from suffice.values.plan import Arm

SECRET = b"0123456789abcdef"
A = Arm(model="openai/gpt-5", endpoint="openai")
B = Arm(model="openai/gpt-5-mini", endpoint="openai")


def key(
    tenant: str = "t", headers: dict[str, str] | None = None, body: dict[str, str] | None = None, **begin: Any
) -> str:
    return session_key(SECRET, tenant, headers or {}, body or {}, **begin).key


def test_the_most_trusted_signal_wins() -> None:
    headers = {name: f"h{i}" for i, name in enumerate(HEADER_SIGNALS)}
    body = {name: f"b{i}" for i, name in enumerate(BODY_SIGNALS)}
    for name in HEADER_SIGNALS:
        assert session_key(SECRET, "t", headers, body).signal == name
        del headers[name]
    for name in BODY_SIGNALS:
        assert session_key(SECRET, "t", headers, body).signal == name
        del body[name]
    assert session_key(SECRET, "t", {"session-id": "  "}, {}).signal == "content"


def test_keys_are_scoped_by_tenant_and_by_secret_and_show_nothing() -> None:
    named = {"x-session-id": "ses_1"}
    assert key("a", named) != key("b", named)
    assert key("a", named) == key("a", named, system_text="changed")
    assert key("a", named) != session_key(b"another secret..", "a", named, {}).key
    assert "ses_1" not in key("a", named)


@given(st.lists(st.text(max_size=4), min_size=2, max_size=4), st.lists(st.text(max_size=4), min_size=2, max_size=4))
def test_different_beginnings_have_different_keys(one: list[str], two: list[str]) -> None:
    def begin(parts: list[str]) -> str:
        return key(system_text=parts[0], first_user_text=parts[1], tool_names=parts[2:])

    assert (begin(one) == begin(two)) == (one == two)


def test_a_session_remembers_turns() -> None:
    session = Session(created_s=0, used_s=0)
    session.answered(A, now_s=10, prompt_tokens=500, cache_ttl_s=300, cost=NanoUsd(7))
    session.answered(B, now_s=400, prompt_tokens=900, cache_ttl_s=300, cost=NanoUsd(3))
    assert (session.pinned, session.turns, session.prompt_tokens, session.spent) == (B, 2, 900, 10)
    assert session.warm(B, 699)
    assert not session.warm(B, 700)
    assert not session.warm(A, 400)
    session.failed(A)
    session.failed(A)
    session.latched = True
    assert session.tried == (A,)
    session.new_task()
    assert (session.tried, session.latched, session.pinned) == ((), False, B)
    with pytest.raises(ValueError, match="negative"):
        session.answered(A, now_s=1, prompt_tokens=-1, cache_ttl_s=1, cost=NanoUsd(0))


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-5, 50)), max_size=60))
def test_the_table_is_bounded_and_forgets_the_least_recently_used(steps: list[tuple[str, float]]) -> None:
    table = SessionTable(capacity=3, ttl_s=20)
    now = 0.0
    order: list[str] = []
    for name, delta in steps:
        now += delta
        before = table.peek(name, now)
        session = table.touch(name, now)
        assert before is None or session is before
        assert len(table) <= 3
        order = [*(n for n in order if n != name), name]
        assert list(table) == [n for n in order if n in set(table)]
        assert list(table)[-1] == name


def test_idle_sessions_expire() -> None:
    table = SessionTable(capacity=10, ttl_s=20)
    first = table.touch("a", 0)
    assert table.touch("a", 20) is first
    assert table.peek("a", 41) is None
    assert table.touch("a", 41) is not first
    table.touch("b", 42)
    table.touch("c", 100)
    assert list(table) == ["c"]
    table.drop("c")
    table.drop("c")
    assert len(table) == 0
    for wrong in ({"capacity": 0}, {"ttl_s": 0.0}, {"ttl_s": float("nan")}):
        with pytest.raises(ValueError, match="above zero"):
            SessionTable(**wrong)  # type: ignore[arg-type]
