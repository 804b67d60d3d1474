"""Arms and plans: what may be tried, what was chosen, and why the others were not.

These are the types through which the decision core speaks to the rest; docs/routing.md gives the mathematics.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from suffice.values.money import NanoUsd


class Mode(StrEnum):
    """How an arm attempts the task: from scratch, again with the evidence of its own failed attempt, or as the reviewer of a draft."""

    FRESH = "fresh"
    RETRY = "retry"
    REVIEW = "review"


class Action(StrEnum):
    """What to do after a verdict."""

    ACCEPT = "accept"
    RETRY = "retry"
    ESCALATE = "escalate"
    STOP = "stop"


class Arm(msgspec.Struct, frozen=True, kw_only=True, order=True, cache_hash=True, gc=False, omit_defaults=True):
    """One way to attempt a task: a model at an endpoint, with an effort, an edit format and a mode.

    `model` is the catalogue id (`openai/gpt-5-mini`), `endpoint` the configured endpoint that serves it.
    """

    model: str
    endpoint: str
    effort: str = ""
    edit_format: str = ""
    mode: Mode = Mode.FRESH

    @property
    def name(self) -> str:
        """A short stable name for headers, tables and records."""
        parts = [self.model]
        if self.effort:
            parts.append(self.effort)
        if self.mode is not Mode.FRESH:
            parts.append(self.mode.value)
        return "+".join(parts)

    @property
    def fresh(self) -> Arm:
        """The arm that starts from scratch: what is configured, priced and rested; a retry or a review is the same place again."""
        return self if self.mode is Mode.FRESH else msgspec.structs.replace(self, mode=Mode.FRESH)


class CostSplit(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Expected cost of one attempt in nano-dollars, by what it is spent on; `switch` may be negative."""

    fresh: NanoUsd = NanoUsd(0)
    cached: NanoUsd = NanoUsd(0)
    cache_write: NanoUsd = NanoUsd(0)
    output: NanoUsd = NanoUsd(0)
    verify: NanoUsd = NanoUsd(0)
    latency: NanoUsd = NanoUsd(0)
    switch: NanoUsd = NanoUsd(0)

    @property
    def total(self) -> NanoUsd:
        """The sum of all parts."""
        return NanoUsd(
            self.fresh + self.cached + self.cache_write + self.output + self.verify + self.latency + self.switch
        )


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One arm as the decision saw it: removed with a reason, or scored.

    `p_success` is the posterior mean, `p_low` its lower bound for floors, `expected_total` the expected cost in
    nano-dollars until a successful completion when this arm goes first, `propensity` the probability of being chosen,
    `source` names where the success estimate comes from.
    """

    arm: Arm
    masked_by: str = ""
    p_success: float = 0.0
    p_low: float = 0.0
    cost: CostSplit = CostSplit()
    expected_total: NanoUsd = NanoUsd(0)
    propensity: float = 0.0
    source: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One node of the plan along the path of rejections: the arm to try and the probability to get here."""

    arm: Arm
    reach: float
    p_success: float
    cost: NanoUsd


class Rollout(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A changed policy that decides a share of the sessions: who decided here, and what the other side would have done.

    `policy` names the two policies, `step` counts from 1, `share` is the candidate's. `candidate`: it decided here. `alone` is the
    propensity of the first arm under the policy that decided (the plan's own is that of both together), `other` the first arm of the
    other one, None where it could not serve; `same`: both would do the same. `repair` is the candidate's H: both sides are judged by it.
    """

    policy: str
    step: int
    share: float
    candidate: bool = False
    alone: float = 1.0
    other: Arm | None = None
    same: bool = False
    repair: NanoUsd = NanoUsd(0)


class Plan(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The decision for one request, replayable from its record.

    `steps[0].arm` goes first; on each rejected verdict the next step is taken, until the steps end and the human is the
    last arm. `binding` names the constraints that changed the choice, `flips` what would change it, `fallback` is empty
    or names the rung of the fallback ladder that produced the plan, with `alarm` as its cause. `rollout` is set while a changed
    policy shares the sessions.
    """

    steps: tuple[Step, ...]
    expected_total: NanoUsd
    p_complete: float
    repair: NanoUsd
    propensity: float
    reason: str
    candidates: tuple[Candidate, ...] = ()
    binding: tuple[str, ...] = ()
    contributions: tuple[tuple[str, float], ...] = ()
    flips: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    fallback: str = ""
    alarm: str = ""
    rollout: Rollout | None = None

    @property
    def alone(self) -> float:
        """The propensity of the first arm under the policy that decided: below 1 only where it explores."""
        return self.propensity if self.rollout is None else self.rollout.alone

    @property
    def first(self) -> Arm:
        """The arm to try first."""
        return self.steps[0].arm
