"""What a finished turn leaves behind: the decision in the ledger, the session's memory, and the counters.

Called once per request, in a `finally`; never raises into the request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from suffice.gateway.turn import Turn
from suffice.ledger.book import Ledger
from suffice.ledger.records import DecisionRecord
from suffice.values.env import Env
from suffice.values.money import NanoUsd

log = logging.getLogger("suffice.gateway")

# How long a provider keeps a prompt cache when the catalogue does not say, in seconds.
DEFAULT_CACHE_TTL_S = 300.0

Observer = Callable[[Turn], None]


class Recording:
    """Records turns. `observers` are told of each (metrics, learning)."""

    def __init__(self, *, env: Env, ledger: Ledger, observers: tuple[Observer, ...] = ()) -> None:
        self._env = env
        self._ledger = ledger
        self._observers = observers

    def record(self, turn: Turn) -> None:
        """Keep why the request went where it went, and what the session now knows."""
        try:
            self._ledger.decide(decision(turn))
            self._remember(turn)
            for observer in self._observers:
                observer(turn)
        except Exception:
            log.exception("request %s could not be recorded", turn.call.request_id)

    def _remember(self, turn: Turn) -> None:
        last = turn.tried[-1] if turn.tried else None
        if last is not None and turn.given >= 0:
            last = turn.answer
        if last is None or last.outcome not in ("ok", "rejected"):
            return
        served = turn.fleet.by_arm[last.arm.fresh]
        turn.session.answered(
            last.arm.fresh,
            now_s=self._env.monotonic(),
            prompt_tokens=last.usage.prompt_tokens,
            cache_ttl_s=float(served.provider.cache.ttl_s or DEFAULT_CACHE_TTL_S),
            cost=NanoUsd(turn.cost_nano),
        )


def signals(turn: Turn) -> tuple[str, ...]:
    """Return what the request showed, and what was done that no plan shows."""
    found = list(turn.features.signals)
    if turn.mode:
        found.append(f"mode:{turn.mode}")
    if turn.hedged:
        found.append(f"hedged:{turn.hedged}")
    if turn.drafted is not None:
        found.append(f"draft:{turn.drafted.told}")
    if turn.handed is not None:
        found += (f"handed-over-from:{turn.handed.left}", f"cache-tokens-lost:{turn.handed.lost_cache_tokens}")
    return tuple(found)


NEEDS = ("tools", "vision", "structured")


def decision(turn: Turn) -> DecisionRecord:
    """Return the ledger's record of a turn's decision."""
    features, principal = turn.features, turn.principal
    return DecisionRecord(
        request_id=turn.call.request_id,
        at_ms=int(turn.call.received_s * 1000),
        key_id=principal.key_id,
        owner=principal.owner,
        team=principal.team,
        session=turn.session_key,
        task=features.task.value,
        language=features.language,
        model_requested=turn.target.name,
        reference_model=turn.fleet.reference,
        signals=signals(turn),
        pressure=max(turn.pressure, turn.paced),
        plan=turn.plan,
        prompt_tokens=features.prompt_tokens,
        max_output_tokens=features.max_output_tokens,
        needs=tuple(name for name in NEEDS if getattr(features, f"needs_{name}")),
        gate=turn.gate,
        attempts=turn.cap,
        given=turn.answer.number if turn.answer is not None and turn.given >= 0 else 0,
    )
