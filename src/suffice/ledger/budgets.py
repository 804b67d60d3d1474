"""Budgets in memory: windows, leases, and the one check between a request and somebody's money.

Must not touch the store or the clock: money comes in as grants, time as an argument. Not thread-safe: the event loop owns it.
Invariant, for every hard budget and window: consumed + reserved <= granted, and the store keeps
spent + leased <= limit; so spending never passes a limit except by charges above their own reservation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from suffice.errors import BudgetError, LedgerError
from suffice.storage.tables import BudgetRow, LeaseReply
from suffice.values.money import NanoUsd, format_usd

PPM = 1_000_000


class Period(StrEnum):
    """After how long a budget starts anew, on the UTC calendar."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit in nano-dollars per period. Past `soft` of it plans get cheaper; a `hard` one is never passed."""

    id: str
    limit: NanoUsd
    period: Period = Period.MONTH
    soft: float = 0.8
    hard: bool = True

    def row(self) -> BudgetRow:
        """Return it as stored. Raises ValueError when a field is out of range."""
        if not self.id or self.limit < 0 or not 0 <= self.soft <= 1:
            raise ValueError(f"budget {self.id!r}: needs an id, a limit of at least 0 and soft between 0 and 1")
        return BudgetRow(self.id, self.period.value, self.limit, round(self.soft * PPM), int(self.hard))

    @staticmethod
    def of(row: BudgetRow) -> Budget:
        """Return the budget of a stored row."""
        return Budget(
            id=row.id,
            limit=NanoUsd(row.limit_nano),
            period=Period(row.period),
            soft=row.soft_ppm / PPM,
            hard=bool(row.hard),
        )


