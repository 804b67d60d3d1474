"""Holding edits that stand in the text of a Responses answer (`wire/edit_hold.py` says how).

What takes the place of a held edit goes on in the message that is open, or in a new one. It is pure.
"""

from __future__ import annotations

from typing import Any

from suffice.wire.edit_hold import EditsInText
from suffice.wire.responses_hold import ResponsesHold


class ResponsesEditHold(EditsInText, ResponsesHold):
    """The hold of a Responses client that reads edits out of the text."""

    def _added(self, edits: str, first: dict[str, Any]) -> bytes:
        # The end of the other answer closes the message that the edits stand in.
        out = b""
        if self._open is None:
            at = len(self._items)
            name = f"msg_{str(self._begun.get('id') or '').removeprefix('resp_')}_{at}"
            self._open = {"id": name, "type": "message", "status": "in_progress", "role": "assistant", "content": []}
            out += self._frame({"type": "response.output_item.added", "output_index": at, "item": self._open})
        if self._part is None:
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            out += self._frame({"type": "response.content_part.added", **self._place(), "part": part})
            self._part = []
        self._part.append(edits)
        delta = {"type": "response.output_text.delta", **self._place(), "delta": edits, "logprobs": []}
        return out + self._frame(delta)

    @staticmethod
    def _text(event: dict[str, Any]) -> str:
        text = event.get("delta") if event.get("type") == "response.output_text.delta" else None
        return text if isinstance(text, str) else ""
