"""What another policy would have done with the requests of the ledger, and what that would have cost.

For every recorded decision on a virtual model the new policy is asked the same question. The estimate is doubly robust: the prediction
of what the new policy does, corrected by what happened as often as it would have done the same, weighted by the logged propensities.
A choice that the log could not have made (propensity 0: exploration was off) has its prediction alone, shifted by how far predictions
were off on what was logged; the share of such rows is told. Requests for pinned models are no decisions and are left out.
Nothing is sent; nothing in the ledger changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from suffice.decision.ope import CLIP, Estimate, bernstein, promote
from suffice.decision.repository import repo_of
from suffice.decision.router import RouteRequest
from suffice.decision.virtual import Rule, resolve
from suffice.errors import SufficeError
from suffice.gateway.state import State
from suffice.ledger.queries import Story
from suffice.ledger.records import DecisionRecord
from suffice.values.money import NANO_PER_USD, NanoUsd, nano
from suffice.values.plan import Arm, Plan
from suffice.values.task import Features, TaskType
from suffice.values.verdict import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One request for which the new policy chooses another first arm."""

    request_id: str
    task: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """New policy minus what happened, per request, with a 95 % interval. `spend`, `total` in dollars; `success` a share.

    `total` is J = spend + H when the answer did not hold. `n` decisions were compared, `changed` of them differ, `refused` cannot
    be served under the new policy, `judged` have a verdict; `ess` is the effective sample size of the propensity weights, `unsupported`
    how many rows rest on predictions alone. `promoted` says whether the change may go live, `verdict` why (not): it must be cheaper in J
    beyond its interval, with success not inferior, on enough rows (`ope.promote`).
    """

    n: int
    judged: int
    refused: int
    changes: tuple[Change, ...]
    spend: Estimate | None
    success: Estimate | None
    total: Estimate | None
    ess: float
    unsupported: int = 0
    promoted: bool = False
    verdict: str = ""


@dataclass(slots=True)
class _Row:
    spend: float
    right: float
    known: bool
    repair: float
    q_spend: float
    q_right: float
    new_spend: float
    new_right: float
    ratio: float
    supported: bool


def replay(stories: Iterable[Story], state: State) -> Difference:
    """Ask `state`'s policy again for every decision of `stories`."""
    rows: list[_Row] = []
    changes: list[Change] = []
    refused = 0
    for story in stories:
        record = story.decision
        if record is None or record.plan is None or "pinned" in record.signals or not story.attempts:
            continue
        if any(signal.startswith("draft:") for signal in record.signals):
            continue  # what happened was not the plan's doing
        try:
            plan = ask(record, state)
        except SufficeError:
            refused += 1
            continue
        if plan is None:
            continue
        rows.append(_row(story, record.plan, plan))
        if plan.first != record.plan.first:
            changes.append(
                Change(
                    request_id=story.request_id,
                    task=record.task,
                    before=record.plan.first.name,
                    after=plan.first.name,
                    reason=plan.reason,
                )
            )
    spend = _estimate(rows, lambda r: r.spend, lambda r: r.q_spend, lambda r: r.new_spend)
    success = _estimate(rows, lambda r: r.right, lambda r: r.q_right, lambda r: r.new_right)
    total = _estimate(
        rows,
        lambda r: r.spend + (1 - r.right) * r.repair,
        lambda r: r.q_spend + (1 - r.q_right) * r.repair,
        lambda r: r.new_spend + (1 - r.new_right) * r.repair,
    )
    promoted, verdict = _gate(total, success, len(changes))
    return Difference(
        promoted=promoted,
        verdict=verdict,
        n=len(rows),
        judged=sum(r.known for r in rows),
        refused=refused,
        changes=tuple(changes),
        spend=spend,
        success=success,
        total=total,
        ess=total.ess if total is not None else 0.0,
        unsupported=sum(not r.supported for r in rows),
    )


def _gate(total: Estimate | None, success: Estimate | None, changed: int) -> tuple[bool, str]:
    """Return whether the change may go live, and why (not). An answer that does not hold counts as one that escaped."""
    if total is None or success is None or not changed:
        return False, "nothing would change"
    escaped = replace(success, mean=-success.mean, low=-success.high, high=-success.low)
    return promote(total, escaped)


