"""Spends a paced budget evenly over its window: the faster the spend, the dearer a dollar counts in every plan.

Does: keep one dual price (`decision/budget.py`) per budget with `pace = true`, told of every turn's cost. Does not: refuse anything, hard
limits are the ledger's. Invariant: pressure is in [0, 1] and 0 for a budget that is not paced. Prices begin at 0 with the process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from suffice.config.schema import Settings
from suffice.decision.attempt_price import PRESSURE_WEIGHT
from suffice.decision.budget import Pacer, observe
from suffice.gateway.auth import Principal
from suffice.gateway.turn import Turn
from suffice.ledger.book import Ledger
from suffice.ledger.budgets import Period, window
from suffice.values.env import Env
from suffice.values.money import NANO_PER_USD


class Pacing:
    """The dual prices of one gateway. Not for several threads."""

    def __init__(self, env: Env, ledger: Ledger) -> None:
        self._env = env
        self._ledger = ledger
        self._pacers: dict[str, Pacer] = {}
        self._settings: Settings | None = None

    def money(self, principal: Principal, settings: Settings) -> tuple[float, float, int | None]:
        """Return (how near the budgets are to their limits, how far ahead of their pace, what is left in nano-dollars or None)."""
        if settings is not self._settings:
            self._adopt(settings)
        budgets = principal.budgets
        if not budgets:
            return 0.0, 0.0, None
        return self._ledger.pressure(budgets), self.pressure(budgets), self._ledger.remaining(budgets)

    def _adopt(self, settings: Settings) -> None:
        """Pace the budgets of `settings`; one that stays keeps its price. A budget without an end cannot be paced."""
        found = {}
        self._settings = settings
        for name, section in settings.budgets.items():
            start_s, end_s = window(Period(section.window), self._env.now())
            if section.pace and end_s > start_s:
                target = float(section.limit_usd) / (end_s - start_s)
                found[name] = replace(self._pacers.get(name, Pacer(target_usd_s=target)), target_usd_s=target)
        self._pacers = found

    def pressure(self, budgets: Iterable[str]) -> float:
        """Return how far the fastest of `budgets` is ahead of its pace: 0 in time, 1 where a dollar counts as five."""
        prices = [self._pacers[name].price for name in budgets if name in self._pacers]
        return min(1.0, max(prices, default=0.0) / PRESSURE_WEIGHT)

    def observe(self, turn: Turn) -> None:
        """Count what `turn` cost."""
        if not self._pacers:
            return
        for name in turn.principal.budgets:
            if name in self._pacers:
                after = observe(self._pacers[name], turn.cost_nano / NANO_PER_USD, self._env.monotonic())
                # Beyond the full pressure a price would only take longer to come down again.
                self._pacers[name] = replace(after, price=min(after.price, PRESSURE_WEIGHT))
