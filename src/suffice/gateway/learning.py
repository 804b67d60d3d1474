"""What a finished turn teaches: every verdict with evidence, every bill, once each.

A verdict of a check that ran the code counts more than one of a gate that only read it; an answer that nobody judged teaches its
length and nothing else. The task's difficulty travels with the session while its last answer was rejected.
"""

from __future__ import annotations

from collections.abc import Callable

from suffice.decision.core import CHECKS, STATIC, Core, cell_of
from suffice.decision.grid import Floats
from suffice.decision.latency import Latencies
from suffice.decision.repository import repo_of
from suffice.gateway.ladder import Watch
from suffice.gateway.pacing import Pacing
from suffice.gateway.speech import CONVERSATIONS
from suffice.gateway.turn import Attempted, Turn
from suffice.ledger.records import REVIEWED
from suffice.values.env import Env
from suffice.values.plan import Mode
from suffice.values.verdict import Outcome

# How far the verdict of a check of each strength, and a rejection by a gate that reads, can be believed as a label.
RELIABILITY = {"decides": 1.0, "full": 1.0, "related": 0.9, "lint": 0.3}
READ_REJECTION = 0.9

Alarm = Callable[[str], None]


class Learning:
    """Teaches the core. `alarm` is told of drift (`drift:<model>`), `watch` of predictions, `latencies` of times, `pacing` of money."""

    def __init__(
        self,
        core: Core,
        env: Env,
        alarm: Alarm,
        watch: Watch | None = None,
        latencies: Latencies | None = None,
        pacing: Pacing | None = None,
    ) -> None:
        self._core = core
        self._env = env
        self._alarm = alarm
        self._watch = watch
        self._latencies = latencies
        self._pacing = pacing

    def observe(self, turn: Turn) -> None:
        """Learn from `turn`; every whole answer teaches its time, every turn its cost.

        Requests whose words were not read have no cell, and teach nothing else.
        """
        if self._pacing is not None:
            self._pacing.observe(turn)
        if self._latencies is not None and turn.operation in CONVERSATIONS:
            for attempt in turn.tried:
                if attempt.outcome in ("ok", "rejected"):
                    self._latencies.seen(attempt.arm, attempt.total_s)
        if "pinned" in turn.features.signals or turn.operation == "embeddings":
            return
        cell, repo = cell_of(turn.features.task, turn.features.language), repo_of(turn.features.signals)
        weights: Floats | None = None
        for attempt in turn.tried:
            if attempt.arm.mode is Mode.REVIEW and attempt.outcome == REVIEWED and not attempt.usage.estimated:
                # An arm of its own: what a review is long says nothing of the answers of its model.
                self._core.bill(model=attempt.arm.name, cell=cell, output_tokens=attempt.usage.completion_tokens)
            if attempt.outcome not in ("ok", "rejected"):
                continue
            if attempt.usage.completion_tokens and not attempt.usage.estimated:
                judged = _judgement(turn, attempt)
                self._core.bill(
                    model=attempt.arm.model,
                    cell=cell,
                    output_tokens=attempt.usage.completion_tokens,
                    success=judged[0] if judged is not None else None,
                )
            weights = self._label(turn, attempt, cell, weights, repo)
        turn.session.posterior = None if turn.repaired else weights

    def _label(
        self, turn: Turn, attempt: Attempted, cell: int, weights: Floats | None, repo: str
    ) -> Floats | None:  # fmt: skip
        """Teach one attempt's label; return the task's difficulty as it is believed after it, None when it was solved."""
        judged = _judgement(turn, attempt)
        if judged is None:
            return weights
        success, reliability, gate = judged
        if (
            self._watch is not None
            and attempt.number == turn.tried[0].number
            and gate != STATIC
            and not turn.plan.fallback
        ):
            # A gate that only reads labels its rejections alone: those would make every prediction look too high.
            expected = [c.p_success for c in turn.plan.candidates if c.arm == attempt.arm and not c.masked_by]
            if expected:
                self._watch.judged(expected[0], right=success)
        if attempt.arm.mode is Mode.RETRY:
            # An answer that was told its own defect says little of what the model does unaided.
            return None if success else self._core.rejected(weights, attempt.arm.model, cell, gate, repo)
        note = self._core.learn(
            label_id=f"{turn.call.request_id}/{attempt.number}",
            model=attempt.arm.model,
            cell=cell,
            success=success,
            reliability=reliability,
            at_s=self._env.now(),
            weights=weights,
            repo=repo,
            # A gate that only reads labels its rejections alone.
            calibrates=gate != STATIC,
        )
        if note.startswith("drift"):
            self._alarm(note)
        return None if success else self._core.rejected(weights, attempt.arm.model, cell, gate, repo)


def _judgement(turn: Turn, attempt: Attempted) -> tuple[bool, float, str] | None:
    for verdict in attempt.verdicts:
        if verdict.gate.startswith("check:") and verdict.outcome is not Outcome.UNKNOWN:
            strength = turn.strength or "related"
            return verdict.outcome is Outcome.ACCEPT, RELIABILITY[strength], CHECKS[strength]
    if any(v.rejected for v in attempt.verdicts):
        return False, READ_REJECTION, STATIC
    return None
