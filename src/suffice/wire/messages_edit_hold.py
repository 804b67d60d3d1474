"""Holding edits that stand in the text of a Messages answer (`wire/edit_hold.py` says how).

What takes the place of a held edit goes on in the text block that is open, or in a new one. It is pure.
"""

from __future__ import annotations

from typing import Any

from suffice.wire.edit_hold import EditsInText
from suffice.wire.messages_hold import MessagesHold, encoded


class MessagesEditHold(EditsInText, MessagesHold):
    """The hold of a Messages client that reads edits out of the text."""

    def _added(self, edits: str, first: dict[str, Any]) -> bytes:
        # The end of the other answer closes the block that the edits stand in.
        out = b""
        if self._open is None:
            self._open = self._next
            block = {"type": "text", "text": ""}
            out = encoded({"type": "content_block_start", "index": self._open, "content_block": block})
        delta = {"type": "text_delta", "text": edits}
        return out + encoded({"type": "content_block_delta", "index": self._open, "delta": delta})

    @staticmethod
    def _text(event: dict[str, Any]) -> str:
        delta = event.get("delta")
        text = delta.get("text") if isinstance(delta, dict) and delta.get("type") == "text_delta" else None
        return text if isinstance(text, str) else ""
