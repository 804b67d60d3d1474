"""Signs that nobody meant as a report: the same ask again, "that's wrong", "undo". They speak of the session's request before.

Must not keep any words, only a digest of the last ask, and believes little (decision/evidence.py). What a client asks for by itself
(a title) is passed over. Invariant: a request gets
each sign at most once; a request that was never answered gets none, so that a client's retry is no sign.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

import msgspec

from suffice.decision.ask import words_of
from suffice.decision.complaint import complains, repeatable
from suffice.decision.evidence import ASKED_AGAIN, IMPLICIT, REJECTED
from suffice.decision.features import auxiliary
from suffice.gateway.outcomes import Outcomes
from suffice.gateway.recording import signals
from suffice.gateway.speech import CONVERSATIONS
from suffice.gateway.turn import Turn
from suffice.ledger.joining import Known, Served
from suffice.values.env import Env

SOURCE = "implicit"
AGAIN_S = 600.0
"""An ask repeated later than this is a new wish."""
LEAST_S = 2.0
"""Nobody reads an answer faster; a program that samples one prompt many times does not complain."""
_SESSIONS = 5_000


class _Last(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    served: Served
    ask: bytes
    at_mono_s: float


class Implicit:
    """Observes turns. `least_s` is the shortest time in which a person can be dissatisfied."""

    def __init__(self, env: Env, outcomes: Outcomes, least_s: float = LEAST_S) -> None:
        self._env = env
        self._outcomes = outcomes
        self.least_s = least_s
        self._last: OrderedDict[str, _Last] = OrderedDict()

    def observe(self, turn: Turn) -> None:
        """Judge the session's last request by this one, and remember this one when it was answered."""
        view = turn.view
        if turn.operation not in CONVERSATIONS or (not view.tool_names and auxiliary(view.system_text)):
            return
        now_s = self._env.monotonic()
        before = self._last.get(turn.session_key)
        asked = words_of(view.last_user_text) if view.last_roles[-1:] == ("user",) else ""
        digest = _digest(asked)
        if before is not None and asked and self.least_s <= turn.call.started_mono_s - before.at_mono_s <= AGAIN_S:
            if complains(asked):
                self._outcomes.note(before.served, REJECTED, IMPLICIT, SOURCE)
            elif digest and digest == before.ask:
                self._outcomes.note(before.served, ASKED_AGAIN, IMPLICIT, SOURCE)
        answered = turn.answer
        if answered is None:
            return
        # Between two asks of a person an agent makes many steps; the ask stays the one that they serve.
        ask = digest if asked or before is None else before.ask
        served = Served(known=_known(turn), attempt=answered.number, model=answered.arm.model, outcomes=())
        self._last[turn.session_key] = _Last(served=served, ask=ask, at_mono_s=now_s)
        self._last.move_to_end(turn.session_key)
        if len(self._last) > _SESSIONS:
            self._last.popitem(last=False)


def _digest(ask: str) -> bytes:
    text = repeatable(ask)
    return hashlib.blake2b(text, digest_size=16).digest() if text else b""


def _known(turn: Turn) -> Known:
    features, principal = turn.features, turn.principal
    return Known(
        request_id=turn.call.request_id,
        at_ms=int(turn.call.received_s * 1000),
        key_id=principal.key_id,
        owner=principal.owner,
        team=principal.team,
        session=turn.session_key,
        task=features.task.value,
        language=features.language,
        signals=signals(turn),
    )
