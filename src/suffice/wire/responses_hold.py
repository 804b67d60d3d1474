"""Holding the tool calls of a Responses stream (`wire/hold.py` says how).

Tools that the provider runs itself are no action of the client and flow. An answer's encrypted reasoning goes with its calls,
because a provider of the dialect wants it back with them; its summary does not, which is prose. It is pure.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from suffice.errors import SufficeError
from suffice.values.usage import Usage
from suffice.wire import errors, sse
from suffice.wire.hold import Hold, Kind, objects
from suffice.wire.responses_object import report

_KIND = re.compile(rb'"type"\s*:\s*"(response\.[a-z_.]{1,60})"')
_NUMBER = re.compile(rb'"sequence_number"\s*:\s*([0-9]{1,15})')
_TYPE = re.compile(rb'"type"\s*:\s*"([a-z_]{1,60})"')
_OPENS = frozenset({b"response.content_part.added", b"response.reasoning_summary_part.added"})
_ITEM = (b"response.output_item.added", b"response.output_item.done")
# Items that the client carries out.
ACTIONS = frozenset(
    {"function_call", "custom_tool_call", "local_shell_call", "shell_call", "apply_patch_call", "computer_call"}
    | {"tool_search_call", "mcp_approval_request"}
)
_ACTING = frozenset(kind.encode() for kind in ACTIONS)
_TERMINAL = ("response.completed", "response.incomplete")


class ResponsesHold(Hold):
    """The hold of a client that speaks Responses.

    After `replaced`: `response` is the final object as the client sees it, and its first `own` items are the stream's own.
    """

    dialect = errors.RESPONSES

    def __init__(self, request_id: str = "") -> None:
        super().__init__(request_id)
        self._begun: dict[str, Any] = {}
        self._items: list[dict[str, Any]] = []
        self._number = 0
        # A message whose end has not come, and the text of its part that is open.
        self._open: dict[str, Any] | None = None
        self._part: list[str] | None = None
        self.response: dict[str, Any] | None = None

    @property
    def own(self) -> int:
        """How many items of the first answer the client has."""
        return len(self._items) if self.spoke else 0

    def _kind(self, piece: bytes) -> Kind:
        found = _KIND.search(piece)
        kind = found[1] if found is not None else b""
        if kind.endswith(b".delta"):
            return Kind.ACTS if b"_call" in kind else Kind.SEEN
        if kind in _ITEM and not _ACTING.isdisjoint(_TYPE.findall(piece)):
            return Kind.ACTS
        if kind.decode() in _TERMINAL:
            return Kind.ENDS
        return Kind.OPENS if kind in _OPENS or kind == _ITEM[0] else Kind.FOLLOWS

    def _released(self, piece: bytes) -> None:
        number = _NUMBER.search(piece)
        if number is not None:
            self._number = int(number[1]) + 1
        found = _KIND.search(piece)
        kind = found[1] if found is not None else b""
        if kind == b"response.created":
            self._begun = _first(piece).get("response") or {}
        elif kind == _ITEM[0]:
            item = _first(piece).get("item") or {}
            self._open = {**item, "content": []} if item.get("type") == "message" else None
            self._part = None
        elif kind == b"response.output_text.delta" and self._open is not None:
            if self._part is None:
                self._part = []
            self._part.append(str(_first(piece).get("delta") or ""))
        elif kind == b"response.content_part.done" and self._open is not None:
            self._open["content"].append(_first(piece).get("part"))
            self._part = None
        elif kind == _ITEM[1]:
            self._items.append(_first(piece).get("item") or {})
            self._open = self._part = None

    def _place(self) -> dict[str, Any]:
        """Return where the open part of the open message stands."""
        assert self._open is not None
        at, part = len(self._items), len(self._open["content"])
        return {"item_id": self._open.get("id"), "output_index": at, "content_index": part}

    def _closed(self) -> bytes:
        """Return the end of a message that the first answer left open, as one whose calls were no JSON does."""
        if self._open is None:
            return b""
        out = b""
        if self._part is not None:
            place = self._place()
            part = {"type": "output_text", "text": "".join(self._part), "annotations": [], "logprobs": []}
            text = {"type": "response.output_text.done", **place, "text": part["text"], "logprobs": []}
            out = self._frame(text) + self._frame({"type": "response.content_part.done", **place, "part": part})
            self._open["content"].append(part)
        whole = {**self._open, "status": "completed"}
        out += self._frame({"type": "response.output_item.done", "output_index": len(self._items), "item": whole})
        self._items.append(whole)
        self._open = self._part = None
        return out

    def _action_of(self, other: bytes, usage: Usage) -> bytes:
        out = [self._closed()]
        items = list(self._items)
        places: dict[Any, int] = {}
        for event in objects(other):
            kind, at = event.get("type"), event.get("output_index")
            item = event.get("item")
            if kind == "response.output_item.added" and isinstance(item, dict) and item.get("type") in ACTIONS:
                places[at] = len(items) + sum(place >= len(items) for place in places.values())
            if at in places:
                out.append(self._frame({**event, "output_index": places[at]}))
                if kind == "response.output_item.done" and isinstance(item, dict):
                    items.append(item)
            elif kind == "response.output_item.done" and isinstance(item, dict) and item.get("encrypted_content"):
                bare = {**item, "summary": []}
                bare.pop("content", None)
                for name in ("response.output_item.added", "response.output_item.done"):
                    out.append(self._frame({"type": name, "output_index": len(items), "item": bare}))
                items.append(bare)
            elif kind in _TERMINAL and isinstance(event.get("response"), dict):
                same: dict[str, Any] = {key: self._begun[key] for key in ("id", "created_at") if key in self._begun}
                self.response = _counted({**event["response"], **same, "output": items}, usage)
                out.append(self._frame({**event, "response": self.response}))
        return b"".join(out)

    def _counted(self, other: bytes, usage: Usage) -> bytes:
        out: list[bytes] = []
        for event in objects(other):
            if event.get("type") in _TERMINAL and isinstance(event.get("response"), dict):
                self.response = _counted(event["response"], usage)
                event = {**event, "response": self.response}
            out.append(_encode(event))
        return b"".join(out)

    def _frame(self, event: dict[str, Any]) -> bytes:
        number = self._number
        self._number += 1
        return _encode({**event, "sequence_number": number})

    def fail(self, error: SufficeError) -> bytes:
        """Return the two events of an honest end: no item that was held is in them."""
        told = msgspec.json.decode(errors.body(errors.RESPONSES, error))["error"]
        failed = {"object": "response", **self._begun, "status": "failed", "output": self._items}
        failed["error"] = {"code": error.code, "message": str(error)}
        first = self._frame({**told, "type": "error", "error": told})
        return first + self._frame({"type": "response.failed", "response": failed})


def _counted(response: dict[str, Any], usage: Usage) -> dict[str, Any]:
    return {**response, "usage": {**(response.get("usage") or {}), **report(usage)}}


def _first(piece: bytes) -> dict[str, Any]:
    return next(iter(objects(piece)), {})


def _encode(event: dict[str, Any]) -> bytes:
    return sse.encode(msgspec.json.encode(event), str(event.get("type") or ""))
