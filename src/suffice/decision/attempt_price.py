"""What one attempt is expected to cost: fresh and cached prompt, output, and what moving a warm conversation costs.

First version: output lengths and remaining turns are declared per task type; the full core learns them from bills. Formula of
the switch: ROUTING 3.2, S = N (warm turn on the new arm - warm turn on the pinned one) + rho (write - read) L.
"""

from __future__ import annotations

import math

import msgspec

from suffice.values.money import PICO_PER_NANO, Estimated, Known, NanoUsd, Price, Rates
from suffice.values.plan import CostSplit
from suffice.values.task import Features, TaskType

# Declared medians of output tokens; a caller's limit caps them.
OUTPUT_TOKENS = {
    TaskType.COMPLETE: 60, TaskType.GENERATE: 700, TaskType.EXPLAIN: 600, TaskType.DOCSTRING: 350, TaskType.TEST_GEN: 1000,
    TaskType.EDIT: 500, TaskType.BUG_FIX: 700, TaskType.REFACTOR: 1000, TaskType.CONVERT: 1000, TaskType.REVIEW: 800,
    TaskType.PLAN: 1200, TaskType.AGENTIC_STEP: 350, TaskType.OTHER: 500,
}  # fmt: skip
REMAINING_TURNS_AGENT = 8
REMAINING_TURNS_CHAT = 1
RETURN_PROBABILITY = 0.3
# At full budget pressure a dollar of spend weighs as five.
PRESSURE_WEIGHT = 4.0


class Warmth(msgspec.Struct, frozen=True, kw_only=True):
    """The cache state of a conversation: `prefix_tokens` are held warm by the pinned arm, whose prices are `rates`."""

    prefix_tokens: int
    rates: Rates


def output_tokens(features: Features) -> int:
    """Return the expected output tokens of one attempt."""
    expected = OUTPUT_TOKENS[features.task]
    return min(expected, features.max_output_tokens) if features.max_output_tokens else expected


def attempt_cost(
    features: Features,
    rates: Rates,
    *,
    warm_tokens: int,
    moved_from: Warmth | None,
    learned_output: float | None = None,
) -> CostSplit:
    """Return the expected cost of one attempt on an arm with `rates`, of whose prompt `warm_tokens` are cached there.

    `learned_output` is the output length that bills have shown, in place of the declared one.
    `moved_from` is given when another arm holds this conversation warm; then the switch is priced (it may be negative).
    """
    cached = min(max(warm_tokens, 0), features.prompt_tokens)
    fresh = features.prompt_tokens - cached
    out = output_tokens(features) if learned_output is None else round(learned_output)
    if features.max_output_tokens:
        out = min(out, features.max_output_tokens)
    return CostSplit(
        fresh=_nano(rates.input * fresh + rates.per_request_nano * PICO_PER_NANO),
        cached=_nano(rates.cache_read * cached),
        output=_nano(rates.output * out),
        switch=_switch(features, rates, moved_from, out) if moved_from is not None else NanoUsd(0),
    )


def _switch(features: Features, rates: Rates, old: Warmth, out: int) -> NanoUsd:
    length = min(old.prefix_tokens, features.prompt_tokens)
    turns = REMAINING_TURNS_AGENT if features.needs_tools else REMAINING_TURNS_CHAT
    new_turn = rates.cache_read * length + rates.output * out
    old_turn = old.rates.cache_read * length + old.rates.output * out
    way_back = max(0, (old.rates.cache_write or old.rates.input) - old.rates.cache_read) * length * RETURN_PROBABILITY
    return NanoUsd(round((turns * (new_turn - old_turn) + way_back) / PICO_PER_NANO))


def _nano(pico: int) -> NanoUsd:
    return NanoUsd(-(-pico // PICO_PER_NANO))


# What an unknown price counts as when no price is known at all.
DEAREST = Rates(
    input=60_000_000, output=300_000_000, cache_read=60_000_000, cache_write=60_000_000, cache_write_1h=60_000_000,
    cache_write_12h=60_000_000,
)  # fmt: skip


def rates_of(price: Price) -> Rates | None:
    """Return the rates of a price, None for an unknown one: it is never 0."""
    return price.rates if isinstance(price, Known | Estimated) else None


def spend_weight(pressure: float) -> float:
    """Return what a dollar of spend weighs in a plan under budget `pressure` in [0, 1]; one that is not finite counts as full."""
    return 1.0 + PRESSURE_WEIGHT * (min(1.0, max(0.0, pressure)) if math.isfinite(pressure) else 1.0)
