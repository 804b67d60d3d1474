import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.outlook import outlook
from suffice.decision.plan import Problem, solve, solve_flat
from suffice.errors import DecisionError

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(1, 3), st.integers(1, 6), st.booleans(), st.booleans())
def test_prices_that_do_not_depend_on_difficulty_give_the_plan_of_the_general_solver(
    seed: int, attempts: int, k: int, gated: bool, retried: bool
) -> None:
    rng = np.random.default_rng(seed)
    p, w, cost = rng.random((k, 7)), rng.random(7) + 1e-3, rng.random(k) * rng.choice([0.01, 1.0])
    w /= w.sum()
    tpr, fpr = (rng.random(k), rng.random(k)) if gated else (np.ones(k), np.ones(k))
    factor, repair = (1.5 if gated else 1.0), float(rng.choice([0.1, 1.0, 10.0]))
    again = rng.random((k, 7)) if retried and gated else None
    price = cost * rng.random() if retried and gated else None
    general = solve(
        Problem(
            p=p, cost=np.repeat(cost[:, None], 7, axis=1), tpr=tpr, fpr=fpr, weights=w, repair_usd=repair,
            escape_factor=factor, attempts=attempts, margin=0.02,
            again=again, again_cost=None if price is None else np.repeat(price[:, None], 7, axis=1),
        )
    )  # fmt: skip
    known = outlook(p, tpr, fpr, w, attempts=attempts, escape_factor=factor, again=again)
    flat = solve_flat(known, cost, repair_usd=repair, escape_factor=factor, margin=0.02, again_cost=price)
    assert flat.first == pytest.approx(general.first)
    assert flat.sequence == general.sequence
    assert flat.reach == pytest.approx(general.reach)
    assert (flat.p_accept, flat.p_escape) == pytest.approx((general.p_accept, general.p_escape))


@given(SEEDS, st.integers(1, 3), st.integers(1, 6), st.booleans())
def test_lengths_that_grow_with_difficulty_give_the_plan_of_the_general_solver(
    seed: int, attempts: int, k: int, retried: bool
) -> None:
    rng = np.random.default_rng(seed)
    p, w, cost, share = rng.random((k, 7)), rng.random(7) + 1e-3, rng.random(k), rng.random(k)
    w /= w.sum()
    growth = rng.random((k, 7)) * 3.0
    growth /= (growth @ w)[:, None]
    tpr, fpr = rng.random(k), rng.random(k)
    again = rng.random((k, 7)) if retried else None
    price = cost * rng.random() if retried else None
    general = solve(
        Problem(
            p=p, cost=cost[:, None] * (1.0 + share[:, None] * (growth - 1.0)), tpr=tpr, fpr=fpr, weights=w, repair_usd=2.0,
            attempts=attempts, again=again, again_cost=None if price is None else np.repeat(price[:, None], 7, axis=1),
        )
    )  # fmt: skip
    known = outlook(p, tpr, fpr, w, attempts=attempts, escape_factor=1.5, again=again, growth=growth)
    flat = solve_flat(
        known, cost, repair_usd=2.0, escape_factor=1.5, margin=0.05, again_cost=price, growing=(cost * share).tolist()
    )
    assert flat.first == pytest.approx(general.first)
    assert flat.sequence == general.sequence


def test_a_length_that_is_no_number_is_refused() -> None:
    p, w = np.full((2, 3), 0.5), np.ones(3) / 3
    for bad in (np.full((2, 3), np.nan), np.full((2, 3), -1.0), np.ones((2, 2))):
        with pytest.raises(DecisionError):
            outlook(p, np.ones(2), np.ones(2), w, attempts=2, escape_factor=1.5, growth=bad)
    known = outlook(p, np.ones(2), np.zeros(2), w, attempts=2, escape_factor=1.5, growth=np.ones((2, 3)))
    with pytest.raises(DecisionError):
        solve_flat(known, [1.0, 1.0], repair_usd=1.0, escape_factor=1.5, margin=0.0, growing=[np.nan, 0.0])


def test_reaching_further_is_never_more_likely() -> None:
    rng = np.random.default_rng(1)
    w = np.full(5, 0.2)
    known = outlook(rng.random((3, 5)), rng.random(3), rng.random(3), w, attempts=3, escape_factor=1.5)
    assert (known.reach3 <= known.reach2[:, None] + 1e-12).all()
    assert (known.left <= known.reach3[:, :, None] + 1e-12).all()


@pytest.mark.parametrize(
    ("p", "weights"),
    [(np.zeros((0, 3)), np.ones(3) / 3), (np.full((2, 3), 1.5), np.ones(3) / 3), (np.full((2, 3), np.nan), np.ones(3) / 3),
     (np.ones((2, 3)), np.ones(4) / 4)],
)  # fmt: skip
def test_what_is_no_probability_is_refused(p: np.ndarray, weights: np.ndarray) -> None:
    with pytest.raises(DecisionError):
        outlook(p, np.ones(len(p)), np.ones(len(p)), weights, attempts=2, escape_factor=1.5)


@pytest.mark.parametrize("cost", [np.array([np.nan, 1.0]), np.array([-1.0, 1.0])])
def test_what_is_no_price_is_refused(cost: np.ndarray) -> None:
    known = outlook(np.full((2, 3), 0.5), np.ones(2), np.ones(2), np.ones(3) / 3, attempts=1, escape_factor=1.0)
    with pytest.raises(DecisionError):
        solve_flat(known, cost, repair_usd=1.0, escape_factor=1.0, margin=0.0)
