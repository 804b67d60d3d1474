"""A turn of an agent's run as its request shows it: what the last tool results say, and what that changes for the session.

Everything is counted; nothing is changed unless the configuration allows that kind of event to intervene, and until its
pilot has passed it acts on one half of the runs only (`decision/pilots.py`). When an allowed kind is confirmed, the
session's arm counts as tried on this task, the session is latched, and the task is believed to be harder, so that the plan
of this very turn goes to a stronger model. A repeat of the same request counts once.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import replace

import msgspec
import numpy as np

from suffice.decision.core import cell_of
from suffice.decision.events import Kind, read_all
from suffice.decision.pilots import Standing, Trial, acts
from suffice.decision.progress import Segment, advance
from suffice.decision.sessions import Session
from suffice.gateway.exchange import Exchange
from suffice.gateway.pilots import Pilots
from suffice.gateway.state import State
from suffice.values.task import Features
from suffice.wire.neutral import Request, Text, ToolCall
from suffice.wire.prescan import TopLevel
from suffice.wire.request_view import RequestView

log = logging.getLogger("suffice.decision")

# The name of what a confirmed event did, among a decision's signals.
INTERVENED = "intervened"
# How the name of what a pilot did begins; its kind and what it was follow.
PILOT = "pilot:"
# A prompt that shrinks from at least so many tokens to less than half of them was compacted.
COMPACTED_FROM_TOKENS = 8_000

_CALLS = re.compile(rb'"tool_calls"\s*:\s*\[\s*\{|"type"\s*:\s*"tool_use"')
# Names of tools that write files, and shell commands that do.
_WRITES = re.compile(
    rb'"name"\s*:\s*"[\w.-]*(?:write|edit|replace|patch|create|insert)[\w.-]*"|apply_patch|\bsed -i|\bcat >|\btee ',
    re.IGNORECASE,
)


class Said(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the model did last: its messages as bytes, whether it called tools, and whether one of them writes files."""

    raw: bytes = b""
    called: bool = False
    wrote: bool = False


class Runs:
    """Follows the runs of all sessions; keeps nothing but the `pilots`, as each session keeps its own progress."""

    def __init__(self, pilots: Pilots) -> None:
        self.pilots = pilots

    def happened(
        self,
        state: State,
        session: Session,
        key: str,
        top: TopLevel,
        view: RequestView,
        features: Features,
        exchange: Exchange | None = None,
    ) -> tuple[str, ...]:
        """Count the turn in `session` (of that key) and return the names of what happened, for the record. Never raises.

        `exchange` is the client's side where its dialect keeps the conversation elsewhere than in `messages`.
        """
        if not view.tool_names or not view.n_assistant:
            return ()
        try:
            said = _said(top) if exchange is None else _told(exchange.request)
            return self._happened(state, session, key, said, view, features)
        except Exception:
            log.exception("the events of a turn could not be read")
            return ()

    def _happened(
        self, state: State, session: Session, key: str, said: Said, view: RequestView, features: Features
    ) -> tuple[str, ...]:
        digest = hashlib.blake2b(said.raw, digest_size=16)
        for text in (str(view.n_messages), *view.tool_result_texts):
            digest.update(text.encode("utf-8", "surrogatepass"))
        if digest.digest() == session.progress.digest:
            return ()
        turn = Segment(
            events=read_all(view.tool_result_texts),
            wrote=said.wrote,
            compacted=features.prompt_tokens * 2 < session.prompt_tokens >= COMPACTED_FROM_TOKENS,
            done=_declared_done(state, session, said, view),
        )
        if not (view.tool_result_texts or turn.done or turn.compacted):
            return ()
        decided = self._decided(session, turn)
        before = session.progress.latch
        allowed = self._allowed(state)
        progress, names = advance(session.progress, turn, allowed)
        session.progress = replace(progress, digest=digest.digest())
        if progress.latch.escalated and not before.escalated and session.pinned is not None:
            kind = next(name for name in names if name in allowed)
            names += self._intervene(state, session, key, kind, features)
        return (*names, *decided)

    def _allowed(self, state: State) -> tuple[str, ...]:
        """Return the kinds that may act: those of the configuration whose pilot has not failed."""
        routing = state.settings.routing
        if not routing.pilot:
            return routing.interventions
        return tuple(kind for kind in routing.interventions if self.pilots.standing(kind) is not Standing.FAILED)

    def _intervene(self, state: State, session: Session, key: str, kind: str, features: Features) -> tuple[str, ...]:
        """Act on the run, or leave it alone where it is on that side of a pilot; return the names of what was done."""
        if not state.settings.routing.pilot or self.pilots.standing(kind) is Standing.PASSED:
            _escalate(state, session, features)
            return (INTERVENED,)
        session.trial = Trial(kind=kind, acted=acts(key, kind))
        if not session.trial.acted:
            return (f"{PILOT}{kind}:left alone",)
        _escalate(state, session, features)
        return (INTERVENED, f"{PILOT}{kind}:acts")

    def _decided(self, session: Session, turn: Segment) -> tuple[str, ...]:
        """Follow a run that is under a pilot; count it once it has come right, or had its time."""
        trial = session.trial
        if trial is None:
            return ()
        kinds = {event.kind for event in turn.events}
        passed = Kind.TESTS_PASSED in kinds and Kind.TESTS_FAILED not in kinds
        session.trial, good = trial.after(passed=passed)
        if good is None:
            return ()
        self.pilots.count(trial.kind, acted=trial.acted, good=good)
        return (f"{PILOT}{trial.kind}:{'came right' if good else 'did not come right'}",)


def _escalate(state: State, session: Session, features: Features) -> None:
    """Turn the session away from its arm."""
    arm = session.pinned
    assert arm is not None
    weights = session.posterior if isinstance(session.posterior, np.ndarray) else None
    cell = cell_of(features.task, features.language)
    for _ in range(session.progress.latch.events):
        weights = state.harder(weights, arm.model, cell, session.repo or "")
    session.posterior = weights
    session.failed(arm)
    session.latched = True


def _said(top: TopLevel) -> Said:
    """Return what the last assistant message of a `messages` list did, without decoding its values."""
    for row in reversed(top.objects("messages") or []):
        if bytes(row.get("role") or b"") == b'"assistant"':
            raw = b",".join(b'"' + key.encode() + b'":' + bytes(value) for key, value in row.items())
            return Said(raw=raw, called=_CALLS.search(raw) is not None, wrote=_WRITES.search(raw) is not None)
    return Said()


def _told(request: Request) -> Said:
    """Return what the last turn of the model did in a conversation of any dialect; a turn may be several messages."""
    parts: list[object] = []
    for message in reversed(request.messages):
        if message.role == "assistant":
            parts += reversed(message.parts)
        elif parts:
            break
    calls = [{"name": part.name, "arguments": part.arguments} for part in parts if isinstance(part, ToolCall)]
    written = msgspec.json.encode(calls)
    words = "".join(part.text for part in parts if isinstance(part, Text))
    raw = written + words.encode("utf-8", "surrogatepass") if parts else b""
    return Said(raw=raw, called=bool(calls), wrote=_WRITES.search(written) is not None)


def _declared_done(state: State, session: Session, said: Said, view: RequestView) -> bool:
    """True when a model that is not the strongest ended its work in words, and the user came back."""
    ended = bool(said.raw) and view.n_assistant > 1 and not view.tool_result_texts and not said.called
    return ended and session.pinned is not None and session.pinned.model != state.fleet.reference
