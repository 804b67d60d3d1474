"""What providers' own counts teach about our estimates of prompts: one ratio for each model and each kind of estimate.

Two estimates are corrected: the one by size that every request gets (for headers, and for charges where no usage comes), and the
one by classes of bytes that answers `count_tokens`. In memory only: a few requests teach it anew. Invariant: a provider's count is
never changed, and a ratio stays within the bounds of `wire.tokens.Correction`.
"""

from __future__ import annotations

from suffice.gateway.speech import CONVERSATIONS
from suffice.gateway.turn import Turn
from suffice.wire.tokens import Correction, Estimator, family_of

# The estimate by classes costs milliseconds on a long body: one request in so many is enough, and none beyond this size.
_ONE_IN = 8
_MOST_BYTES = 128 * 1024
_MOST_MODELS = 4096


class TokenCorrections:
    """Learns from turns (`observe`) and corrects. Shared by all requests; knows models only."""

    def __init__(self) -> None:
        self._sizes: dict[str, Correction] = {}
        self._bodies: dict[str, Correction] = {}
        self._estimator = Estimator()

    def observe(self, turn: Turn) -> None:
        """Learn from a turn that ended in its first answer, with usage that the provider told."""
        if len(turn.tried) != 1 or turn.features.needs_vision:
            return  # a second attempt carries more than the request; nobody counts images by their bytes
        (only,) = turn.tried
        usage, model = only.usage, only.arm.model
        if only.outcome not in ("ok", "rejected") or usage.estimated or usage.suspect or not usage.prompt_tokens:
            return
        known = self._sizes.get(model)
        if known is None:
            if len(self._sizes) >= _MOST_MODELS:
                return
            known = Correction()
        self._sizes[model] = now = known.observe(turn.features.prompt_tokens, usage.prompt_tokens)
        if now.seen % _ONE_IN == 1 and now is not known:
            self._look(turn, model, usage.prompt_tokens)

    def _look(self, turn: Turn, model: str, real_tokens: int) -> None:
        body = turn.call.body
        # What is stored here of a conversation was counted by the provider and does not stand in the body.
        whole = turn.view.total_bytes <= len(body)
        if turn.operation in CONVERSATIONS and whole and len(body) <= _MOST_BYTES:
            estimated = self._estimator.estimate(body, family_of(model))
            self._bodies[model] = self._bodies.get(model, Correction()).observe(estimated, real_tokens)

    def by_size(self, model: str, tokens: int) -> int:
        """Return an estimate by size as `model` would count."""
        known = self._sizes.get(model)
        return tokens if known is None else known.apply(tokens)

    def of_body(self, model: str, tokens: int) -> int:
        """Return an estimate of a body, by classes of bytes, as `model` would count."""
        known = self._bodies.get(model)
        return tokens if known is None else known.apply(tokens)
