import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.explore import draw, first_arm, propensities, safe_set, uniform
from suffice.decision.verdict_free import Scored
from suffice.errors import DecisionError
from suffice.values.plan import Arm, CostSplit


@given(st.lists(st.floats(0, 100), min_size=1, max_size=16), st.integers(0, 2**16 - 1), st.floats(0.01, 50))
def test_propensities_are_a_distribution_on_the_safe_set(q: list[float], mask: int, h: float) -> None:
    values = np.array(q)
    allowed = np.array([bool(mask >> i & 1) for i in range(len(q))])
    safe = safe_set(values, np.full(len(q), 0.9), 0.5, allowed)
    assert not (safe & ~allowed).any()
    if not safe.any():
        with pytest.raises(DecisionError):
            propensities(values, safe, h)
        return
    pi = propensities(values, safe, h)
    assert pi.sum() == pytest.approx(1) and pi.min() >= 0 and not pi[~safe].any()
    assert pi[values == values[safe].min()].max() == pi.max()
    assert propensities(values, safe, h, restricted=True).max() == 1.0


def test_floors_and_nan_keep_arms_out() -> None:
    safe = safe_set(
        np.array([1.0, 1.0, np.nan, 9.0]), np.array([0.9, 0.1, 0.9, 0.9]), 0.5, np.ones(4, dtype=bool)
    )  # fmt: skip
    assert safe.tolist() == [True, False, False, False]


def test_the_draw_follows_the_propensities_and_stays_within_a_session() -> None:
    pi = np.array([0.7, 0.0, 0.3])
    draws = [draw(pi, uniform(f"s{i}", "v1")) for i in range(4000)]
    assert 1 not in draws and abs(draws.count(2) / 4000 - 0.3) < 0.03
    assert uniform("s", "v1") == uniform("s", "v1") != uniform("s", "v2")
    assert draw(pi, 1.0) == 2 and draw(np.array([1.0, 0.0]), 1.0) == 0


def scored(totals: list[float], priced: list[bool] | None = None) -> list[Scored]:
    return [
        Scored(
            arm=Arm(model=f"p/m{i}", endpoint="e"), p=0.8, p_low=0.5, cost=CostSplit(), total=t * 1e9, source="t", latency_s=0,
            priced=priced[i] if priced else True,
        )
        for i, t in enumerate(totals)
    ]  # fmt: skip


@given(
    st.lists(st.floats(0.001, 100), min_size=1, max_size=12), st.integers(0, 4095), st.floats(0, 0.2),
    st.floats(0.01, 50), st.text(min_size=1, max_size=8),
)  # fmt: skip
def test_the_first_arm_is_drawn_from_the_propensities_that_are_returned(
    totals: list[float], mask: int, share: float, h: float, session: str
) -> None:
    arms = scored(totals, [bool(mask >> i & 1) for i in range(len(totals))])
    best = min(arms, key=lambda s: s.total)
    found = first_arm(arms, best, share=share, session=session, salt="v1", floor=0.2, repair_usd=h)
    assert sum(found.propensity.values()) == pytest.approx(1)
    assert found.chance > 0
    assert found.propensity[best.arm] >= 1 - share - 1e-9
    by_arm = {s.arm: s for s in arms}
    for arm in found.propensity:
        assert arm == best.arm or (by_arm[arm].priced and by_arm[arm].total <= 1.25 * best.total + 1)
    again = first_arm(arms, best, share=share, session=session, salt="v1", floor=0.2, repair_usd=h)
    assert again == found


@pytest.mark.parametrize(
    "off", [{"share": 0.0}, {"share": float("nan")}, {"session": ""}, {"repair_usd": 0.0}, {"floor": 0.9}]
)
def test_nothing_is_drawn_when_it_is_off(off: dict[str, object]) -> None:
    arms = scored([1.0, 1.01])
    how = {"share": 0.2, "session": "s", "floor": 0.0, "repair_usd": 3.0, **off}
    found = first_arm(arms, arms[0], salt="v1", **how)  # type: ignore[arg-type]
    assert (found.first, found.propensity) == (arms[0], {arms[0].arm: 1.0})


def test_the_draws_of_many_sessions_come_out_as_announced() -> None:
    arms = scored([1.0, 1.01, 1.02])
    how = {"share": 0.2, "salt": "v1", "floor": 0.0, "repair_usd": 3.0}
    draws = [first_arm(arms, arms[0], session=f"s{i}", **how) for i in range(5000)]  # type: ignore[arg-type]
    for one in arms:
        share = sum(d.first is one for d in draws) / len(draws)
        assert share == pytest.approx(draws[0].propensity[one.arm], abs=0.02)
    assert sum(d.first is not arms[0] for d in draws) > 100
