"""Whose thinking is whose: state of reasoning is tagged with its issuer and goes back only to its issuer.

Three means, all pure. A *seal* writes the issuer into the opaque string that a client carries for us, so that it comes back
with its owner's name. A `ReasoningMemory`, kept by the caller for a session, holds by tool-call id what clients drop. And
`for_issuer` takes out of a request what the chosen provider could not read, so that a switch of providers never bricks a
session. A body that holds `SEAL` must not be passed through byte for byte: it carries state that only we can unwrap.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable

import msgspec

from suffice.wire.neutral import (
    Event,
    Message,
    Part,
    Reasoning,
    ReasoningDelta,
    ReasoningEnd,
    Request,
    ToolCall,
    ToolReady,
)

SEAL = "sfx1."
MAX_ENTRIES = 4096
MAX_BYTES = 16 * 1024 * 1024


def seal(issuer: str, state: str, *, item_id: str = "", encrypted: bool = False) -> str:
    """Return opaque `state` with its issuer and kind written in front; without an issuer it stays as it is.

    An empty state is sealed too: it then says only whose the text beside it is.
    """
    if not issuer:
        return state
    return ".".join((SEAL[:-1], issuer.replace(".", "%2e"), "e" if encrypted else "s", item_id, state))


def unseal(state: str, otherwise: str) -> tuple[str, str]:
    """Return (issuer, state) of a string that a client sent back; `otherwise` is the issuer of one that has no seal."""
    found = unsealed("", state, otherwise)
    return found.issuer, found.signature or found.encrypted


def unsealed(text: str, state: str, otherwise: str) -> Reasoning:
    """Return the reasoning block of a visible text and the opaque string beside it."""
    pieces = state.split(".", 4)
    if len(pieces) != 5 or pieces[0] != SEAL[:-1]:
        return Reasoning(text=text, signature="" if state.startswith(SEAL) else state, issuer=otherwise)
    _, issuer, kind, item_id, rest = pieces
    return Reasoning(
        text=text,
        signature=rest if kind == "s" else "",
        encrypted=rest if kind == "e" else "",
        issuer=issuer.replace("%2e", "."),
        item_id=item_id,
    )


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """What came with one tool call: the thinking before it, and the state on the call itself with its issuer."""

    reasoning: tuple[Reasoning, ...] = ()
    signature: str = ""
    issuer: str = ""

    @property
    def size(self) -> int:
        """Characters held."""
        return len(self.signature) + sum(len(r.text) + len(r.signature) + len(r.encrypted) for r in self.reasoning)


class ReasoningMemory:
    """Reasoning by tool-call id, the least recently used forgotten first. Scope it by tenant and session: ids are not secret.

    Bounded in entries and characters; a single entry over the bound is not kept.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES, max_size: int = MAX_BYTES) -> None:
        self._kept: OrderedDict[str, Remembered] = OrderedDict()
        self._max_entries = max_entries
        self._max_size = max_size
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def remember(self, call_id: str, entry: Remembered) -> None:
        """Keep `entry` for a call; nothing is kept when there is nothing to keep or it is too large."""
        old = self._kept.pop(call_id, None)
        self.size -= old.size if old else 0
        if not call_id or not entry.size or entry.size > self._max_size:
            return
        self._kept[call_id] = entry
        self.size += entry.size
        while len(self._kept) > self._max_entries or self.size > self._max_size:
            self.size -= self._kept.popitem(last=False)[1].size

    def recall(self, call_id: str) -> Remembered | None:
        """Return what came with a call, or None."""
        entry = self._kept.get(call_id)
        if entry is not None:
            self._kept.move_to_end(call_id)
        return entry

    def learn(self, events: Iterable[Event]) -> None:
        """Keep the reasoning of an answer under the ids of its calls (all of it under the first one, signatures under each)."""
        blocks = fold(events_list := list(events))
        for event in events_list:
            if type(event) is ToolReady:
                call = event.call
                self.remember(call.id, Remembered(reasoning=blocks, signature=call.signature, issuer=call.issuer))
                blocks = ()

    def restore(self, request: Request) -> Request:
        """Return `request` with forgotten reasoning put back before the calls it belongs to."""
        if not self._kept:
            return request
        messages = tuple(self._restored(m) if m.role == "assistant" else m for m in request.messages)
        return msgspec.structs.replace(request, messages=messages)

    def _restored(self, message: Message) -> Message:
        found: list[Reasoning] = []
        parts = list(message.parts)
        for at, part in enumerate(parts):
            entry = self.recall(part.id) if isinstance(part, ToolCall) else None
            if entry is None or not isinstance(part, ToolCall):
                continue
            found += entry.reasoning
            if entry.signature and not part.signature:
                parts[at] = msgspec.structs.replace(part, signature=entry.signature, issuer=entry.issuer)
        has = any(isinstance(p, Reasoning) and (p.signature or p.encrypted) for p in parts)
        if found and not has:
            parts = [*found, *(p for p in parts if not isinstance(p, Reasoning))]
        return msgspec.structs.replace(message, parts=tuple(parts))


