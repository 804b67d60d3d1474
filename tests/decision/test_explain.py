import json
from dataclasses import replace

import numpy as np
import pytest

from suffice.decision.explain import (
    contributions,
    flip_cold,
    flip_price,
    flip_repair,
    flip_success,
    record,
    replay,
)  # fmt: skip
from suffice.decision.plan import Problem, solve
from suffice.decision.skill import add_repo, fresh


def _problem() -> Problem:
    w = np.full(3, 1 / 3)
    p = np.array([[0.9, 0.6, 0.2], [0.95, 0.85, 0.6]])
    cost = np.array([[0.02, 0.03, 0.04], [0.8, 1.0, 1.4]])
    return Problem(p=p, cost=cost, tpr=np.full(2, 0.95), fpr=np.full(2, 0.1), weights=w, repair_usd=3.0)


def test_the_price_flip_is_exact() -> None:
    x = _problem()
    found = solve(x)
    assert found.sequence[0] == 0
    flip = flip_price(found, 1, float(x.cost[1] @ x.weights))
    assert flip is not None and flip_price(found, 0, 0.03) is None
    for shift, first in ((-1e-6, 1), (1e-6, 0)):
        cost = x.cost.copy()
        cost[1] += flip.value + shift - cost[1] @ x.weights
        changed = solve(replace(x, cost=cost))
        # the second arm's price also makes plans that end with it cheaper, so the flip is for its own first place
        assert changed.first[1] - found.value == pytest.approx(shift, abs=1e-9) or first == changed.sequence[0]


def test_the_repair_flip_is_where_the_choice_changes() -> None:
    x = _problem()
    flips = flip_repair(x)
    assert flips
    for flip in flips:
        head = solve(replace(x, repair_usd=flip.value)).sequence
        assert (head[0] if head else -1) == flip.arm != 0
    assert "a person" in flips[0].sentence(("a", "b"))


def test_success_and_cold_flips() -> None:
    x = _problem()
    flip = flip_success(x, solve(x), 1)
    assert flip is None or flip.value > float(x.p[1] @ x.weights)
    assert flip_cold(x, solve(x), x.cost) is None
    cold = x.cost.copy()
    cold[0] += 5.0
    flipped = flip_cold(x, solve(x), cold)
    assert flipped is not None and flipped.arm != 0


def test_contributions_are_exact_and_sorted() -> None:
    post = add_repo(fresh(("a",), ("x",), features=1), "r")
    post = replace(post, repo_effect=np.array([-0.7]), feature_weight=np.array([0.2]), cell_mean=np.array([0.1]))
    out = contributions(post, 0, "r", np.array([2.0]), ("files",))
    assert out == (("repository r", -0.7), ("files", 0.4), ("cell x", 0.1))


def test_a_record_replays_to_the_same_plan() -> None:
    x = _problem()
    again = replay(json.loads(json.dumps(record(x))))
    assert again.sequence == solve(x).sequence and again.value == solve(x).value
