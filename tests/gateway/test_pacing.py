from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from suffice.config.schema import Settings
from suffice.config.sections import BudgetSettings
from suffice.gateway.auth import Principal
from suffice.gateway.pacing import Pacing


class Clock:
    """An hour of a day in January 2026, moved by hand."""

    def __init__(self) -> None:
        self.s = 1000.0

    def now(self) -> float:
        return 1_768_000_000.0 + self.s

    def monotonic(self) -> float:
        return self.s


def made(**budgets: BudgetSettings) -> tuple[Pacing, Clock, Settings]:
    clock = Clock()
    ledger: Any = SimpleNamespace(pressure=lambda names: 0.0, remaining=lambda names: 77)
    return Pacing(clock, ledger), clock, Settings(budgets=budgets)  # type: ignore[arg-type]


def spend(pacing: Pacing, clock: Clock, usd: float, times: int = 30) -> None:
    turn: Any = SimpleNamespace(principal=WHO, cost_nano=round(usd * 1e9))
    for _ in range(times):
        clock.s += 60.0
        pacing.observe(turn)


DAY = BudgetSettings(limit_usd=Decimal("86.4"), window="day", pace=True)  # a tenth of a cent per second
WHO = Principal(key_id="k", budgets=("day",))


def test_spending_ahead_of_the_pace_raises_the_pressure_and_resting_lowers_it() -> None:
    pacing, clock, settings = made(day=DAY)
    assert pacing.money(WHO, settings) == (0.0, 0.0, 77)
    spend(pacing, clock, 0.6)  # ten times too fast
    _, fast, _ = pacing.money(WHO, settings)
    assert 0.2 < fast <= 1.0
    spend(pacing, clock, 0.0, 120)
    assert pacing.money(WHO, settings)[1] < fast


def test_in_time_unpaced_and_endless_budgets_have_no_pressure() -> None:
    for section in (
        DAY,
        BudgetSettings(limit_usd=Decimal("0.1")),
        BudgetSettings(limit_usd=Decimal(1), window="total", pace=True),
    ):
        pacing, clock, settings = made(day=section)
        pacing.money(WHO, settings)
        spend(pacing, clock, 0.03 if section is DAY else 5.0)
        assert pacing.money(WHO, settings)[1] == 0.0


def test_a_reload_keeps_the_price_of_a_budget_that_stays() -> None:
    pacing, clock, settings = made(day=DAY)
    pacing.money(WHO, settings)
    spend(pacing, clock, 0.6)
    before = pacing.money(WHO, settings)[1]
    assert pacing.money(WHO, Settings(budgets={"day": DAY}))[1] == before > 0.0
    assert pacing.money(WHO, Settings())[1] == 0.0
    assert pacing.money(Principal(key_id="k"), settings) == (0.0, 0.0, None)
