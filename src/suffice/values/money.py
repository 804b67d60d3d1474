"""Money: integers inside, `Decimal` at the edges, never a float sum.

The unit of a booked amount is the nano-dollar (`NanoUsd`). Prices are pico-dollars per token, so that the product of a
price and a token count is exact; it is rounded up once, per booked row. A price is `Known`, `Estimated` or `Unknown`:
three types, so that no code path can mistake an unknown price for a price of zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NewType

from suffice.values.usage import Usage

NanoUsd = NewType("NanoUsd", int)

PICO_PER_NANO = 1000
NANO_PER_USD = 1_000_000_000
_NANO_DIGITS = 9


def usd(amount: NanoUsd) -> Decimal:
    """Return `amount` in dollars, exactly."""
    return Decimal(amount) / NANO_PER_USD


def nano(amount: Decimal | str | int) -> NanoUsd:
    """Return dollars as nano-dollars. Raises ValueError when `amount` is not finite or finer than a nano-dollar."""
    value = Decimal(amount) * NANO_PER_USD
    if not value.is_finite() or value != value.to_integral_value():
        raise ValueError(f"{amount!r} dollars is not a whole number of nano-dollars")
    return NanoUsd(int(value))


def format_usd(amount: NanoUsd) -> str:
    """Return `amount` for people: `$12.34`, `$0.0042`, `-$1.00`; at least two significant digits."""
    sign, size = ("-", -amount) if amount < 0 else ("", int(amount))
    if size == 0:
        return "$0.00"
    # Digits after the point: two, or as many as show two that are not zero.
    places = 2 if size >= NANO_PER_USD else max(2, _NANO_DIGITS + 2 - len(str(size)))
    if places > _NANO_DIGITS:
        shown = size * 10 ** (places - _NANO_DIGITS)
    else:
        unit = 10 ** (_NANO_DIGITS - places)
        shown, rest = divmod(size, unit)
        # Half to even, as `Decimal` rounds.
        shown += 2 * rest > unit or (2 * rest == unit and shown % 2)
    whole, part = divmod(shown, 10**places)
    return f"{sign}${whole:,}.{part:0{places}d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Prices of one model in pico-dollars per token (1 $/Mtok = 1,000,000 pico-dollars per token)."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    cache_write_12h: int
    per_request_nano: int = 0

    def cost_pico(self, usage: Usage) -> int:
        """Return the exact price of `usage` in pico-dollars; reasoning is billed as output."""
        return (
            self.input * usage.input_tokens
            + self.cache_read * usage.cache_read_tokens
            + self.cache_write * usage.cache_write_tokens
            + self.cache_write_1h * usage.cache_write_1h_tokens
            + self.cache_write_12h * usage.cache_write_12h_tokens
            + self.output * (usage.output_tokens + usage.reasoning_tokens)
            + self.per_request_nano * PICO_PER_NANO
        )

    def cost(self, usage: Usage) -> NanoUsd:
        """Return the price of `usage` in nano-dollars, rounded up once."""
        return NanoUsd(-(-self.cost_pico(usage) // PICO_PER_NANO))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A price with a source. `version` names the price book that it came from."""

    rates: Rates
    source: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """A price derived from another one (same family, another provider); shown as estimated wherever it is shown."""

    rates: Rates
    why: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """No price. A request under a budget may not be sent to it."""

    why: str
    version: str = field(default="")


Price = Known | Estimated | Unknown
