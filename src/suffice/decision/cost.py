"""What one attempt costs: tokens fresh, cached and written, output and steps, checks, latency, budget pressure, switching.

Does: learn output length and steps from bills, and price an attempt. Does not: learn prices (they are inputs). Money is float
dollars inside one decision and becomes integer nano-dollars in `CostSplit`. Invariant: an expected cost is finite and >= 0 but
for the switching share, which may be negative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from suffice.decision.grid import GRID, Floats
from suffice.errors import DecisionError
from suffice.values.money import NANO_PER_USD, NanoUsd
from suffice.values.plan import CostSplit

PRIOR_LOG_TOKENS, PRIOR_LOG_VAR, PRIOR_WEIGHT = 6.0, 1.0, 4.0
MAX_LOG_TOKENS = 12.0
SLOPE_PRIOR, SLOPE_BOUND = 0.1, 0.4
# Ridge of the regression on failing, what a bill adds to it (the variance of a failure with chances in the middle), and its limit.
FAIL_PRIOR, FAIL_WEIGHT, FAIL_SHARE, FAIL_BOUND = 1.5, 8.0, 0.2, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPosterior:
    """Log output tokens of a call (`tokens`, `tokens_var`, `count` [A, K]), log steps of a run (`steps` [A, K]).

    `slope` [A] is the change of both logs per unit of difficulty; `fail_factor` [A] the cost of a failed run over a
    successful one; `bill_factor` [A] the billed amount over the one computed from prices (1 until bills disagree).
    """

    arms: tuple[str, ...]
    tokens: Floats
    tokens_var: Floats
    steps: Floats
    count: Floats
    slope: Floats
    fail_factor: Floats
    bill_factor: Floats
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptInputs:
    """One request as the cost model sees it; arrays are [A] unless told otherwise, prices in dollars per token.

    `prices` [A, 4] = fresh, cache read, cache write, output; `prompt_tokens`, and per arm the `cached_tokens` of the longest
    shared prefix with the probability `warm` that it still is; `discount` for batch tiers; `verify_usd` per attempt;
    `late_s` expected seconds beyond the latency objective, worth `usd_per_s`; `pressure` >= 0 is the budget's dual price;
    `switch_usd` from `switch_cost`.
    """

    prices: Floats
    prompt_tokens: float
    cached_tokens: Floats
    warm: Floats
    discount: Floats
    verify_usd: Floats
    late_s: Floats
    switch_usd: Floats
    usd_per_s: float = 0.0
    pressure: float = 0.0
    max_output_tokens: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCost:
    """Expected dollars: `grid` [A, 33] given the difficulty, `parts` [A, 7] in the order of `CostSplit`, averaged."""

    grid: Floats
    parts: Floats


def fresh(arms: tuple[str, ...], cells: int) -> CostPosterior:
    """Return the prior: outputs of about e^6 tokens, one step, no slope."""
    a = len(arms)
    shape = (a, cells)
    return CostPosterior(
        arms=arms, tokens=np.full(shape, PRIOR_LOG_TOKENS), tokens_var=np.full(shape, PRIOR_LOG_VAR),
        steps=np.zeros(shape), count=np.zeros(shape), slope=np.full(a, SLOPE_PRIOR), fail_factor=np.full(a, FAIL_PRIOR),
        bill_factor=np.ones(a),
    )  # fmt: skip


def learn(
    post: CostPosterior, *, arm: str, cell: int, output_tokens: float, steps: float, difficulty: float = 0.0,
    billed_over_computed: float = 1.0, failed_surprise: float = 0.0,
) -> CostPosterior:  # fmt: skip
    """Return the posterior after one billed run. Non-positive or non-finite counts, and unknown arms, teach nothing.

    `failed_surprise` is (1 when it failed, else 0) − the chance of failing that was believed; 0 when nobody judged. The log of
    `fail_factor` is a ridge regression of the length's residual on it, one row at a time.
    """
    values = (output_tokens, steps, difficulty, billed_over_computed, failed_surprise)
    if arm not in post.arms or not all(map(math.isfinite, values)) or min(output_tokens, steps) <= 0:
        return post
    at = post.arms.index(arm)
    slope, mean = float(post.slope[at]), float(post.tokens[at, cell])
    var, step_mean, seen = float(post.tokens_var[at, cell]), float(post.steps[at, cell]), float(post.count[at, cell])
    n = PRIOR_WEIGHT + min(seen, 200.0)
    residual = math.log(output_tokens) - slope * difficulty - mean
    steeper = slope + 0.01 * residual * difficulty / (1.0 + difficulty * difficulty)
    changed: dict[str, Any] = {
        "tokens": _with(post.tokens, (at, cell), mean + residual / (n + 1.0)),
        "tokens_var": _with(post.tokens_var, (at, cell), var + (residual * residual - var) / (n + 1.0)),
        "steps": _with(post.steps, (at, cell), step_mean + (math.log(steps) - step_mean) / (n + 1.0)),
        "count": _with(post.count, (at, cell), seen + 1.0),
        "slope": _with(post.slope, at, min(SLOPE_BOUND, max(-0.1, steeper))),
    }
    if failed_surprise:
        wrong = math.log(post.fail_factor[at])
        weight = FAIL_WEIGHT + FAIL_SHARE * float(post.count[at].sum())
        wrong += (residual - wrong * failed_surprise) * failed_surprise / weight
        changed["fail_factor"] = _with(post.fail_factor, at, math.exp(min(FAIL_BOUND, max(0.0, wrong))))
    if 0.0 < billed_over_computed < 100.0:
        bill = float(post.bill_factor[at])
        changed["bill_factor"] = _with(post.bill_factor, at, bill + (billed_over_computed - bill) / (n + 1.0))
    return replace(post, version=post.version + 1, **changed)


def add_arm(bills: CostPosterior, model: str) -> CostPosterior:
    """Return the posterior with one more model at the prior."""
    one = fresh((model,), bills.tokens.shape[1])
    return CostPosterior(
        arms=(*bills.arms, model),
        tokens=np.concatenate([bills.tokens, one.tokens]),
        tokens_var=np.concatenate([bills.tokens_var, one.tokens_var]),
        steps=np.concatenate([bills.steps, one.steps]),
        count=np.concatenate([bills.count, one.count]),
        slope=np.concatenate([bills.slope, one.slope]),
        fail_factor=np.concatenate([bills.fail_factor, one.fail_factor]),
        bill_factor=np.concatenate([bills.bill_factor, one.bill_factor]),
        version=bills.version,
    )


def length_by_difficulty(post: CostPosterior, arms: Sequence[str], p: Floats, weights: Floats) -> Floats:
    """Return the output length of an attempt by difficulty [K, 33] over its mean under `weights` [33].

    `p` [K, 33] is the success of `arms`: failed answers are longer by their fail factor. An arm without bills has the prior's numbers.
    """
    at = {arm: row for row, arm in enumerate(post.arms)}
    rows = [at.get(arm, -1) for arm in arms]
    slope = np.array([post.slope[row] if row >= 0 else SLOPE_PRIOR for row in rows])
    longer = np.array([post.fail_factor[row] if row >= 0 else FAIL_PRIOR for row in rows])
    length = np.exp(slope[:, None] * GRID) * (1.0 + (longer[:, None] - 1.0) * (1.0 - p))
    return np.asarray(length / np.maximum(length @ weights, 1e-300)[:, None])


def _with(table: Floats, at: int | tuple[int, int], value: float) -> Floats:
    """Return `table` with one value changed: itself when it is that already, so that nothing is copied for it."""
    if table[at] == value:
        return table
    new = table.copy()
    new[at] = value
    return new


def attempt(post: CostPosterior, cell: int, inputs: AttemptInputs, weights: Floats, rows: np.ndarray) -> AttemptCost:
    """Return the cost of one attempt by each arm of `rows` (indices into the posterior; A below is len(rows)).

    C = disc·[fresh + cached + written + output]·steps·bill + verify + λ_T·late + pressure·spend + switch. Raises
    DecisionError when a price is missing, negative or not finite: an unknown price is never 0.
    """
    if not np.isfinite(inputs.prices).all() or inputs.prices.min(initial=0.0) < 0:
        raise DecisionError("a price is unknown or negative", hint="mask arms without a price before planning")
    hit = np.clip(np.minimum(inputs.cached_tokens, inputs.prompt_tokens), 0.0, None) * np.clip(inputs.warm, 0.0, 1.0)
    rest = inputs.prompt_tokens - hit
    writes = inputs.prices[:, 2] > 0.0
    slope = post.slope[rows]
    growth = np.exp(slope[:, None] * GRID)
    length = np.exp(np.minimum(post.tokens[rows, cell] + 0.5 * post.tokens_var[rows, cell], MAX_LOG_TOKENS))
    output = np.minimum(length[:, None] * growth, inputs.max_output_tokens)
    steps = np.maximum(1.0, np.exp(post.steps[rows, cell])[:, None] * growth)
    scale = (inputs.discount * post.bill_factor[rows])[:, None] * steps
    fresh_usd = scale * (np.where(writes, 0.0, rest) * inputs.prices[:, 0])[:, None]
    cached_usd = scale * (hit * inputs.prices[:, 1])[:, None]
    write_usd = scale * (np.where(writes, rest, 0.0) * inputs.prices[:, 2])[:, None]
    output_usd = scale * output * inputs.prices[:, 3][:, None]
    spend = fresh_usd + cached_usd + write_usd + output_usd
    late = inputs.usd_per_s * np.maximum(inputs.late_s, 0.0) + inputs.pressure * (spend @ weights)
    grid = spend + (inputs.verify_usd + late)[:, None]
    grid = np.maximum(grid + inputs.switch_usd[:, None], 0.0)
    parts = np.stack(
        [fresh_usd @ weights, cached_usd @ weights, write_usd @ weights, output_usd @ weights, inputs.verify_usd, late,
         inputs.switch_usd], axis=1,
    )  # fmt: skip
    return AttemptCost(grid=grid, parts=parts)


def split(parts: Floats) -> CostSplit:
    """Return one row of `AttemptCost.parts` in nano-dollars, rounded to the nearest."""
    nano = [NanoUsd(round(float(x) * NANO_PER_USD)) for x in parts]
    return CostSplit(
        fresh=nano[0], cached=nano[1], cache_write=nano[2], output=nano[3], verify=nano[4], latency=nano[5],
        switch=nano[6],
    )  # fmt: skip


def warm_probability(idle_s: float, ttl_s: float, half_width: float = 0.1) -> float:
    """Return P(the provider's cache still holds the prefix) after `idle_s` with time to live `ttl_s`.

    A soft step: caches expire neither early nor late by more than `half_width` of their time. A clock that jumped back
    counts as no idle time; an unknown time to live as no cache.
    """
    if not np.isfinite(idle_s) or not np.isfinite(ttl_s) or ttl_s <= 0.0:
        return 0.0
    left = (ttl_s - max(0.0, idle_s)) / (half_width * ttl_s)
    return float(min(1.0, max(0.0, 0.5 + 0.5 * left)))


def switch_cost(
    *, remaining_turns: float, warm_usd: Floats, pinned: int, write_usd_per_token: float, read_usd_per_token: float,
    prefix_tokens: float, return_probability: float,
) -> Floats:  # fmt: skip
    """Return the shadow price S_a [A] of leaving the pinned arm: N̂ (c̄_a − c̄_m) + ρ (p_write − p_read) L; 0 for the pinned.

    `warm_usd` [A] is the cost of one warm turn. Negative where later turns are cheaper on the other arm.
    """
    turns = max(0.0, remaining_turns) if np.isfinite(remaining_turns) else 0.0
    back = return_probability * max(0.0, write_usd_per_token - read_usd_per_token) * max(0.0, prefix_tokens)
    cost = turns * (warm_usd - warm_usd[pinned]) + back
    cost[pinned] = 0.0
    return np.asarray(cost, dtype=np.float64)


def remaining_turns(turn: int, hazard: float = 0.12) -> float:
    """Return the expected number of turns still to come for a session that ends at each turn with probability `hazard`."""
    h = min(1.0, max(0.02, hazard))
    return (1.0 - h) / h if turn >= 0 else 0.0
