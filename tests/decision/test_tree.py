import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.decision.plan import Problem, solve
from suffice.decision.tree import STOP, Shown, compile_tree, decide
from suffice.errors import DecisionError

SEEDS = st.integers(0, 2**32 - 1)


def world(seed: int, arms: int = 3, points: int = 4, tpr: float = 1.0) -> tuple[Problem, Shown]:
    """A plan problem and the tree that shows verdicts only (observation 0 reject, 1 accept)."""
    rng = np.random.default_rng(seed)
    p, f = rng.random((arms, points)), rng.random(arms)
    w = rng.random(points) + 0.01
    problem = Problem(
        p=p, cost=rng.random((arms, points)) * rng.choice([0.02, 0.5]), tpr=np.full(arms, tpr), fpr=f, weights=w / w.sum(),
        repair_usd=float(rng.choice([0.3, 3.0])), margin=0.0,
    )  # fmt: skip
    accept = tpr * p + f[:, None] * (1 - p)
    seen = np.stack([1 - accept, accept], axis=1)
    right = np.stack([(1 - tpr) * p, tpr * p], axis=1)
    return problem, Shown(seen=seen, right=right, cost=problem.cost, base=np.arange(arms))


def brute(shown: Shown, weights: np.ndarray, h: float, escape: float, human: bool, attempts: int = 3) -> float:
    """The same problem by plain recursion over histories."""

    def best(w: np.ndarray, rights: list[np.ndarray], tried: frozenset[int], left: int) -> float:
        mass = w.sum()
        wrong = escape * (mass - max((r.sum() for r in rights), default=0.0)) if rights else np.inf
        stop = h * (min(wrong, mass) if human else wrong) if rights else np.inf
        go = [
            float(w @ shown.cost[e])
            + sum(
                best(
                    w * shown.seen[e, o],
                    [*(r * shown.seen[e, o] for r in rights), w * shown.right[e, o]],
                    tried | {base},
                    left - 1,
                )
                for o in range(shown.seen.shape[1])
            )
            for e, base in enumerate(shown.base.tolist())
            if left and base not in tried
        ]
        return min([stop, *go])

    return best(weights, [], frozenset(), attempts)


@given(SEEDS, st.floats(0.5, 1.0), st.booleans())
@settings(max_examples=40, deadline=None)
def test_equals_brute_force(seed: int, tpr: float, human: bool) -> None:
    problem, shown = world(seed, tpr=tpr)
    escape = 1.5 if human else 1.0
    policy = decide(compile_tree(shown, problem.weights, escape=escape, human=human), np.array([problem.repair_usd]))
    assert policy.value[0] == pytest.approx(brute(shown, problem.weights, problem.repair_usd, escape, human))


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_knows_at_least_as_much_as_the_plan(seed: int) -> None:
    problem, shown = world(seed)
    value = decide(compile_tree(shown, problem.weights, escape=1.5, human=True), np.array([problem.repair_usd])).value[
        0
    ]
    # Both must attempt once here; the tree may also overrule a verdict, so it is never dearer than any first arm of the plan.
    assert value <= float(solve(problem).first.min()) + 1e-9


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_value_is_monotone_in_the_repair_cost(seed: int) -> None:
    problem, shown = world(seed)
    values = decide(compile_tree(shown, problem.weights, escape=1.5, human=True), np.geomspace(0.1, 30, 12)).value
    assert np.all(np.diff(values) >= -1e-12)


def test_an_arm_with_two_caps_is_attempted_once_and_a_large_repair_cost_goes_on() -> None:
    problem, shown = world(5, arms=2)
    twice = Shown(
        seen=np.repeat(shown.seen, 2, axis=0), right=np.repeat(shown.right, 2, axis=0), cost=np.repeat(shown.cost, 2, axis=0),
        base=np.array([0, 0, 1, 1]),
    )  # fmt: skip
    leaves = compile_tree(twice, problem.weights, escape=1.0, human=False)
    policy = decide(leaves, np.array([1e-6, 1e6]))
    bases = twice.base
    for level in range(2):
        first = policy.first[level]
        for o in range(2):
            second = policy.second[level, first * 2 + o]
            assert second == STOP or bases[second] != bases[first]
            after = ((first * 2 + o) * 4 + max(int(second), 0)) * 2 + np.arange(2)
            assert second == STOP or np.all(policy.third[level, after] == STOP)
    assert policy.second[1].max() > STOP


def test_two_attempts_stop_after_two_and_bad_input_is_refused() -> None:
    problem, shown = world(7)
    policy = decide(compile_tree(shown, problem.weights, escape=1.0, human=False, attempts=2), np.array([100.0]))
    assert np.all(policy.third == STOP)
    assert policy.value[0] == pytest.approx(brute(shown, problem.weights, 100.0, 1.0, False, attempts=2))
    with pytest.raises(DecisionError):
        compile_tree(shown, problem.weights[:2], escape=1.0, human=False)
    with pytest.raises(DecisionError):
        compile_tree(shown, problem.weights * np.nan, escape=1.0, human=False)
