"""Holding edits that stand in the text of a Messages answer (`wire/edit_hold.py` says how).

What takes the place of a held edit goes on in the text block that is open, or in a new one. It is pure.
"""

from __future__ import annotations

from typing import Any

from suffice.values.usage import Usage
from suffice.wire.edit_hold import EditsInText, edits_of
from suffice.wire.hold import objects
from suffice.wire.messages_hold import MessagesHold, encoded, with_usage


class MessagesEditHold(EditsInText, MessagesHold):
    """The hold of a Messages client that reads edits out of the text."""

    def _action_of(self, other: bytes, usage: Usage) -> bytes:
        edits = edits_of(self._said(other))
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
            for one in objects(other)
            if one.get("type") in ("message_delta", "message_stop")
        )
        return b"".join(out)

    @staticmethod
    def _text(event: dict[str, Any]) -> str:
        delta = event.get("delta")
        text = delta.get("text") if isinstance(delta, dict) and delta.get("type") == "text_delta" else None
        return text if isinstance(text, str) else ""
