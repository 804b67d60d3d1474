from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.calibration import Platt
from suffice.decision.grid import GRID, normal_prior
from suffice.decision.skill import MAX_REPOS, add_arm, add_repo, difficulty_prior, fresh, mapped, predict, widen
from suffice.errors import DecisionError

ARMS = ("a", "b", "c")


def test_a_public_score_orders_the_arms_and_makes_them_surer() -> None:
    post = fresh(ARMS, ("bug-fix/python",), public=np.array([0.3, 0.7, np.nan]))
    out = predict(post, 0, difficulty_prior(post, 0))
    assert out.mean[0] < out.mean[1]
    assert out.sd[1] < out.sd[2]
    assert np.all(out.low < out.mean) and np.all((out.grid >= 0) & (out.grid <= 1))


def test_success_falls_with_difficulty() -> None:
    grid = predict(fresh(ARMS, ("x",)), 0, normal_prior(0, 1)).grid
    assert np.all(np.diff(grid, axis=1) < 0)


def test_names_twice_and_empty_sets_are_refused() -> None:
    for arms, cells in [((), ("x",)), (("a",), ()), (("a", "a"), ("x",))]:
        with pytest.raises(DecisionError):
            fresh(arms, cells)


def test_a_repository_never_seen_says_nothing_and_a_known_one_takes_its_share_of_the_spread() -> None:
    post = add_repo(fresh(ARMS, ("x",)), "known")
    assert add_repo(post, "known") is post
    known, unknown, none = (difficulty_prior(post, 0, r) for r in ("known", "never", ""))
    assert np.array_equal(unknown, none) and np.allclose(known, none)  # nothing was learned of it yet
    learned = replace(post, repo_effect=np.array([1.0]), repo_effect_var=np.array([0.05]))
    hard = difficulty_prior(learned, 0, "known")
    assert hard @ GRID == pytest.approx(1.0, abs=0.1) and hard.max() > none.max()


def test_a_cell_that_spreads_less_than_repositories_do_still_has_a_difficulty():
    post = add_repo(fresh(ARMS, ("x",)), "known")
    narrow = replace(post, spread=np.full(1, 0.1), cell_mean_var=np.full(1, 0.01), repo_effect_var=np.full(1, 0.02))
    weights = difficulty_prior(narrow, 0, "known")
    assert np.isfinite(weights).all() and weights.sum() == pytest.approx(1.0)


def test_of_too_many_repositories_the_one_of_which_least_was_learned_makes_room() -> None:
    post = fresh(ARMS, ("x",))
    for at in range(MAX_REPOS):
        post = add_repo(post, f"r{at}")
    variance = np.full(MAX_REPOS, 0.1)
    variance[7] = 0.2
    grown = add_repo(replace(post, repo_effect_var=variance), "new")
    assert len(grown.repos) == MAX_REPOS and "r7" not in grown.repos and grown.repos[-1] == "new"
    assert grown.repo_effect.shape == grown.repo_effect_var.shape == (MAX_REPOS,)


@given(st.floats(0.2, 3.0), st.floats(-2.0, 2.0))
def test_a_map_moves_means_to_where_it_says_and_keeps_the_order(slope: float, offset: float) -> None:
    post = fresh(ARMS, ("x",), public=np.array([0.3, 0.7, 0.5]))
    weights = difficulty_prior(post, 0)
    before = predict(post, 0, weights)
    after = mapped(before, weights, Platt(slope=slope, offset=offset))
    assert after.mean == pytest.approx(Platt(slope=slope, offset=offset).apply(before.mean), abs=1e-3)
    assert list(np.argsort(after.mean)) == list(np.argsort(before.mean))
    assert (after.low <= after.mean).all() and np.all(np.diff(after.grid, axis=1) < 0)
    assert mapped(before, weights, Platt()).grid == pytest.approx(before.grid)


def test_a_feature_vector_that_does_not_fit_is_ignored() -> None:
    post = fresh(ARMS, ("x",), features=2)
    plain = difficulty_prior(post, 0)
    assert np.array_equal(plain, difficulty_prior(post, 0, phi=np.array([1.0])))
    assert np.array_equal(plain, difficulty_prior(post, 0, phi=np.array([1.0, np.nan])))


def test_adding_and_widening_leave_the_old_snapshot_alone() -> None:
    post = fresh(ARMS, ("x",))
    grown = widen(add_arm(post, "d", ability=1.0, sd=0.4), "d")
    assert post.arms == ARMS and grown.arms == (*ARMS, "d")
    assert grown.ability_var[3] == pytest.approx(0.16 + 0.09)
    assert add_arm(grown, "d") is grown
    with pytest.raises(DecisionError, match="known: a, b, c"):
        widen(post, "nobody")
