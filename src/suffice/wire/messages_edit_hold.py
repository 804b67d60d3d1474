"""Holding edits that stand in the text of a Messages answer (`wire/edit_hold.py` says how).

What takes the place of a held edit goes on in the text block that is open, or in a new one. It is pure.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.values.usage import Usage
from suffice.wire import sse
from suffice.wire.edit_hold import Opening, edits_of
from suffice.wire.hold import Kind, payloads
from suffice.wire.messages_hold import MessagesHold, decoded, encoded, with_usage


class MessagesEditHold(MessagesHold):
    """The hold of a Messages client that reads edits out of the text."""

    in_text = True

    def __init__(self, request_id: str = "") -> None:
        super().__init__(request_id)
        self._opening = Opening()

    def _kind(self, piece: bytes) -> Kind:
        kind = super()._kind(piece)
        return self._opening.kind(_said(piece)) if kind is Kind.SEEN else kind

    def _action_of(self, other: bytes, usage: Usage) -> bytes:
        edits = edits_of("".join(_text(one) for one in decoded(other)))
        out: list[bytes] = []
        index = self._next if self._open is None else self._open
        if edits and self._open is None:
            block = {"type": "text", "text": ""}
            out.append(encoded({"type": "content_block_start", "index": index, "content_block": block}))
        if edits:
            delta = {"type": "text_delta", "text": edits}
            out.append(encoded({"type": "content_block_delta", "index": index, "delta": delta}))
        if edits or self._open is not None:
            out.append(encoded({"type": "content_block_stop", "index": index}))
        out += (
            encoded(with_usage(one, usage))
            for one in decoded(other)
            if one.get("type") in ("message_delta", "message_stop")
        )
        return b"".join(out)


def _said(piece: bytes) -> str:
    """Return the text of the events in `piece`, thinking left out."""
    out = []
    for data in payloads(piece):
        if data == sse.DONE:
            continue
        try:
            one = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError):
            continue
        out.append(_text(one) if isinstance(one, dict) else "")
    return "".join(out)


def _text(one: dict[str, Any]) -> str:
    delta = one.get("delta")
    text = delta.get("text") if isinstance(delta, dict) and delta.get("type") == "text_delta" else None
    return text if isinstance(text, str) else ""
