"""Answers of a fake provider in the dialect of Cohere's chat (v2): whole answers and the events of a stream.

The same scripts as of chat (`script.Behaviour`). What is billed differs from what is counted, as with the real provider: see
`BILLED_LESS`. Invariant: the text, the tool calls and the number of tokens are the same whether the answer is streamed or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from suffice.testing.chat import Chunk, Identity, count, encode, pieces, prompt_count
from suffice.testing.script import Behaviour, Call, Error

# The template around a prompt is counted and not billed.
BILLED_LESS = 7
_STOPS = {"length": "MAX_TOKENS", "stop": "COMPLETE", "tool_calls": "TOOL_CALL", "content_filter": "ERROR"}


def error_body(error: Error | None, status: int) -> bytes:
    """Return the JSON of an error: a message without an object around it."""
    return encode({"id": "fake", "message": (error or Error()).message})


def _end(behaviour: Behaviour, call: Call) -> dict[str, Any]:
    prompt, output = prompt_count(behaviour, call), count(behaviour)[0]
    usage = {
        "billed_units": {"input_tokens": prompt, "output_tokens": output},
        "tokens": {"input_tokens": prompt + BILLED_LESS, "output_tokens": output + BILLED_LESS},
        "cached_tokens": min(behaviour.cached_tokens, prompt),
    }
    said = behaviour.finish_reason or ("tool_calls" if behaviour.tool_calls else "stop")
    return {"finish_reason": _STOPS.get(said, said), "usage": usage}


def _calls(behaviour: Behaviour, identity: Identity) -> list[dict[str, Any]]:
    return [
        {
            "id": call.id or f"{call.name}_{identity.id[-8:]}{n}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for n, call in enumerate(behaviour.tool_calls)
    ]


def body(behaviour: Behaviour, call: Call, identity: Identity) -> bytes:
    """Return the whole answer of a request that does not stream."""
    content: list[dict[str, str]] = []
    if behaviour.reasoning:
        content.append({"type": "thinking", "thinking": behaviour.reasoning})
    if behaviour.text:
        content.append({"type": "text", "text": behaviour.text})
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if behaviour.tool_calls:
        message["tool_calls"] = _calls(behaviour, identity)
    return encode({"id": identity.id, "message": message} | _end(behaviour, call))


def stream(behaviour: Behaviour, call: Call, identity: Identity) -> Iterator[Chunk]:
    """Yield the payloads of a streamed answer, `message-end` last unless told otherwise."""
    yield _chunk("message-start", id=identity.id, delta={"message": {"role": "assistant", "content": []}})
    index = 0
    for text, kind in ((behaviour.reasoning, "thinking"), (behaviour.text, "text")):
        if not text:
            continue
        yield _chunk("content-start", index=index, delta={"message": {"content": {"type": kind, kind: ""}}})
        for piece in pieces(text):
            yield _chunk("content-delta", 1, index=index, delta={"message": {"content": {kind: piece}}})
        yield _chunk("content-end", index=index)
        index += 1
    for number, row in enumerate(_calls(behaviour, identity)):
        arguments = row["function"]["arguments"]
        begun = row | {"function": row["function"] | {"arguments": ""}}
        yield _chunk("tool-call-start", 1, index=number, delta={"message": {"tool_calls": begun}})
        for piece in pieces(arguments):
            part = {"function": {"arguments": piece}}
            yield _chunk("tool-call-delta", 1, index=number, delta={"message": {"tool_calls": part}})
        yield _chunk("tool-call-end", index=number)
    if not behaviour.frames.no_terminal:
        yield _chunk("message-end", delta=_end(behaviour, call))


def _chunk(kind: str, tokens: int = 0, **fields: Any) -> Chunk:
    return Chunk(encode({"type": kind, **fields}), tokens)
