from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.decision.plan import Problem, accept, plug_in, shortlist, solve, told_again
from suffice.errors import DecisionError

SEEDS = st.integers(0, 2**32 - 1)


def problem(seed: int, k: int = 4, g: int = 5, *, tpr: float | None = None, margin: float = 0.05) -> Problem:
    rng = np.random.default_rng(seed)
    w = rng.random(g) + 1e-3
    return Problem(
        p=rng.random((k, g)), cost=rng.random((k, g)) * rng.choice([0.01, 1.0, 5.0]),
        tpr=rng.random(k) if tpr is None else np.full(k, tpr), fpr=rng.random(k), weights=w / w.sum(),
        repair_usd=float(rng.choice([0.1, 1.0, 10.0])), margin=margin,
    )  # fmt: skip


def retried(x: Problem, seed: int) -> Problem:
    rng = np.random.default_rng(seed + 1)
    return replace(x, again=rng.random(x.p.shape), again_cost=x.cost * rng.random())


def sequences(k: int, attempts: int) -> Iterator[tuple[int, ...]]:
    """Every order in which an arm comes once, or twice in a row."""
    for n in range(attempts + 1):
        for s in product(range(k), repeat=n):
            runs = [(arm, len(list(run))) for arm, run in groupby(s)]
            if len({arm for arm, _ in runs}) == len(runs) and all(length < 3 for _, length in runs):
                yield s


def sequence_cost(x: Problem, sequence: tuple[int, ...]) -> float:
    total, w = 0.0, x.weights
    for step, arm in enumerate(sequence):
        p, cost = x.p[arm], x.cost[arm]
        if step and sequence[step - 1] == arm:
            assert x.again is not None and x.again_cost is not None
            p, cost = x.again[arm], x.again_cost[arm]
        wrong = (1 - p) * x.fpr[arm]
        total += w @ (cost + x.escape_factor * x.repair_usd * wrong) + (step > 0) * x.margin * x.repair_usd * w.sum()
        w = w * (1 - x.tpr[arm] * p - wrong)
    return float(total + x.repair_usd * w.sum())


