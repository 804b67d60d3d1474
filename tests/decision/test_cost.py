from dataclasses import replace

import numpy as np
import pytest

from suffice.decision.cost import (
    AttemptInputs,
    attempt,
    fresh,
    learn,
    remaining_turns,
    split,
    switch_cost,
    warm_probability,
)  # fmt: skip
from suffice.decision.grid import normal_prior
from suffice.errors import DecisionError

W = normal_prior(0, 1)
ROWS = np.array([0, 1])


def inputs(**change: object) -> AttemptInputs:
    base = AttemptInputs(
        prices=np.array([[1e-6, 1e-7, 0.0, 4e-6], [5e-6, 5e-7, 6.25e-6, 25e-6]]), prompt_tokens=10_000.0,
        cached_tokens=np.array([0.0, 8_000.0]), warm=np.array([1.0, 1.0]), discount=np.ones(2), verify_usd=np.zeros(2),
        late_s=np.zeros(2), switch_usd=np.zeros(2),
    )  # fmt: skip
    return replace(base, **change)


def test_every_token_is_priced_in_one_bucket() -> None:
    out = attempt(fresh(("a", "b"), 1), 0, inputs(max_output_tokens=1.0), W, ROWS)
    per_step = out.parts / (out.parts[:, 3:4] / np.array([[4e-6], [25e-6]]))
    assert per_step[0, 0] == pytest.approx(10_000 * 1e-6) and per_step[0, 1] == per_step[0, 2] == 0
    assert per_step[1, 0] == 0
    assert per_step[1, 1] == pytest.approx(8_000 * 5e-7) and per_step[1, 2] == pytest.approx(2_000 * 6.25e-6)
    assert np.allclose(out.grid @ W, out.parts.sum(axis=1))


def test_a_cold_cache_a_harder_task_and_pressure_cost_more() -> None:
    post = fresh(("a", "b"), 1)
    warm = attempt(post, 0, inputs(), W, ROWS).parts.sum(axis=1)
    assert attempt(post, 0, inputs(warm=np.zeros(2)), W, ROWS).parts.sum(axis=1)[1] > warm[1]
    assert np.all(np.diff(attempt(post, 0, inputs(), W, ROWS).grid, axis=1) > 0)
    assert np.all(attempt(post, 0, inputs(pressure=1.0), W, ROWS).parts.sum(axis=1) > 1.9 * warm)


def test_an_unknown_price_is_never_zero() -> None:
    for bad in (np.nan, -1e-6):
        prices = inputs().prices.copy()
        prices[0, 0] = bad
        with pytest.raises(DecisionError, match="unknown"):
            attempt(fresh(("a", "b"), 1), 0, inputs(prices=prices), W, ROWS)


def test_output_length_and_the_bill_are_learned_and_broken_counts_are_not() -> None:
    post = fresh(("a", "b"), 1)
    for _ in range(80):
        post = learn(post, arm="a", cell=0, output_tokens=5_000, steps=20, billed_over_computed=1.3)
    assert np.exp(post.tokens[0, 0]) == pytest.approx(5_000, rel=0.2)
    assert np.exp(post.steps[0, 0]) == pytest.approx(20, rel=0.3)
    assert post.bill_factor[0] == pytest.approx(1.3, abs=0.03)
    for bad in (0.0, -3.0, float("nan")):
        assert learn(post, arm="a", cell=0, output_tokens=bad, steps=1) is post
    assert learn(post, arm="zz", cell=0, output_tokens=9, steps=1) is post


def test_switching_pays_only_where_the_remaining_turns_are_cheaper() -> None:
    warm = np.array([0.002, 0.048])
    down = switch_cost(
        remaining_turns=8, warm_usd=warm, pinned=1, write_usd_per_token=6e-6, read_usd_per_token=5e-7,
        prefix_tokens=50_000, return_probability=0.1,
    )  # fmt: skip
    assert down[1] == 0 and down[0] < 0
    stay = switch_cost(
        remaining_turns=0, warm_usd=warm, pinned=1, write_usd_per_token=6e-6, read_usd_per_token=5e-7,
        prefix_tokens=50_000, return_probability=1.0,
    )  # fmt: skip
    assert stay[0] == pytest.approx(0.275)
    assert remaining_turns(3) > 1


def test_warmth_fades_and_clocks_may_jump() -> None:
    assert warm_probability(0, 300) == 1.0 and warm_probability(10_000, 300) == 0.0
    assert 0 < warm_probability(300, 300) < 1
    assert warm_probability(-50, 300) == 1.0
    assert warm_probability(float("nan"), 300) == warm_probability(1, 0) == 0.0


def test_the_split_is_in_nano_dollars() -> None:
    out = split(np.array([1e-9, 0, 0, 0.5, 0, 0, -0.25]))
    assert (out.fresh, out.output, out.switch, out.total) == (1, 500_000_000, -250_000_000, 250_000_001)
