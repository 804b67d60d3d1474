from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.upstream.fake_env import FakeEnv

from suffice.upstream.faults import Fault, Seen, classify, classify_event, classify_seen, classify_transport
from suffice.upstream.retry import (
    CAP_S,
    MAX_EXTRA,
    Attempt,
    MoveKind,
    Option,
    Options,
    RetryBudget,
    next_move,
    same_delay_s,
)
from suffice.upstream.transport_fault import TransportFault

A = Option(endpoint="a", model="m", vendor="v", credential="k")
B = Option(endpoint="b", model="m", vendor="v", credential="k")
C = Option(endpoint="c", model="m", vendor="w", credential="l")
D = Option(endpoint="d", model="n", vendor="w", credential="l", larger=True)
E = Option(endpoint="a", model="n", vendor="v", credential="k")

REFUSED = classify_transport(TransportFault("connect_refused", "connect"))
STALE = classify_transport(TransportFault("stale_keepalive", "write", bytes_sent="part", reused=True))
ERROR = classify(500, [], b"")
OVERLOADED = classify(529, [], b"")
QUOTA = classify(429, [], b'{"error":{"code":"insufficient_quota"}}')
AUTH = classify(401, [], b"")
TOO_LONG = classify(400, [], b'{"error":{"code":"context_length_exceeded"}}')
INVALID = classify(400, [], b'{"error":{"type":"invalid_request_error"}}')
LIMITED = classify(429, [], b"")


def limited(seconds: str) -> Fault:
    return classify(429, [(b"retry-after", seconds.encode())], b"")


def after(fault: Fault, options: Options, remaining_s: float = 30.0, rand: float = 0.5, **more: Any) -> tuple[str, Any]:
    move = next_move(fault, more.get("tried", [Attempt(option=A, fault=fault)]), remaining_s, options, rand)
    return move.why, move.target


@pytest.mark.parametrize(
    ("fault", "options", "why", "target"),
    [
        (REFUSED, Options(others=(B, C), nexts=(D,)), "other", B),
        (REFUSED, Options(others=(A,), nexts=(D,)), "next", D),
        (REFUSED, Options(), "exhausted", None),
        (STALE, Options(others=(B,)), "same", A),
        (ERROR, Options(others=(B,)), "same", A),
        (OVERLOADED, Options(others=(B, C)), "other-provider", C),
        (OVERLOADED, Options(others=(B,), nexts=(E, D)), "next", D),
        (QUOTA, Options(others=(B, C)), "other-credential", C),
        (AUTH, Options(others=(B,), nexts=(E, D)), "next", D),
        (TOO_LONG, Options(others=(B,), nexts=(E, D)), "next", D),
        (TOO_LONG, Options(others=(B,), nexts=(E,)), "exhausted", None),
        (INVALID, Options(others=(B,), nexts=(D,)), "caller", None),
        (LIMITED, Options(others=(B,)), "other", B),
        (LIMITED, Options(nexts=(D,)), "same", A),
        (limited("2"), Options(), "same", A),
        (limited("6"), Options(nexts=(D,)), "next", D),
        (ERROR, Options(others=(B,), committed=True), "committed", None),
        (classify_seen(Seen.EMPTY), Options(others=(B,)), "policy", None),
        (classify_seen(Seen.EMPTY), Options(others=(B,), retry_empty=True), "same", A),
        (classify_seen(Seen.FILTERED), Options(nexts=(D,)), "policy", None),
        (classify_seen(Seen.FILTERED), Options(nexts=(D,), on_filter=True), "next", D),
        (classify_event(b"{}", tokens_seen=True), Options(others=(B,)), "caller", None),
    ],
)
def test_where_to_go(fault: Fault, options: Options, why: str, target: Option | None) -> None:
    assert after(fault, options) == (why, target)


def test_the_same_endpoint_only_once_and_never_without_budget() -> None:
    twice = [Attempt(option=A, fault=ERROR)] * 2
    assert after(ERROR, Options(others=(B,)), tried=twice) == ("other", B)
    broke = Option(endpoint="a", model="m", budgeted=False)
    assert after(ERROR, Options(), tried=[Attempt(option=broke, fault=ERROR)]) == ("exhausted", None)
    poor = Option(endpoint="b", model="m", budgeted=False)
    assert after(REFUSED, Options(others=(poor, C))) == ("other", C)


