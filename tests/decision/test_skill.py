import numpy as np
import pytest

from suffice.decision.grid import normal_prior
from suffice.decision.skill import add_arm, add_repo, difficulty_prior, fresh, predict, widen
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


def test_an_unknown_repository_counts_as_an_average_one_with_more_spread() -> None:
    post = add_repo(fresh(ARMS, ("x",)), "known")
    assert add_repo(post, "known") is post
    known, unknown, none = (difficulty_prior(post, 0, r) for r in ("known", "never", ""))
    assert np.allclose(known, unknown)
    assert none.max() > unknown.max()


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
