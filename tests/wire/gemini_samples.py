"""Answers and requests of the Gemini dialect, made for the tests."""

from __future__ import annotations

import json
from typing import Any

from suffice.wire.codec import ClientContext, Target
from suffice.wire.neutral import Request

TARGET = Target(model="gemini-3-flash-preview", issuer="google-gemini")


def chunk(parts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    candidate |= {k: v for k, v in more.items() if k == "finishReason"}
    out: dict[str, Any] = {"candidates": [candidate], "modelVersion": "gemini-3-flash-preview", "responseId": "r-1"}
    return out | {k: v for k, v in more.items() if k != "finishReason"}


USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 40,
    "candidatesTokenCount": 7,
    "thoughtsTokenCount": 5,
    "totalTokenCount": 112,
}
CALL = {"functionCall": {"name": "read", "args": {"path": 'ä " ] } [ {'}}, "thoughtSignature": "c2ln"}
CHUNKS = [
    chunk([{"text": "I think", "thought": True}]),
    chunk([{"text": "Let me "}, {"text": "look: é"}]),
    chunk([CALL, {"functionCall": {"id": "x1", "name": "list"}}]),
    chunk([{"text": ""}], finishReason="STOP", usageMetadata=USAGE),
]


def sse(chunks: list[dict[str, Any]], end: bytes = b"\r\n\r\n") -> bytes:
    return b"".join(b"data: " + json.dumps(c, ensure_ascii=False).encode() + end for c in chunks)


def array(chunks: list[dict[str, Any]]) -> bytes:
    return b"[" + b",\r\n".join(json.dumps(c, indent=1, ensure_ascii=False).encode() for c in chunks) + b"\n]\n"


def context(**more: Any) -> ClientContext:
    return ClientContext(request=Request(dialect="gemini", model="m", **more), response_id="resp-9", created_s=1)
