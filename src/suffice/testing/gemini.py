"""Answers of a fake provider in the dialect of the Gemini API: whole answers and the events of a stream.

The same scripts as of chat (`script.Behaviour`). Invariant: the text, the tool calls and the number of tokens are the same whether
the answer is streamed or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from suffice.testing.chat import Chunk, Identity, count, encode, pieces, prompt_count
from suffice.testing.script import Behaviour, Call, Error

SIGNATURE = "c2lnbmVkLWJ5LXRoZS1mYWtl"
_STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}  # fmt: skip
_STOPS = {"length": "MAX_TOKENS", "content_filter": "SAFETY"}


def error_body(error: Error | None, status: int) -> bytes:
    """Return the JSON of an error in this dialect."""
    said = error or Error()
    inner = {"code": status, "message": said.message, "status": _STATUS.get(status, "INTERNAL")}
    return encode({"error": inner})


def parts(behaviour: Behaviour) -> list[dict[str, Any]]:
    """Return the parts of a whole answer; calls come without ids, as from the real provider."""
    rows: list[dict[str, Any]] = []
    if behaviour.reasoning:
        rows.append({"text": behaviour.reasoning, "thought": True})
    if behaviour.text:
        rows.append({"text": behaviour.text})
    for n, call in enumerate(behaviour.tool_calls):
        try:
            given = msgspec.json.decode(call.arguments or "{}")
        except msgspec.DecodeError:
            given = {}
        row: dict[str, Any] = {"functionCall": {"name": call.name, "args": given}}
        rows.append(row if n else row | {"thoughtSignature": SIGNATURE})
    return rows


def _chunk(behaviour: Behaviour, call: Call, identity: Identity, rows: list[dict[str, Any]], *, last: bool) -> bytes:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": rows}, "index": 0}
    told: dict[str, Any] = {"candidates": [candidate], "modelVersion": identity.model, "responseId": identity.id}
    if last:
        candidate["finishReason"] = _STOPS.get(behaviour.finish_reason, "STOP")
        output, reasoning = count(behaviour)
        prompt = prompt_count(behaviour, call)
        told["usageMetadata"] = {
            "promptTokenCount": prompt,
            "cachedContentTokenCount": min(behaviour.cached_tokens, prompt),
            "candidatesTokenCount": output - reasoning,
            "thoughtsTokenCount": reasoning,
            "totalTokenCount": prompt + output,
        }
    return encode(told)


def body(behaviour: Behaviour, call: Call, identity: Identity) -> bytes:
    """Return the whole answer of a request that does not stream."""
    return _chunk(behaviour, call, identity, parts(behaviour), last=True)


def stream(behaviour: Behaviour, call: Call, identity: Identity) -> Iterator[Chunk]:
    """Yield the payloads of a streamed answer; the last one carries the finish reason unless told otherwise."""
    for part in parts(behaviour):
        for piece in pieces(part["text"]) if "text" in part else [None]:
            row = part if piece is None else part | {"text": piece}
            yield Chunk(_chunk(behaviour, call, identity, [row], last=False), 1)
    if not behaviour.frames.no_terminal:
        yield Chunk(_chunk(behaviour, call, identity, [{"text": ""}], last=True), 0)
