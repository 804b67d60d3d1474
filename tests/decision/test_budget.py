import pytest

from suffice.decision.budget import LIMIT, Pacer, affordable, observe


def test_overspending_raises_the_price_and_thrift_lowers_it_to_zero() -> None:
    pacer = Pacer(target_usd_s=0.01)
    for t in range(1, 61):
        pacer = observe(pacer, 3.0, 60.0 * t)
    high = pacer.price
    assert 0 < high <= LIMIT
    for t in range(61, 400):
        pacer = observe(pacer, 0.0, 60.0 * t)
    assert pacer.price == 0.0


def test_bad_amounts_and_backward_clocks_leave_the_price() -> None:
    pacer = observe(observe(Pacer(target_usd_s=1.0), 0.0, 100.0), 500.0, 200.0)
    assert observe(pacer, float("nan"), 300.0) is pacer
    assert observe(pacer, -1.0, 300.0) is pacer
    assert observe(pacer, 1.0, 50.0).price == pacer.price


@pytest.mark.parametrize(("cost", "left", "fits"), [(1.0, 2.0, True), (3.0, 2.0, False), (float("nan"), 9.0, False)])
def test_the_hard_cap(cost: float, left: float, fits: bool) -> None:
    assert affordable(cost, left) is fits