@given(SEEDS, st.integers(1, 3), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_equals_brute_force_over_all_sequences(seed: int, attempts: int, k: int) -> None:
    x = replace(problem(seed, k), attempts=attempts)
    best = min(sequence_cost(x, s) for n in range(min(attempts, k) + 1) for s in permutations(range(k), n))
    found = solve(x)
    assert found.value == pytest.approx(best, rel=1e-9, abs=1e-12)
    assert sequence_cost(x, found.sequence) == pytest.approx(best, rel=1e-9, abs=1e-12)


@given(SEEDS, st.integers(1, 3), st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_with_retries_it_equals_brute_force_too(seed: int, attempts: int, k: int) -> None:
    x = retried(replace(problem(seed, k), attempts=attempts), seed)
    best = min(sequence_cost(x, s) for s in sequences(k, attempts))
    found = solve(x)
    assert found.value == pytest.approx(best, rel=1e-9, abs=1e-12)
    assert sequence_cost(x, found.sequence) == pytest.approx(best, rel=1e-9, abs=1e-12)
    assert found.value <= solve(replace(x, again=None, again_cost=None)).value + 1e-12


def test_a_retry_is_planned_where_it_pays_and_only_there() -> None:
    x = replace(
        problem(3, 2, 1, margin=0.0), p=np.array([[0.5], [0.6]]), cost=np.array([[0.01], [1.0]]), fpr=np.full(2, 0.1)
    )
    x = replace(x, tpr=np.ones(2), repair_usd=10.0, attempts=2, weights=np.ones(1))
    good = replace(x, again=np.array([[0.7], [0.7]]), again_cost=x.cost)
    assert solve(good).sequence == (0, 0)
    assert solve(replace(good, again=np.array([[0.05], [0.05]]))).sequence == (0, 1)
    assert solve(x).sequence == (0, 1)


def test_the_success_of_a_retry_follows_the_measured_line_and_stays_level_behind_it() -> None:
    assert told_again(np.array([0.0, 0.3, 0.55, 1.0])) == pytest.approx([0.07, 0.49, 0.84, 0.84])


@given(SEEDS, st.floats(1.0, 5.0))
@settings(max_examples=100, deadline=None)
def test_monotone_in_repair_cost_and_price(seed: int, factor: float) -> None:
    x = problem(seed)
    value = solve(x).value
    assert solve(replace(x, repair_usd=x.repair_usd * factor)).value >= value - 1e-12
    dearer = x.cost.copy()
    dearer[seed % 4] *= factor
    assert solve(replace(x, cost=dearer)).value >= value - 1e-12


@given(SEEDS, st.floats(0.0, 1.0))
@settings(max_examples=100, deadline=None)
def test_monotone_in_the_false_accept_rate_of_gates_that_accept_what_is_right(seed: int, share: float) -> None:
    x = problem(seed, tpr=1.0)
    worse = x.fpr.copy()
    worse[seed % 4] += share * (1 - worse[seed % 4])
    assert solve(replace(x, fpr=worse)).value >= solve(x).value - 1e-12


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_without_a_gate_it_is_the_plug_in_rule(seed: int) -> None:
    x = replace(problem(seed), tpr=np.ones(4), fpr=np.ones(4), escape_factor=1.0)
    expected = plug_in(x.p @ x.weights, x.cost @ x.weights, x.repair_usd)
    assert np.allclose(solve(x).first, expected)
    assert np.allclose(solve(replace(x, attempts=1)).first, expected)


def test_reach_falls_and_the_hopeless_task_goes_to_the_human() -> None:
    x = replace(problem(3), repair_usd=10.0, fpr=np.full(4, 0.05), cost=np.full((4, 5), 0.01), margin=0.0)
    found = solve(x)
    assert len(found.sequence) == 3 and list(found.reach) == sorted(found.reach, reverse=True)
    assert 0 < found.p_escape < found.p_accept <= 1
    hopeless = replace(x, p=np.zeros((4, 5)))
    assert solve(hopeless).sequence == () and solve(hopeless).value == 10.0


@pytest.mark.parametrize(
    "change",
    [
        {"p": np.zeros((0, 5))}, {"p": np.full((4, 5), np.nan)}, {"cost": np.full((4, 5), -1.0)}, {"repair_usd": -1.0},
        {"cost": np.zeros((3, 5))}, {"escape_factor": 0.5}, {"p": np.full((4, 5), 1.5)}, {"attempts": 0},
        {"repair_usd": float("inf")}, {"again": np.full((4, 5), 1.5), "again_cost": np.zeros((4, 5))},
        {"again": np.zeros((3, 5)), "again_cost": np.zeros((4, 5))}, {"again": np.zeros((4, 5)), "again_cost": np.full((4, 5), -1.0)},
    ],
)  # fmt: skip
def test_bad_input_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(DecisionError):
        solve(replace(problem(1), **change))


def test_accept_compares_the_residual_risk_with_going_on() -> None:
    assert accept(0.95, continue_usd=1.0, repair_usd=3.0)
    assert not accept(0.5, continue_usd=1.0, repair_usd=3.0)


@given(SEEDS, st.integers(1, 24))
@settings(max_examples=60, deadline=None)
def test_the_shortlist_holds_the_best_one_shot_the_pinned_arm_and_the_cheapest_of_the_front(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    p, cost, pinned = rng.random(n), rng.random(n), int(rng.integers(n))
    rows = shortlist(p, cost, 3.0, keep=(pinned,))
    assert len(set(rows.tolist())) == len(rows) == min(n, 8)
    assert pinned in rows
    assert int(plug_in(p, cost, 3.0).argmin()) in rows
    with pytest.raises(DecisionError):
        shortlist(np.array([]), np.array([]), 1.0)
    with pytest.raises(DecisionError):
        shortlist(np.array([np.nan]), np.array([1.0]), 1.0)
