"""The rollout of this gateway: which policy decides a session, and the look at the ledger that takes the next step.

What a step needs is `decision/rollout.py`'s; here the stage is kept in one small file, sessions are divided, and their records read.
Judged is an answer by reports where there are any, else by the checks and gates that looked at it; a session without a judged answer
is left out. Invariant: a rollout belongs to one pair of policies: when either changes, it begins anew at the first step.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from suffice.config.schema import Settings
from suffice.decision.cascade import combine
from suffice.decision.rollout import Lived, Stage, decides, look, shared
from suffice.gateway.state import State
from suffice.ledger.queries import Story
from suffice.storage import blob
from suffice.values.money import NANO_PER_USD
from suffice.values.plan import Plan
from suffice.values.verdict import Outcome

FILE = "rollout.json"

log = logging.getLogger("suffice.decision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """How two policies share the session of a request: the candidate's `share`, whether it decides, and the state of the other one."""

    stage: Stage
    share: float
    candidate: bool
    rival: State | None

    def told(self, served: Plan, other: Plan | None, *, alike: bool) -> Plan:
        """Return the plan with the propensities of both policies; see `decision.rollout.shared`."""
        return shared(
            served, other, policy=self.stage.policy, step=self.stage.step, share=self.share, candidate=self.candidate,
            alike=alike,
        )  # fmt: skip


class Rollouts:
    """The stage of the rollout, None without one. `side` is for the event loop; `look` and `save` may run in another thread."""

    def __init__(self, path: Path | None = None) -> None:
        """Take the stage that lies at `path`; None keeps nothing. Raises StorageError for a file that may not be read."""
        self._path = path
        self._kept: Stage | None = None
        self.stage: Stage | None = None
        # Whether a session was shared since the last look.
        self._shared = False
        data = blob.read(path) if path is not None else None
        if path is None or data is None:
            return
        try:
            self._kept = self.stage = msgspec.json.decode(data, type=Stage)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("the rollout begins anew: %s (kept as %s)", error, blob.set_aside(path))

    def begin(self, settings: Settings, now_ms: int) -> None:
        """Go on with the rollout that `settings` ask for, or begin it; without one there is none."""
        if settings.candidate is None:
            self.stage = None
            return
        policy = named(settings)
        if self.stage is None or self.stage.policy != policy or self.stage.step >= len(settings.rollout.steps):
            self.stage = Stage(policy=policy, began_ms=now_ms)
            log.warning("a rollout begins: %s of the sessions", f"{self.stage.share(settings.rollout.steps):.0%}")

    def side(self, state: State, session: str) -> tuple[State, Sharing | None]:
        """Return the state that decides a session, and how it is shared; None where one policy decides alone."""
        stage, other = self.stage, state.candidate
        if stage is None or other is None:
            return state, None
        share = stage.share(state.settings.rollout.steps)
        if share <= 0.0:
            return state, None
        self._shared = True
        candidate = decides(session, stage.policy, share)
        rival = state if candidate else other
        sharing = Sharing(stage=stage, share=share, candidate=candidate, rival=rival if share < 1.0 else None)
        return (other if candidate else state), sharing

    def look(self, settings: Settings, read: Callable[[float], Iterable[Story]], now_ms: int) -> None:
        """Take the next step where what was measured allows it; `read` gives the stories decided since some epoch seconds."""
        stage = self.stage
        if stage is None or settings.candidate is None or not 0.0 < stage.share(settings.rollout.steps) < 1.0:
            return
        if not self._shared:
            return
        self._shared = False
        rollout = settings.rollout
        sessions = lived(read(stage.began_ms / 1000.0), stage, rollout.steps)
        after = look(stage, rollout.steps, sessions, tolerance=rollout.tolerance, now_ms=now_ms)
        if after != stage and self.stage is stage:
            self.stage = after
            if (after.step, after.stopped) != (stage.step, stage.stopped):
                log.warning("the rollout: %s", after.stopped or after.told)

    def save(self) -> None:
        """Write the stage when it has changed. Blocks on the disk. Raises StorageError."""
        stage = self.stage
        if self._path is not None and stage is not None and stage != self._kept:
            blob.replace(self._path, msgspec.json.encode(stage))
            self._kept = stage


def named(settings: Settings) -> str:
    """Return a short name of the two policies: another one for every change of either."""
    policies = [(s.routing, tuple(s.aliases.items())) for s in (settings, settings.candidate) if s is not None]
    return hashlib.blake2b(repr(policies).encode(), digest_size=6).hexdigest()


def alike(one: Settings, other: Settings) -> bool:
    """Return whether two policies differ in nothing that acts on a session beside its plans."""
    names = ("interventions", "pilot", "draft")
    return all(getattr(one.routing, name) == getattr(other.routing, name) for name in names)


def lived(stories: Iterable[Story], stage: Stage, steps: Sequence[float]) -> list[Lived]:
    """Return the sessions of this step in which the policies differed and an answer was judged, from the first difference on.

    `stories` in any order. Both sides are charged the candidate's H: it is what the operator holds to be true from now on.
    """
    sessions: dict[str, list[Story]] = {}
    for story in stories:
        plan = story.decision.plan if story.decision is not None else None
        rollout = plan.rollout if plan is not None else None
        if story.decision is None or rollout is None or not story.attempts:
            continue
        if (rollout.policy, rollout.step) == (stage.policy, stage.step + 1):
            sessions.setdefault(story.decision.session, []).append(story)
    found = (_one(_from_difference(each)) for each in sessions.values())
    return [one for one in found if one is not None]


def _from_difference(stories: list[Story]) -> list[Story]:
    stories.sort(key=lambda s: (s.decision.at_ms if s.decision is not None else 0, s.request_id))
    for at, story in enumerate(stories):
        if story.decision is not None and story.decision.plan is not None:
            rollout = story.decision.plan.rollout
            if rollout is not None and not rollout.same:
                return stories[at:]
    return []


def _one(stories: list[Story]) -> Lived | None:
    """Return the means per request of one session, None without a judged answer."""
    if not stories:
        return None
    judged = [(story, wrong) for story in stories if (wrong := _wrong(story)) is not None]
    if not judged:
        return None
    spend = sum(story.charged for story in stories) / NANO_PER_USD / len(stories)
    loss = sum(wrong * _repair(story) for story, wrong in judged) / len(judged)
    first = stories[0].decision
    plan = first.plan if first is not None else None
    return Lived(
        candidate=bool(plan is not None and plan.rollout is not None and plan.rollout.candidate),
        spend_usd=spend,
        wrong=sum(wrong for _, wrong in judged) / len(judged),
        total_usd=spend + loss,
    )


def _repair(story: Story) -> float:
    plan = story.decision.plan if story.decision is not None else None
    return plan.rollout.repair / NANO_PER_USD if plan is not None and plan.rollout is not None else 0.0


def _wrong(story: Story) -> float | None:
    """Return 1 for an answer that is known to be wrong, 0 for one that is not, None where nobody said."""
    told = [one for one in story.outcomes if one.accepted is not None]
    if told:
        surest = max(told, key=lambda one: one.weight)
        return float(not surest.accepted)
    given = story.decision.given if story.decision is not None else 0
    answers = [a for a in story.attempts if a.row.outcome in ("ok", "rejected")]
    chosen = [a for a in answers if a.row.attempt == given] or answers[-1:]
    verdict = combine(chosen[0].detail.result.verdicts) if chosen else Outcome.UNKNOWN
    return None if verdict is Outcome.UNKNOWN else float(verdict is Outcome.REJECT)