def window(period: Period, at_s: float) -> tuple[int, int]:
    """Return (start, end) in epoch seconds of the window that holds `at_s`; a total budget has (0, 0).

    Windows follow the UTC calendar (a week starts on Monday), so daylight saving does not concern them. A clock that
    steps back returns to the earlier window and what was spent in it: no window is ever spent twice.
    """
    if period is Period.TOTAL:
        return 0, 0
    day = datetime.fromtimestamp(at_s, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.DAY:
        start, end = day, day + timedelta(days=1)
    elif period is Period.WEEK:
        start = day - timedelta(days=day.weekday())
        end = start + timedelta(days=7)
    else:
        start = day.replace(day=1)
        end = (start + timedelta(days=32)).replace(day=1)
    return int(start.timestamp()), int(end.timestamp())


class LeaseWantedError(LedgerError):
    """The slice at hand is too small; `Ledger.admit` fetches more and tries again. Nothing was reserved."""

    retryable = True

    def __init__(self, slot: Slot, need: int) -> None:
        super().__init__(f"budget {slot.budget.id} needs a new slice", code="lease_wanted", retry_after_s=0.05)
        self.slot = slot
        self.need = need


@dataclass(slots=True, kw_only=True, eq=False)
class Slot:
    """One window of one budget as this process sees it. All amounts in nano-dollars.

    `granted` is what the store has leased to us in this window over time less what we gave back, `others` what is spent or
    leased beyond that (as of the last reply). `asking` while a request for more is under way,
    `dry` when the last one got nothing.
    """

    budget: Budget
    start_s: int
    end_s: int
    granted: int = 0
    consumed: int = 0
    reserved: int = 0
    others: int = 0
    open: int = 0
    asking: bool = False
    dry: bool = False

    @property
    def available(self) -> int:
        """What can be reserved without asking the store; negative after a charge above its reservation."""
        return self.granted - self.consumed - self.reserved

    @property
    def used(self) -> int:
        """Best knowledge of what is spent or reserved by everybody."""
        return self.others + self.consumed + self.reserved

    def replied(self, reply: LeaseReply) -> None:
        """Take in the store's answer to a lease request."""
        self.granted += reply.granted_nano
        self.dry = not reply.granted_nano
        self.others = reply.spent_nano + reply.leased_nano - self.granted

    def refusal(self, need: int) -> BudgetError:
        """Return the 402 that tells everything the caller may want to know."""
        when = (
            f"it resets at {datetime.fromtimestamp(self.end_s, UTC):%Y-%m-%d %H:%M} UTC"
            if self.end_s
            else "it does not reset"
        )
        left = max(0, self.budget.limit - self.used)
        error = BudgetError(
            f"budget {self.budget.id} would be exceeded: limit {format_usd(self.budget.limit)} per {self.budget.period.value}, "
            f"spent or reserved {format_usd(NanoUsd(self.used))}, left {format_usd(NanoUsd(left))}, "
            f"this request may cost {format_usd(NanoUsd(need))}; {when}",
            hint="lower max_tokens, choose a cheaper model, or ask the owner of the budget to raise it",
        )
        error.budget = self.budget.id
        return error


@dataclass(slots=True)
class Purse:
    """All budgets of this process."""

    _budgets: dict[str, Budget] = field(default_factory=dict)
    _slots: dict[tuple[str, int], Slot] = field(default_factory=dict)
    _current: dict[str, Slot] = field(default_factory=dict)

    def define(self, budgets: Iterable[Budget]) -> list[Slot]:
        """Replace the definitions; return the slots whose limit fell or whose budget went, with money to give back."""
        new = {budget.id: budget for budget in budgets}
        tight = []
        for slot in self._slots.values():
            known = new.get(slot.budget.id)
            if known is None or known.limit < slot.budget.limit or known.period is not slot.budget.period:
                tight.append(slot)
            if known is not None:
                slot.budget = known
        self._budgets = new
        self._current = {}
        return tight

    def budgets(self) -> tuple[Budget, ...]:
        """Return the definitions in force."""
        return tuple(self._budgets.values())

    def slot(self, budget_id: str, now_s: float) -> Slot:
        """Return the slot of the window that holds `now_s`. Raises LedgerError when there is no such budget."""
        slot = self._current.get(budget_id)
        if slot is not None and (not slot.end_s or slot.start_s <= now_s < slot.end_s):
            return slot
        budget = self._budgets.get(budget_id)
        if budget is None:
            raise LedgerError(
                f"budget {budget_id} is not defined, so nothing can be charged to it",
                code="budget_unknown",
                hint=f"define [budgets.{budget_id}] or take it off the key",
            )
        start, end = window(budget.period, now_s)
        slot = self._slots.get((budget_id, start))
        if slot is None:
            slot = self._slots[(budget_id, start)] = Slot(budget=budget, start_s=start, end_s=end)
        self._current[budget_id] = slot
        return slot

    def hold(self, budget_ids: Iterable[str], amount: int, now_s: float) -> tuple[Slot, ...]:
        """Reserve `amount` in all budgets, or in none.

        Raises LeaseWantedError when a slice is too small, LedgerError for a budget that is not defined.
        """
        slots = tuple([self.slot(budget_id, now_s) for budget_id in budget_ids])
        for slot in slots:
            if slot.budget.hard and slot.granted - slot.consumed - slot.reserved < amount:
                raise LeaseWantedError(slot, amount - slot.available)
        for slot in slots:
            slot.reserved += amount
            slot.open += 1
        return slots

    @staticmethod
    def end(slots: Iterable[Slot], amount: int, charge: int) -> None:
        """End a reservation of `amount` with a charge (0 when released)."""
        for slot in slots:
            slot.reserved -= amount
            slot.consumed += charge
            slot.open -= 1

    def pressure(self, budget_ids: Iterable[str], now_s: float) -> float:
        """Return how near the tightest budget is to its limit: 0 below its soft threshold, 1 at the limit."""
        worst = 0.0
        for budget_id in budget_ids:
            slot = self.slot(budget_id, now_s)
            limit = slot.budget.limit
            soft = limit * slot.budget.soft
            if slot.used >= limit:
                return 1.0
            if slot.used > soft:
                worst = max(worst, (slot.used - soft) / (limit - soft))
        return worst

    def remaining(self, budget_ids: Iterable[str], now_s: float) -> int | None:
        """Return what the tightest hard budget still pays for, in nano-dollars; None without a hard one."""
        slots = [self.slot(budget_id, now_s) for budget_id in budget_ids]
        return min((max(0, s.budget.limit - s.used) for s in slots if s.budget.hard), default=None)

    def known(self, used: Mapping[tuple[str, int], int], now_s: float) -> None:
        """Take in what is spent or leased (by budget and window start) for the current windows."""
        for budget_id in self._budgets:
            slot = self.slot(budget_id, now_s)
            if slot.budget.hard:
                slot.others = used.get((budget_id, slot.start_s), 0) - slot.granted
            elif not slot.consumed:
                slot.others = used.get((budget_id, slot.start_s), 0)

    def moved(self, holds: Iterable[tuple[str, int, bool]], delta: int) -> None:
        """Take in an adjustment."""
        for budget_id, start_s, _ in holds:
            slot = self._slots.get((budget_id, start_s))
            if slot is not None:
                slot.others += delta

    def moisten(self) -> None:
        """Let budgets that had run dry be asked for again."""
        for slot in self._current.values():
            slot.dry = False

    def idle(self, now_s: float) -> list[Slot]:
        """Return slots of other windows than the current ones that still hold a lease, and forget those without use."""
        out = []
        for key, slot in list(self._slots.items()):
            if slot.end_s and not slot.start_s <= now_s < slot.end_s:
                if slot.available > 0 and not slot.asking:
                    out.append(slot)
                elif not slot.open and slot.available == 0 and not slot.asking:
                    del self._slots[key]
                    if self._current.get(slot.budget.id) is slot:
                        del self._current[slot.budget.id]
        return out
