"""Holding edits that stand in the text of a Gemini answer (`wire/edit_hold.py` says how).

What takes the place of a held edit is a chunk of its own before the other answer's end. It is pure.
"""

from __future__ import annotations

from typing import Any

from suffice.wire.edit_hold import EditsInText
from suffice.wire.gemini_hold import GeminiHold, encoded


class GeminiEditHold(EditsInText, GeminiHold):
    """The hold of a Gemini client that reads edits out of the text."""

    def _added(self, edits: str, first: dict[str, Any]) -> bytes:
        chunk = {key: value for key, value in first.items() if key != "usageMetadata"}
        content = {"role": "model", "parts": [{"text": edits}]}
        chunk |= {"responseId": self._id or first.get("responseId"), "candidates": [{"content": content, "index": 0}]}
        return encoded(chunk)

    @staticmethod
    def _text(event: dict[str, Any]) -> str:
        candidates = event.get("candidates")
        first = candidates[0] if isinstance(candidates, list) and candidates else None
        content = first.get("content") if isinstance(first, dict) else None
        parts = content.get("parts") if isinstance(content, dict) else None
        found = [p for p in parts or () if isinstance(p, dict) and not p.get("thought")]
        return "".join(p["text"] for p in found if isinstance(p.get("text"), str))