def fold(events: Iterable[Event]) -> tuple[Reasoning, ...]:
    """Return the reasoning blocks of an answer's events."""
    blocks: list[Reasoning] = []
    text: list[str] = []
    issuer, summary = "", False
    for event in events:
        if type(event) is ReasoningDelta:
            text.append(event.text)
            issuer, summary = event.issuer, event.summary
        elif type(event) is ReasoningEnd:
            blocks.append(
                Reasoning(
                    text="".join(text),
                    signature=event.signature,
                    encrypted=event.encrypted,
                    issuer=event.issuer or issuer,
                    item_id=event.item_id,
                    summary=summary,
                )
            )
            text = []
    if text:
        blocks.append(Reasoning(text="".join(text), issuer=issuer, summary=summary))
    return tuple(blocks)


def owned(request: Request, dialect: str, issuer: str, issuer_of: Callable[[str], str] = lambda state: "") -> Request:
    """Return `request` with state that came without a name (tagged with its `dialect`) said to be of its issuer.

    `issuer_of` returns who issued a state, "" when nobody remembers: then it is of `issuer`, where that is not empty.
    """

    def named(part: Part) -> Part:
        if isinstance(part, Reasoning | ToolCall) and part.issuer == dialect:
            state = part.signature if isinstance(part, ToolCall) else part.signature or part.encrypted
            found = issuer_of(state) or issuer
            return msgspec.structs.replace(part, issuer=found) if found else part
        return part

    messages = tuple(
        msgspec.structs.replace(m, parts=tuple(named(p) for p in m.parts)) if m.role == "assistant" else m
        for m in request.messages
    )
    return msgspec.structs.replace(request, messages=messages)


def for_issuer(request: Request, allowed: Collection[str]) -> tuple[Request, bool]:
    """Return `request` without reasoning and call state of issuers outside `allowed`, and whether anything was taken out."""
    lost = False
    messages: list[Message] = []
    for message in request.messages:
        if message.role != "assistant" or all(not _foreign(p, allowed) for p in message.parts):
            messages.append(message)
            continue
        lost = True
        parts = tuple(
            msgspec.structs.replace(p, signature="", issuer="")
            if isinstance(p, ToolCall) and _foreign(p, allowed)
            else p
            for p in message.parts
            if not (isinstance(p, Reasoning) and _foreign(p, allowed))
        )
        messages.append(msgspec.structs.replace(message, parts=parts))
    if not lost:
        return request, False
    return msgspec.structs.replace(request, messages=tuple(messages)), True


def _foreign(part: object, allowed: Collection[str]) -> bool:
    if isinstance(part, Reasoning):
        return part.issuer not in allowed
    return isinstance(part, ToolCall) and bool(part.signature) and part.issuer not in allowed
