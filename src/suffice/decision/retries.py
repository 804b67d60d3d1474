"""Retries in a plan: what asking a model once more costs, and which steps of a plan are retries.

Does: price, order. Does not: decide whether one pays; the plan does. Invariant: a retry stands directly behind the first try
whose rejection it is told of.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from suffice.decision.attempt_price import attempt_cost
from suffice.decision.core import Core, cell_of
from suffice.decision.grid import Floats
from suffice.decision.verdict_free import Scored
from suffice.values.money import Rates
from suffice.values.plan import Arm, CostSplit, Mode
from suffice.values.task import Features

# What a retry's message about its defect comes to at the most (`gateway/evidence.py`: 2,000 characters).
EVIDENCE_TOKENS = 500


def again_cost(features: Features, rates: Rates, learned_output: float | None) -> CostSplit:
    """Return the cost of asking once more: the prompt is warm there, and the evidence comes to it."""
    longer = msgspec.structs.replace(features, prompt_tokens=features.prompt_tokens + EVIDENCE_TOKENS)
    return attempt_cost(
        longer, rates, warm_tokens=features.prompt_tokens, moved_from=None, learned_output=learned_output
    )


def again_costs(
    features: Features, rates: Sequence[Rates], arms: Sequence[Scored], core: Core, weight: float
) -> tuple[list[CostSplit], Floats]:
    """Return what asking each of `arms` once more costs, and the same times `weight`; lengths are what `core` has learned."""
    cell = cell_of(features.task, features.language)
    both = zip(rates, arms, strict=True)
    costs = [again_cost(features, rate, core.output_tokens(one.arm.model, cell)) for rate, one in both]
    return costs, np.array([weight * one.total for one in costs])


def in_order(sequence: Sequence[int], arms: Sequence[Scored], again: Sequence[CostSplit]) -> list[Scored]:
    """Return the arms of a plan's sequence; an index that follows itself is a retry, at its cost in `again`."""
    order: list[Scored] = []
    for at in sequence:
        one = arms[at]
        if order and order[-1].arm == one.arm:
            one = msgspec.structs.replace(one, arm=msgspec.structs.replace(one.arm, mode=Mode.RETRY), cost=again[at])
        order.append(one)
    return order


def after(order: Sequence[Scored], first: Arm) -> list[Scored]:
    """Return what follows `first`, which may not be the order's own first: then it has no retry to follow it."""
    if order and order[0].arm == first:
        return list(order[1:])
    kept: list[Scored] = []
    for at, one in enumerate(order):
        gone = one.arm.fresh == first or (one.arm.mode is Mode.RETRY and order[at - 1].arm == first)
        if not gone:
            kept.append(one)
    return kept
