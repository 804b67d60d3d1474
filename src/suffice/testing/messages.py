"""Answers of a fake provider in the dialect of the Anthropic API: whole messages and the events of a stream.

The same scripts as of chat (`script.Behaviour`); only the payloads differ. Invariant: the text, the tool calls and the number of
tokens are the same whether the answer is streamed or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from suffice.testing.chat import Chunk, Identity, count, encode, pieces, prompt_count
from suffice.testing.script import Behaviour, Call, Error

SIGNATURE = "c2lnbmVkLWJ5LXRoZS1mYWtl"
_STOPS = {"length": "max_tokens", "stop": "end_turn", "tool_calls": "tool_use", "content_filter": "refusal"}
_STATUS_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 529: "overloaded_error",
}  # fmt: skip


def error_body(error: Error | None, status: int) -> bytes:
    """Return the JSON of an error in this dialect."""
    said = error or Error()
    kind = _STATUS_TYPES.get(status, "api_error") if said.type == "server_error" else said.type
    inner = {"type": kind, "message": said.message}
    return encode({"type": "error", "error": inner, "request_id": "req_fake"})


def blocks(behaviour: Behaviour, identity: Identity) -> list[dict[str, Any]]:
    """Return the content of a whole message."""
    rows: list[dict[str, Any]] = []
    if behaviour.reasoning:
        rows.append({"type": "thinking", "thinking": behaviour.reasoning, "signature": SIGNATURE})
    if behaviour.text:
        rows.append({"type": "text", "text": behaviour.text, "citations": None})
    for n, call in enumerate(behaviour.tool_calls):
        try:
            given = msgspec.json.decode(call.arguments or "{}")
        except msgspec.DecodeError:
            given = call.arguments
        name = call.id or f"toolu_{identity.id[-8:]}{n}"
        rows.append({"type": "tool_use", "id": name, "name": call.name, "input": given, "caller": {"type": "direct"}})
    return rows


def _usage(behaviour: Behaviour, call: Call) -> dict[str, Any]:
    prompt = prompt_count(behaviour, call)
    cached = min(behaviour.cached_tokens, prompt)
    return {
        "input_tokens": prompt - cached,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": 0,
        "output_tokens_details": {"thinking_tokens": count(behaviour)[1]},
        "cache_creation": None,
        "inference_geo": None,
        "server_tool_use": None,
        "service_tier": "standard",
    }


def _stop(behaviour: Behaviour) -> str:
    said = behaviour.finish_reason
    if said:
        return _STOPS.get(said, said)
    return "tool_use" if behaviour.tool_calls else "end_turn"


def body(behaviour: Behaviour, call: Call, identity: Identity) -> bytes:
    """Return the whole answer of a request that does not stream."""
    return encode(
        {
            "id": f"msg_{identity.id}",
            "type": "message",
            "role": "assistant",
            "model": identity.model,
            "content": blocks(behaviour, identity),
            "stop_reason": _stop(behaviour),
            "stop_sequence": None,
            "stop_details": None,
            "container": None,
            "usage": _usage(behaviour, call) | {"output_tokens": count(behaviour)[0]},
        }
    )


def stream(behaviour: Behaviour, call: Call, identity: Identity) -> Iterator[Chunk]:
    """Yield the payloads of a streamed answer, `message_stop` at the end unless told otherwise."""
    usage = _usage(behaviour, call)
    message: dict[str, Any] = {"id": f"msg_{identity.id}", "type": "message", "role": "assistant"}
    message |= {"model": identity.model}
    message |= {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage | {"output_tokens": 1}}
    yield _chunk("message_start", message=message)
    for index, block in enumerate(blocks(behaviour, identity)):
        yield from _block(index, block, behaviour)
    if behaviour.frames.no_terminal:
        return
    delta = {"stop_reason": _stop(behaviour), "stop_sequence": None}
    yield _chunk("message_delta", delta=delta, usage={"output_tokens": count(behaviour)[0]})
    yield _chunk("message_stop")


def _block(index: int, block: dict[str, Any], behaviour: Behaviour) -> Iterator[Chunk]:
    kind = block["type"]
    blank: dict[str, dict[str, Any]] = {
        "text": {"text": ""},
        "thinking": {"thinking": "", "signature": ""},
        "tool_use": {"input": {}},
    }
    yield _chunk("content_block_start", index=index, content_block=block | blank[kind])
    if kind == "text":
        for piece in pieces(block["text"]):
            yield _chunk("content_block_delta", 1, index=index, delta={"type": "text_delta", "text": piece})
    elif kind == "thinking":
        for piece in pieces(block["thinking"]):
            yield _chunk("content_block_delta", 1, index=index, delta={"type": "thinking_delta", "thinking": piece})
        delta = {"type": "signature_delta", "signature": block["signature"]}
        yield _chunk("content_block_delta", index=index, delta=delta)
    else:
        number = index - bool(behaviour.reasoning) - bool(behaviour.text)
        for piece in pieces(behaviour.tool_calls[number].arguments):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield _chunk("content_block_delta", 1, index=index, delta=delta)
    yield _chunk("content_block_stop", index=index)


def _chunk(kind: str, tokens: int = 0, **fields: Any) -> Chunk:
    return Chunk(encode({"type": kind, **fields}), tokens)
