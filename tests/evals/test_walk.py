import numpy as np
import pytest

from suffice.decision.tree import compile_tree, decide
from suffice.evals.baselines import run_sequence
from suffice.evals.fit import fit
from suffice.evals.walk import Menu, Verifier, build, tasks_of, walk


def _data(n: int = 60):
    rng = np.random.default_rng(4)
    right = (rng.random((n, 3)) < np.array([0.5, 0.7, 0.9])).astype(float)
    return right, np.array([0.02, 0.3, 1.0]) * np.exp(rng.normal(0, 0.4, (n, 3)) + 0.4 * (1 - right))


WEAK = Verifier(name="weak", tpr=0.9, fpr=0.3, rho=0.5)


def test_what_attempts_show_is_a_probability_and_the_answer_is_part_of_it() -> None:
    right, cost = _data()
    model = fit(right, cost, (0.5, 0.8))
    shown, weights = build(model, Menu(base=np.array([0, 0, 2]), cap=np.array([3, 1, 2])), WEAK)
    assert weights.sum() == pytest.approx(1)
    assert np.allclose(shown.seen.sum(axis=1), 1, atol=1e-4)
    assert np.all(shown.right <= shown.seen + 1e-12)
    assert np.all(shown.cost[1] < shown.cost[0])  # a cap can only save


def test_a_stopped_run_is_wrong_costs_the_cap_and_is_never_accepted() -> None:
    right, cost = _data()
    model = fit(right, cost, (0.5,))
    menu = Menu(base=np.array([2, 2]), cap=np.array([2, 1]))
    rows = tasks_of(model, menu, right, cost)
    assert np.array_equal(rows.cost[:, 0], cost[:, 2]) and not rows.stopped[:, 0].any()
    stopped = rows.stopped[:, 1]
    assert 0.4 < stopped.mean() < 0.6 and not rows.right[stopped, 1].any()
    assert rows.cost[stopped, 1].max() <= 1.05 * model.edges[2, 0] + 0.05 * cost[:, 2].mean()
    always = Verifier(name="yes", tpr=1.0, fpr=1.0)
    leaves, policy = _policies(model, Menu(base=np.array([2]), cap=np.array([1])), always)
    done = walk(
        leaves, policy, tasks_of(model, Menu(base=np.array([2]), cap=np.array([1])), right, cost), always, escape=1.0
    )
    assert np.array_equal(done.right[0] > 0.5, rows.right[:, 1] > 0.5)


def _policies(model, menu, verifier, h: float = 50.0):
    shown, weights = build(model, menu, verifier)
    leaves = compile_tree(shown, weights, escape=1.0, human=False)
    return leaves, decide(leaves, np.array([h]))


@pytest.mark.parametrize("verifier", [WEAK, Verifier(name="p", tpr=1.0, fpr=0.0, spend=False)])
def test_a_walk_with_one_arm_is_that_arm_and_a_perfect_check_gives_the_fixed_cascade(verifier: Verifier) -> None:
    right, cost = _data()
    model = fit(right, cost, ())
    single = Menu(base=np.array([1]), cap=np.array([1]))
    leaves, policy = _policies(model, single, verifier)
    done = walk(leaves, policy, tasks_of(model, single, right, cost), verifier, escape=1.0)
    assert np.allclose(done.cost[0], cost[:, 1]) and np.allclose(done.right[0], right[:, 1])
    if verifier.name == "p":
        menu = Menu(base=np.arange(3), cap=np.ones(3, dtype=int))
        leaves, policy = _policies(model, menu, verifier, h=1e4)
        done = walk(leaves, policy, tasks_of(model, menu, right, cost), verifier, escape=1.0)
        first = int(policy.first[0])
        second = int(policy.second[0, first * 2])
        chain = [first, second, 3 - first - second]
        fixed = run_sequence(chain, right, cost, verifier, 1.0, hand_over=False)
        assert np.allclose(done.cost[0], fixed.cost) and np.allclose(done.right[0], fixed.right)