def test_deadline_and_number_of_attempts() -> None:
    assert after(limited("4"), Options(), remaining_s=4.2) == ("deadline", None)
    assert after(limited("4"), Options(nexts=(D,)), remaining_s=4.2) == ("next", D)
    assert after(REFUSED, Options(others=(B,)), remaining_s=0.4) == ("deadline", None)
    three = [Attempt(option=o, fault=REFUSED) for o in (A, B, C)]
    assert after(REFUSED, Options(nexts=(D,)), tried=three) == ("attempts", None)


def test_failover_does_not_wait_and_a_lost_connection_neither() -> None:
    assert next_move(REFUSED, [Attempt(option=A, fault=REFUSED)], 30, Options(others=(B,)), 0.9).delay_s == 0
    move = next_move(STALE, [Attempt(option=A, fault=STALE)], 30, Options(), 0.9)
    assert (move.delay_s, move.fresh) == (0, True)


def test_giving_up_says_when_to_come_back() -> None:
    tried = [Attempt(option=A, fault=limited("9")), Attempt(option=B, fault=limited("7"))]
    move = next_move(tried[-1].fault, [*tried, Attempt(option=C, fault=REFUSED)], 30, Options(soonest_s=5.0), 0.5)
    assert move.kind is MoveKind.STOP
    move = next_move(REFUSED, [*tried, Attempt(option=C, fault=REFUSED)], 30, Options(), 0.5)
    assert move.fault is not None
    assert (move.fault.row, move.fault.status, move.retry_after_s) == (11, 429, 7)
    move = next_move(REFUSED, [*tried, Attempt(option=C, fault=REFUSED)], 30, Options(soonest_s=5.0), 0.5)
    assert move.retry_after_s == 5.0
    own = next_move(INVALID, [*tried, Attempt(option=C, fault=INVALID)], 30, Options(), 0.5)
    assert (own.fault, own.retry_after_s) == (INVALID, None)
    bare = next_move(LIMITED, [Attempt(option=A, fault=LIMITED)] * 3, 30, Options(), 0.5)
    assert bare.retry_after_s == LIMITED.cooldown_s


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 100))
def test_jitter_stays_in_its_range(rand: float, previous: float) -> None:
    delay = same_delay_s(ERROR, [Attempt(option=A, fault=ERROR, delay_s=previous)], rand)
    assert 0.1 <= delay <= CAP_S
    assert 1.0 <= same_delay_s(LIMITED, [Attempt(option=A, fault=LIMITED)], rand) <= 4.0


FAULTS = st.sampled_from(
    [REFUSED, STALE, ERROR, OVERLOADED, QUOTA, AUTH, TOO_LONG, LIMITED, limited("1"), limited("60")]
)
OPTIONS = st.lists(st.sampled_from([A, B, C, D, E]), max_size=4, unique=True).map(tuple)


@given(st.lists(FAULTS, min_size=5, max_size=5), OPTIONS, OPTIONS, st.floats(0, 60), st.floats(0, 1, exclude_max=True))
def test_any_story_ends_in_time(faults: list[Fault], others: Any, nexts: Any, remaining_s: float, rand: float) -> None:
    tried: list[Attempt] = []
    option, delay = A, 0.0
    for fault in faults:
        tried.append(Attempt(option=option, fault=fault, delay_s=delay))
        move = next_move(fault, tried, remaining_s, Options(others=others, nexts=nexts), rand)
        if move.target is None:
            break
        assert move.delay_s < remaining_s
        remaining_s -= move.delay_s
        option, delay = move.target, move.delay_s
    assert move.kind is MoveKind.STOP
    assert move.fault is not None
    assert len(tried) <= 1 + MAX_EXTRA


def test_nothing_tried_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="attempt that failed"):
        next_move(ERROR, [], 30, Options(), 0.5)


def test_a_tenth_may_be_retries() -> None:
    env = FakeEnv()
    budget = RetryBudget(env)
    sent = 0
    for _ in range(1000):
        budget.request("a")
        if budget.allows("a", healthy=False):
            budget.spend("a", healthy=False)
            sent += 1
    assert sent == 103
    assert budget.allows("a", healthy=True)
    assert not budget.allows("a", healthy=False)
    env.at += 3600
    assert budget.allows("a", healthy=False)


def test_a_quiet_endpoint_has_a_floor_and_memory_is_bounded() -> None:
    budget = RetryBudget(FakeEnv(), capacity=10)
    for _ in range(3):
        assert budget.allows("q", healthy=False)
        budget.spend("q", healthy=False)
        budget.spend("q", healthy=True)
    assert not budget.allows("q", healthy=False)
    for n in range(50):
        budget.request(f"e{n}")
    assert len(budget._counts) == 10
