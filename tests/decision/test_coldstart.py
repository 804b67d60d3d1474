import numpy as np
import pytest

from suffice.decision.coldstart import choose_tasks, fit_ability, inherit, public_prior
from suffice.decision.grid import sigmoid
from suffice.decision.skill import fresh
from suffice.errors import DecisionError


def test_more_scores_make_a_surer_prior() -> None:
    sds = [public_prior(np.array(s))[1] for s in ([], [0.6], [0.6, 0.7, np.nan], [0.0, 1.0])]
    assert sds == [1.5, 0.8, 0.4, 1.5]
    assert public_prior(np.array([0.8]))[0] > public_prior(np.array([0.4]))[0]


def test_an_heir_starts_a_little_better_and_less_sure() -> None:
    post = inherit(fresh(("old",), ("x",), public=np.array([0.7])), "new", "old")
    assert post.ability[1] == pytest.approx(post.ability[0] + 0.1)
    assert post.ability_var[1] > post.ability_var[0]
    with pytest.raises(DecisionError):
        inherit(post, "x", "nobody")


def test_chosen_tasks_are_near_the_ability_and_teach_more_than_random_ones() -> None:
    rng = np.random.default_rng(2)
    difficulty = rng.normal(0, 2.5, 300)
    chosen = choose_tasks(0.0, 1.5, 1.0, difficulty, 30)
    assert len(set(chosen.tolist())) == 30
    error = {"chosen": [], "random": []}
    for _ in range(150):
        b = rng.normal(0, 1.5)
        y = (rng.random(300) < sigmoid(b - difficulty)).astype(float)
        for name, rows in (("chosen", chosen), ("random", rng.choice(300, 30, replace=False))):
            error[name].append(fit_ability(y[rows], difficulty[rows], prior=0.0, sd=1.5)[0] - b)
    assert np.std(error["chosen"]) < np.std(error["random"])


def test_bad_input_is_refused() -> None:
    with pytest.raises(DecisionError):
        choose_tasks(0.0, 1.0, 1.0, np.array([]), 3)
    with pytest.raises(DecisionError):
        choose_tasks(0.0, 0.0, 1.0, np.zeros(3), 3)
    with pytest.raises(DecisionError):
        fit_ability(np.zeros(2), np.zeros(3), prior=0.0, sd=1.0)
