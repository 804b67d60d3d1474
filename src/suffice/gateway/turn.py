"""One request in flight: everything that its stages have found out so far.

A `Turn` is one request of a session. It is filled from top to bottom by `pipeline.py` and read by everybody after; nothing
in it outlives the request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from suffice.decision.belief import Onward, Tried
from suffice.decision.sessions import Session
from suffice.decision.virtual import Target
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.exchange import Exchange
from suffice.gateway.fleet import Fleet
from suffice.gateway.reply import Reply
from suffice.upstream.fault_matrix import Charge
from suffice.values.plan import Arm, Plan
from suffice.values.task import Features
from suffice.values.usage import Usage
from suffice.values.verdict import Verdict
from suffice.wire.prescan import TopLevel
from suffice.wire.request_view import RequestView

Reconsider = Callable[[Sequence[Tried]], Onward | None]


# How a review ends that leaves an answer to give: the draft as it is, or with the reviewer's edits.
APPROVED, REPAIRED = "approved", "repaired"


class Attempted(msgspec.Struct, kw_only=True):
    """One attempt that is over, for the record and for the next decision. `outcome` is ok, rejected, failed, cancelled, or reviewed
    (a review of a draft: no answer).

    `begun_s` is how long a stream took to begin, 0 when it did not. Not `priced`, it was used at an unknown price:
    `cost_nano` is 0 and means nothing. `apart`: the provider's own price is far from the catalogue's.
    """

    number: int
    arm: Arm
    outcome: str
    cost_nano: int
    priced: bool = True
    usage: Usage
    reference_nano: int = -1
    verdicts: tuple[Verdict, ...] = ()
    fault: Any = None
    estimated: bool = False
    delay_s: float = 0.0
    empty: bool = False
    total_s: float = 0.0
    begun_s: float = 0.0
    apart: bool = False


class Handed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run that was taken over from the model `left`: what the next one is told, and the cached prompt that is lost with it."""

    left: str
    brief: str
    lost_cache_tokens: int


class Drafted(msgspec.Struct, kw_only=True):
    """A turn whose first answer is a draft for `review` to look at: how that ended (empty: not yet), and what the gates say of the
    text that is given after it."""

    draft: Arm
    review: Arm
    ending: str = ""
    verdicts: tuple[Verdict, ...] = ()

    @property
    def told(self) -> str:
        """One line for headers and records."""
        return f"drafted by {self.draft.name}, reviewed by {self.review.fresh.name}: {self.ending or 'not ended'}"


class Turn(msgspec.Struct, kw_only=True):
    """The state of one request.

    `fleet` is the configuration's that was current when the request was read: a reload in between changes nothing for it.
    `operation` is the client's dialect or service (chat, messages, completions, embeddings, ...); `check` names an operator's
    check or is empty; `cap` is how many answers may be tried; `mode` is what a stream waits for (`modes.py`); `down` are the
    arms that were out of order when the plan was made, with the reasons; `exchange` is the client's side of a translation, once
    one was needed; `reconsider` plans again after verdicts, None where the plan did not rest on a check; `given` is the
    position in `answered` of the answer that is given, the last unless another is more likely right; `paced` is the pressure of
    budgets that are spent too fast; `handed` is set where the plan's first arm takes a run over; `begun` counts the
    attempts that were begun; `hedge_s` is how long a stream may not have begun before another arm is asked too (0: as learned, below
    0: never), `hedged` the arm that was; `outrun` is true while an attempt is ended because another one spoke first; `draft`: the
    operator allows drafts; `drafted` is set
    where one model drafts and another reviews.
    """

    call: Call
    principal: Principal
    reply: Reply
    fleet: Fleet
    operation: str
    top: TopLevel
    view: RequestView
    features: Features
    target: Target
    session_key: str
    session: Session
    plan: Plan
    pressure: float = 0.0
    remaining_nano: int | None = None
    check: str = ""
    strength: str = ""
    gate: str = ""
    cap: int = 1
    mode: str = ""
    down: Mapping[Arm, str] = msgspec.field(default_factory=dict)
    tried: list[Attempted] = msgspec.field(default_factory=list)
    exchange: Exchange | None = None
    reconsider: Reconsider | None = None
    given: int = -1
    paced: float = 0.0
    handed: Handed | None = None
    begun: int = 0
    hedge_s: float = -1.0
    hedged: str = ""
    outrun: bool = False
    draft: bool = False
    drafted: Drafted | None = None

    @property
    def repaired(self) -> bool:
        """True when the answer that is given is a draft with another model's repairs: it shows what neither does alone."""
        return self.drafted is not None and self.drafted.ending == REPAIRED

    @property
    def attempts(self) -> int:
        """How many attempts were begun and ended so far."""
        return len(self.tried)

    @property
    def answered(self) -> tuple[Arm, ...]:
        """The arms that gave an answer so far, good or not, oldest first."""
        return tuple(a.arm for a in self.tried if a.outcome in ("ok", "rejected"))

    @property
    def priced(self) -> bool:
        """False when an attempt was used whose price nobody knows: `cost_nano` is then too low by an unknown amount."""
        return all(a.priced for a in self.tried)

    @property
    def worked(self) -> bool:
        """True when an attempt ended in which a provider may have done work."""
        return any(a.fault is None or a.fault.charge is not Charge.NONE for a in self.tried)

    @property
    def answer(self) -> Attempted | None:
        """The attempt whose answer is given, None while there is none."""
        found = [a for a in self.tried if a.outcome in ("ok", "rejected")]
        return found[self.given] if -len(found) <= self.given < len(found) else None

    @property
    def cost_nano(self) -> int:
        """What all attempts so far cost together, in nano-dollars."""
        return sum(a.cost_nano for a in self.tried)
