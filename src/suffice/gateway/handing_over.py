"""A run of an agent that changes its model in the middle: the next one gets a brief, and what the change loses is counted.

Only an intervention hands over (`segments.py`): a model that fails over to another endpoint, or a plan that changed for its price,
leaves no run behind that did not get on. It decides nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from suffice.decision.handover import brief
from suffice.gateway.exchange import exchange_of
from suffice.gateway.segments import INTERVENED
from suffice.gateway.speech import CONVERSATIONS
from suffice.gateway.turn import Handed, Turn
from suffice.ledger.redact import Redactor

log = logging.getLogger("suffice.gateway")


def handed(turn: Turn, now_s: float) -> Handed | None:
    """Return what the plan's first arm is told when it takes a run over from another model, None when it does not.

    Never raises: without a brief the run goes on with the conversation alone.
    """
    left = turn.session.pinned
    if left is None or INTERVENED not in turn.features.signals or turn.plan.first.model == left.model:
        return None
    lost = turn.session.prompt_tokens if turn.session.warm(left, now_s) else 0
    text = ""
    # A message behind an answer that the client has begun itself would end what is to be continued.
    if turn.operation in CONVERSATIONS and turn.view.last_roles[-1:] != ("assistant",):
        try:
            request = (turn.exchange or exchange_of(turn.operation, turn.call)).request
            text = brief(request, turn.features.signals, _masked(Redactor()))
        except Exception:
            log.exception("a run could not be summed up")
    return Handed(left=left.model, brief=text, lost_cache_tokens=lost)


def _masked(redactor: Redactor) -> Callable[[str], str]:
    return lambda text: redactor.mask(text.encode("utf-8", "replace")).decode("utf-8", "replace")
