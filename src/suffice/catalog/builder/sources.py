"""What the builder reads from any source, in one form: exact integers or a refusal.

Invariant: every price in a `SourceModel` is a whole number of pico-dollars per token. A number that is not exact stops the
build (`BuildError`), or, when refreshing from newer packages, drops that one price with a finding in the report.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from suffice.catalog.prices import BUCKETS, Card, Entry, Ratio, Service, Tier

PICO_PER_USD_MTOK = 1_000_000
# A number that passed through a binary float has 15 to 17 digits and lies next to a whole one; nothing else is rounded.
NOISE_PICO = Decimal("1e-6")
NOISE_DIGITS = 15


class BuildError(ValueError):
    """The table cannot be built from these inputs; the message names the model and the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the conflict report: `kind` is conflict, repaired, dropped, zero or skipped."""

    kind: str
    model: str
    field: str
    detail: str


@dataclass(slots=True, kw_only=True)
class SourceModel:
    """One model as one source lists it, keyed by our provider id and the source's name."""

    provider: str
    name: str
    source: str
    entries: list[Entry] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    context_window: int = 0
    status: str = ""
    free: bool = False

    @property
    def id(self) -> str:
        """The catalogue id."""
        return f"{self.provider}/{self.name}"


@dataclass(slots=True, kw_only=True)
class Exact:
    """Turns $/Mtok into pico-dollars per token. `repairs` maps the text of known inexact numbers to an exact one."""

    repairs: dict[str, str]
    strict: bool = True
    findings: list[Finding] = field(default_factory=list)

    def pico(self, value: Decimal | str | int, model: str, bucket: str) -> int | None:
        """Return the exact price, or None for zero and (not strict) for inexact numbers. Raises BuildError when strict."""
        text = str(value)
        if text in self.repairs:
            self.findings.append(
                Finding(kind="repaired", model=model, field=bucket, detail=f"{text} -> {self.repairs[text]}")
            )
            text = self.repairs[text]
        try:
            scaled = Decimal(text) * PICO_PER_USD_MTOK
        except InvalidOperation:
            raise BuildError(f"{model}: {bucket} price {text!r} is not a number") from None
        if not scaled.is_finite() or scaled < 0:
            raise BuildError(f"{model}: {bucket} price {text} is not a finite price of at least 0")
        noise = scaled.to_integral_value() - scaled
        if 0 < abs(noise) < NOISE_PICO and len(Decimal(text).as_tuple().digits) >= NOISE_DIGITS:
            self.findings.append(Finding(kind="repaired", model=model, field=bucket, detail=f"{text}: binary noise"))
            scaled, noise = scaled + noise, Decimal(0)
        if noise != 0:
            if self.strict:
                raise BuildError(
                    f"{model}: {bucket} price {text} $/Mtok is not a whole number of pico-dollars per token"
                )
            self.findings.append(Finding(kind="dropped", model=model, field=bucket, detail=f"{text} is not exact"))
            return None
        if scaled == 0:
            self.findings.append(
                Finding(kind="zero", model=model, field=bucket, detail="a listed 0 is read as not listed")
            )
            return None
        return int(scaled)


def service_of(base: Entry, card: Card, tiers: tuple[Tier, ...]) -> Service:
    """Return a service tier as one exact multiplier where every bucket of every context tier agrees, else as a card."""
    ratio = common_ratio(base.card, card)
    same = ratio is not None and [t.above for t in tiers] == [t.above for t in base.tiers]
    if same and all(common_ratio(plain, own) == ratio for plain, own in zip(base.tiers, tiers, strict=True)):
        return Service(multiplier=ratio)
    return Service(card=card, tiers=tiers)


def common_ratio(base: Card, card: Card) -> Ratio | None:
    """Return the single ratio of `card` to `base` over the buckets that either lists; None when they differ."""
    ratio: Ratio | None = None
    for bucket in BUCKETS:
        plain, special = getattr(base, bucket), getattr(card, bucket)
        if (plain is None) != (special is None):
            return None
        if plain is None or special is None:
            continue
        found = reduce_ratio(special, plain)
        if ratio is not None and found != ratio:
            return None
        ratio = found
    return ratio


def reduce_ratio(num: int, den: int) -> Ratio:
    """Return num/den in lowest terms."""
    a, b = num, den
    while b:
        a, b = b, a % b
    return num // a, den // a
