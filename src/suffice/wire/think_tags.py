"""Thinking that a model writes into its text between `<think>` and `</think>`, told apart as it streams.

Only a tag at the very beginning of the answer counts: later ones may be part of what the model was asked to write.
"""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkSplitter:
    """Text in, (text, is_thinking) pieces out. `settled` is True once the rest of the stream is plain text.

    Line ends next to the tags are layout and are left out.
    """

    def __init__(self) -> None:
        self.settled = False
        self._inside = False
        self._eat = False
        self._held = ""

    def feed(self, text: str) -> list[tuple[str, bool]]:
        """Return the pieces that `text` decides."""
        if self.settled:
            return [(text, False)] if text else []
        self._held += text
        if not self._inside and not self._eat:
            start = self._held.lstrip()
            if not start or (len(start) < len(_OPEN) and _OPEN.startswith(start)):
                return []
            if not start.startswith(_OPEN):
                return self.close()
            self._inside = self._eat = True
            self._held = start[len(_OPEN) :]
        out: list[tuple[str, bool]] = []
        if self._inside:
            self._thinking(out)
        if not self._inside:
            self._held = self._held.lstrip("\n")
            if self._held:
                out += self.close()
        return out

    def _thinking(self, out: list[tuple[str, bool]]) -> None:
        if self._eat:
            self._held = self._held.lstrip("\n")
            self._eat = not self._held
        thought, found, rest = self._held.partition(_CLOSE)
        if found:
            self._inside, self._eat, self._held = False, True, rest
        else:
            keep = next((n for n in range(len(_CLOSE) - 1, 0, -1) if self._held.endswith(_CLOSE[:n])), 0)
            thought, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        if thought:
            out.append((thought, True))

    def close(self) -> list[tuple[str, bool]]:
        """Return what is still held; nothing is lost."""
        held, self._held, self.settled = self._held, "", True
        return [(held, self._inside)] if held else []
