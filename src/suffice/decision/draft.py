"""Draft and verify: whether a cheap model should draft and a stronger one only check or repair, and which two.

Does: the expected total of every pair, and the best one where it is below the plan's own. Does not: ask, read answers, or know a
clock. Both numbers that no record shows yet are declared here as priors: how long a review is, and how often a reviewed draft
is right. Invariants (property-tested): a pair is only returned where it is cheaper than the plan by the plan's margin; its
reviewer is another model that is believed to be stronger; a dearer reviewer never makes a pair cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from suffice.decision.attempt_price import output_tokens, spend_weight
from suffice.decision.core import CELLS, HELD_MARGIN, STATIC, Core, cell_of
from suffice.decision.gates import rates as gate_rates
from suffice.decision.plan import ESCAPE_FACTOR
from suffice.values.money import PICO_PER_NANO, NanoUsd, Rates
from suffice.values.plan import Arm, CostSplit, Mode, Plan
from suffice.values.task import Features

# PRIOR, a guess: a review is this share of the draft's length (APPROVED, or a small edit), until bills of reviews have shown more.
REVIEW_SHARE = 0.15
REVIEW_LEAST_TOKENS = 8
# What we tell the reviewer, and the marks around the draft.
INSTRUCTION_TOKENS = 200
# PRIOR, a guess: the share of what the reviewer does better from scratch that it also brings about as a reviewer.
CAUGHT = 0.8


class Side(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An arm that may draft or review: success and cost of its own fresh attempt, its rates, the tokens of an answer, and those of
    a review as bills have shown them (None while none has)."""

    arm: Arm
    p: float
    cost: CostSplit
    rates: Rates
    answer_tokens: int
    review_tokens: float | None = None


class Gate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The check behind the review: how often it accepts a right answer, and a wrong one."""

    tpr: float
    fpr: float


class Pair(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who drafts and who reviews, the expected total in nano-dollars with its margin, the plan's own, and how likely the end is right."""

    draft: Arm
    review: Arm
    total: NanoUsd
    alone: NanoUsd
    p: float


def p_reviewed(p_draft: float, p_review: float) -> float:
    """Return the probability that a reviewed draft is right: p_d + 0.8 (p_s - p_d), a prior; never above the reviewer's own."""
    return p_draft + CAUGHT * max(0.0, p_review - p_draft)


def review_cost(reviewer: Side, draft_tokens: int) -> NanoUsd:
    """Return what a review costs: the prompt as the plan counts it, the draft and our instruction fresh, and a short output.

    The price of moving the conversation is left out, for it stays with the drafting arm.
    """
    prompt = reviewer.cost.fresh + reviewer.cost.cached + reviewer.cost.cache_write
    out = reviewer.review_tokens
    if out is None:
        out = max(REVIEW_LEAST_TOKENS, REVIEW_SHARE * draft_tokens)
    more = reviewer.rates.input * (draft_tokens + INSTRUCTION_TOKENS) + reviewer.rates.output * out
    return NanoUsd(prompt + round(more / PICO_PER_NANO))


def total(draft: Side, reviewer: Side, *, repair: NanoUsd, gate: Gate, weight: float) -> float:
    """Return the expected nano-dollars of a pair: C_d + C_r + H [(1-p)(f kappa + 1-f) + p (1-t)] + margin H.

    `weight` is the budget's. Losses are those of `plan.py`: an accepted defect costs kappa H; what the gate rejects is charged a
    whole repair, though the cascade would go on: an upper bound. The review bears the margin of an attempt after the first.
    """
    p = p_reviewed(draft.p, reviewer.p)
    spend = draft.cost.total + review_cost(reviewer, draft.answer_tokens)
    wrong = (1.0 - p) * (gate.fpr * ESCAPE_FACTOR + 1.0 - gate.fpr)
    return weight * spend + repair * (wrong + p * (1.0 - gate.tpr) + HELD_MARGIN)


def best(sides: Sequence[Side], alone: NanoUsd, *, repair: NanoUsd, gate: Gate, weight: float = 1.0) -> Pair | None:
    """Return the pair of least expected total, None where none is below `alone`, the plan's own total. Ties go to the names."""
    found: tuple[float, Arm, Arm, float] | None = None
    for draft in sides:
        for reviewer in sides:
            if reviewer.arm.model == draft.arm.model or reviewer.p <= draft.p:
                continue
            cost = total(draft, reviewer, repair=repair, gate=gate, weight=weight)
            one = (cost, draft.arm, reviewer.arm, p_reviewed(draft.p, reviewer.p))
            if cost < alone and (found is None or one < found):
                found = one
    if found is None:
        return None
    review = msgspec.structs.replace(found[2], mode=Mode.REVIEW)
    return Pair(draft=found[1], review=review, total=NanoUsd(round(found[0])), alone=alone, p=found[3])


def pair_of(
    plan: Plan, features: Features, core: Core, rates_of: Callable[[Arm], Rates | None], pressure: float
) -> Pair | None:
    """Return the pair that is cheaper in expectation than `plan`, made of the arms that the plan scored; None where there is none.

    `rates_of` gives an arm's prices, None where they are unknown: such an arm is in no pair. Only where the plan rests on the
    static gates and explored nothing: a named check says more than a review, and a drawn first arm has to go first.
    """
    if plan.fallback or plan.repair <= 0 or plan.alone < 1.0:
        return None
    cell = cell_of(features.task, features.language)
    sides = []
    for one in plan.candidates:
        rates = None if one.masked_by else rates_of(one.arm)
        if rates is None:
            continue
        learned = core.output_tokens(one.arm.model, cell)
        tokens = output_tokens(features) if learned is None else round(learned)
        most = features.max_output_tokens
        review = msgspec.structs.replace(one.arm, mode=Mode.REVIEW)
        sides.append(
            Side(
                arm=one.arm,
                p=one.p_success,
                cost=one.cost,
                rates=rates,
                answer_tokens=min(tokens, most) if most else tokens,
                review_tokens=core.output_tokens(review.name, cell),
            )
        )
    known = gate_rates(core.holder.current.gates, STATIC, CELLS[cell])
    gate = Gate(tpr=known.tpr, fpr=known.fpr)
    return best(sides, plan.expected_total, repair=plan.repair, gate=gate, weight=spend_weight(pressure))