def ask(record: DecisionRecord, state: State, repair: NanoUsd | None = None) -> Plan | None:
    """Return the plan of `state`'s policy for a recorded question, None for one that names its model.

    `repair` takes the place of the policy's repair cost. Raises SufficeError when nobody may serve it.
    """
    target = resolve(record.model_requested, state.settings.aliases, state.models)
    if target.rule is Rule.PIN:
        return None
    task = TaskType(record.task) if record.task in list(TaskType) else TaskType.OTHER
    features = Features(
        task=task,
        language=record.language,
        prompt_tokens=record.prompt_tokens,
        max_output_tokens=record.max_output_tokens,
        needs_tools="tools" in record.needs,
        needs_vision="vision" in record.needs,
        needs_structured="structured" in record.needs,
    )
    return state.router(target).plan(
        RouteRequest(
            features=features,
            target=target,
            data=state.data,
            repair=nano(state.settings.routing.repair_usd.usd(record.task)) if repair is None else repair,
            floors=(state.settings.routing.quality_floor, 0.0),
            gate=record.gate,
            attempts=record.attempts,
            repo=repo_of(record.signals),
        )
    )


def _row(story: Story, old: Plan, new: Plan) -> _Row:
    """Gather what happened and what the new policy's model predicts for both first arms."""
    spend = sum(a.row.charge_nano for a in story.attempts) / NANO_PER_USD
    # The last attempt of a hedged stream may be the one that was ended.
    answered = [a for a in story.attempts if a.row.outcome in ("ok", "rejected")]
    verdicts = [v for a in answered[-1:] for v in a.detail.result.verdicts if v.outcome is not Outcome.UNKNOWN]
    checks = [v for v in verdicts if v.gate.startswith("check:")] or [v for v in verdicts if v.rejected]
    known = bool(checks)
    by_arm = {c.arm: c for c in new.candidates if not c.masked_by}
    logged, chosen = by_arm.get(old.first), by_arm[new.first]
    right_now = new.p_complete if new.steps[1:] else chosen.p_success
    spend_now = sum(s.reach * s.cost for s in new.steps) / NANO_PER_USD
    q_right = logged.p_success if logged is not None else right_now
    q_spend = logged.cost.total / NANO_PER_USD if logged is not None else spend_now
    if new.first == old.first:
        q_right, q_spend = right_now, spend_now
    right = float(not any(v.rejected for v in checks)) if known else q_right
    return _Row(
        spend=spend,
        right=right,
        known=known,
        repair=new.repair / NANO_PER_USD,
        q_spend=q_spend,
        q_right=q_right,
        new_spend=spend_now,
        new_right=right_now,
        ratio=_weight(old, new),
        supported=_supported(old, new),
    )


Figure = Callable[[_Row], float]


def _chance(plan: Plan, arm: Arm) -> float:
    """Return the probability with which `plan` sends the request to `arm` first."""
    found = [c.propensity for c in plan.candidates if c.arm == arm and not c.masked_by]
    return found[0] if found else float(arm == plan.first)


def _weight(old: Plan, new: Plan) -> float:
    """Return the importance weight of what was logged: 0 where the new policy would never have done it."""
    return min(CLIP, _chance(new, old.first) / old.propensity) if 0.0 < old.propensity <= 1.0 else 0.0


def _supported(old: Plan, new: Plan) -> bool:
    return old.propensity > 0.0 and _chance(old, new.first) > 0.0


def _estimate(rows: list[_Row], seen: Figure, logged: Figure, target: Figure) -> Estimate | None:
    """Return the estimate of (new policy - what happened), paired by request; None without rows.

    Doubly robust (Dudík et al. 2011): q_new + w (seen - q_logged) - seen, so that rows whose first arm stays for sure cancel exactly.
    Rows without support get the mean error of all predictions in place of the weighted one. `ess` is (Σ w)² / Σ w².
    """
    if not rows:
        return None
    observed, predicted, wanted = (np.array([f(r) for r in rows]) for f in (seen, logged, target))
    ratio = np.array([r.ratio for r in rows])
    error = float(np.mean(observed - predicted))
    robust = (wanted - ratio * predicted) + (ratio - 1.0) * observed
    values = np.where([r.supported for r in rows], robust, wanted + error - observed)
    half = bernstein(values, float(np.ptp(values)), 0.05)
    mean, total = float(values.mean()), float(ratio.sum())
    ess = total * total / float((ratio * ratio).sum()) if total > 0.0 else 0.0
    return Estimate(mean=mean, low=mean - half, high=mean + half, ess=ess, n=len(rows))
