import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.decision.coldstart import choose_tasks, fit_ability, inherit, public_prior, rate_sd
from suffice.decision.grid import normal_prior, sigmoid
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


def difficulties(rng: np.random.Generator, n: int, sd: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """True difficulties [n], and what is known of them [n, 33]."""
    hard = rng.normal(0, 2.0, n)
    return hard, np.array([normal_prior(h, sd) for h in hard])


def test_what_was_promised_of_the_chosen_tasks_holds_and_they_do_no_worse_than_chance() -> None:
    rng = np.random.default_rng(2)
    hard, weights = difficulties(rng, 300)
    trial = choose_tasks(0.0, 1.5, 1.0, weights, 20)
    assert len(set(trial.rows)) == 20 and 0 < trial.sd_after < 0.5 * trial.sd
    error: dict[str, list[float]] = {"chosen": [], "random": []}
    for _ in range(200):
        b = rng.normal(0, 1.5)
        y = (rng.random(300) < sigmoid(b - hard)).astype(float)
        for name, rows in (("chosen", list(trial.rows)), ("random", rng.choice(300, 20, replace=False))):
            error[name].append(fit_ability(y[rows], weights[rows], prior=0.0, sd=1.5)[0] - b)
    assert np.std(error["chosen"]) < 1.02 * np.std(error["random"])
    assert np.std(error["chosen"]) == pytest.approx(trial.sd_after, abs=0.12)


def test_tasks_are_spread_over_difficulties_and_of_equals_the_surest_is_tried() -> None:
    hard, weights = difficulties(np.random.default_rng(3), 200)
    rows = list(choose_tasks(0.0, 1.0, 1.0, weights, 10).rows)
    edges = np.quantile(hard, np.linspace(0, 1, 6))
    assert all(np.histogram(hard[rows], edges)[0] >= 1)
    unsure = np.array([normal_prior(0.0, sd) for sd in (3.0, 0.1, 1.0)])
    assert choose_tasks(0.0, 1.0, 1.0, unsure, 1).rows == (1,)
    assert choose_tasks(0.0, 1.0, 1.0, unsure, 9).rows == (1, 2, 0)  # the most telling first, no more than there are


@given(st.floats(-3, 3), st.floats(0.2, 1.5), st.lists(st.booleans(), max_size=30), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_trying_never_makes_a_belief_wider_and_a_success_never_lowers_it(
    b: float, sd: float, y: list[bool], seed: int
) -> None:
    _, weights = difficulties(np.random.default_rng(seed), len(y) + 1)
    mean, after = fit_ability(np.array(y, dtype=float), weights[:-1], prior=b, sd=sd)
    better, _ = fit_ability(np.array([*y, True], dtype=float), weights, prior=b, sd=sd)
    worse, _ = fit_ability(np.array([*y, False], dtype=float), weights, prior=b, sd=sd)
    assert after <= sd and worse <= mean <= better
    prior = normal_prior(0.0, 1.8)
    assert rate_sd(b, after, 1.0, prior) <= rate_sd(b, sd, 1.0, prior) + 1e-9


def test_bad_input_is_refused() -> None:
    one = normal_prior(0.0, 1.0)[None]
    for weights, sd in ((one[:0], 1.0), (one, 0.0), (one * np.nan, 1.0), (one[0], 1.0)):
        with pytest.raises(DecisionError):
            choose_tasks(0.0, sd, 1.0, weights, 3)
    for outcomes, sd in ((np.zeros(2), 1.0), (np.zeros(1), 0.0)):
        with pytest.raises(DecisionError):
            fit_ability(outcomes, one, prior=0.0, sd=sd)
