"""Answers of a fake provider as AWS Bedrock gives them: Converse, and the Messages dialect wrapped into an AWS event stream.

The same scripts as of chat (`script.Behaviour`). Payloads of streams are whole binary messages with their checksums. Invariant: the
text, the tool calls and the number of tokens are the same whether the answer is streamed or not.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import msgspec

from suffice.testing import messages
from suffice.testing.chat import Chunk, Identity, count, encode, pieces, prompt_count
from suffice.testing.script import Behaviour, Call, Error
from suffice.wire import eventstream

SIGNATURE = "c2lnbmVkLWJ5LXRoZS1mYWtl"
_STOPS = {"length": "max_tokens", "stop": "end_turn", "tool_calls": "tool_use", "content_filter": "content_filtered"}
_EXCEPTIONS = {
    400: "validation",
    403: "accessDenied",
    404: "resourceNotFound",
    429: "throttling",
    503: "serviceUnavailable",
}


def error_body(error: Error | None, status: int) -> bytes:
    """Return the JSON of an error: AWS names its kind in a header (`error_headers`), not in the body."""
    return encode({"message": (error or Error()).message})


def error_headers(status: int) -> tuple[tuple[str, str], ...]:
    """Return the header that names the kind of an error."""
    kind = _EXCEPTIONS.get(status, "internalServer") + "Exception"
    return (("x-amzn-errortype", kind[0].upper() + kind[1:] + ":http://internal.amazon.com/coral/"),)


def exception(error: Error | None, status: int) -> bytes:
    """Return the message that ends a stream in an error."""
    kind = _EXCEPTIONS.get(status, "internalServer") + "Exception"
    headers = {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
    return eventstream.encode(headers, error_body(error, status))


def _event(name: str, **fields: Any) -> bytes:
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return eventstream.encode(headers, encode(fields | {"p": "abcdefgh"}))


def _usage(behaviour: Behaviour, call: Call) -> dict[str, int]:
    prompt, output = prompt_count(behaviour, call), count(behaviour)[0]
    cached = min(behaviour.cached_tokens, prompt)
    told = {"inputTokens": prompt - cached, "outputTokens": output, "totalTokens": prompt + output}
    return told | {"cacheReadInputTokens": cached, "cacheWriteInputTokens": 0}


def _stop(behaviour: Behaviour) -> str:
    said = behaviour.finish_reason or ("tool_calls" if behaviour.tool_calls else "stop")
    return _STOPS.get(said, said)


def _calls(behaviour: Behaviour, identity: Identity) -> Iterator[tuple[dict[str, str], str]]:
    for n, call in enumerate(behaviour.tool_calls):
        yield {"toolUseId": call.id or f"tooluse_{identity.id[-8:]}{n}", "name": call.name}, call.arguments


def body(behaviour: Behaviour, call: Call, identity: Identity) -> bytes:
    """Return the whole answer of a request that does not stream."""
    content: list[dict[str, Any]] = []
    if behaviour.reasoning:
        text = {"text": behaviour.reasoning, "signature": SIGNATURE}
        content.append({"reasoningContent": {"reasoningText": text}})
    if behaviour.text:
        content.append({"text": behaviour.text})
    for use, arguments in _calls(behaviour, identity):
        content.append({"toolUse": use | {"input": msgspec.json.decode(arguments or "{}")}})
    message = {"role": "assistant", "content": content}
    told = {"output": {"message": message}, "stopReason": _stop(behaviour), "usage": _usage(behaviour, call)}
    return encode(told | {"metrics": {"latencyMs": 1}})


def stream(behaviour: Behaviour, call: Call, identity: Identity) -> Iterator[Chunk]:
    """Yield the messages of a streamed answer; `messageStop` and `metadata` at the end unless told otherwise."""
    yield Chunk(_event("messageStart", role="assistant"), 0)
    index = 0
    for text, key in ((behaviour.reasoning, "reasoningContent"), (behaviour.text, "text")):
        for piece in pieces(text):
            delta = {key: piece} if key == "text" else {key: {"text": piece}}
            yield Chunk(_event("contentBlockDelta", contentBlockIndex=index, delta=delta), 1)
        if text and key != "text":
            signed = {"reasoningContent": {"signature": SIGNATURE}}
            yield Chunk(_event("contentBlockDelta", contentBlockIndex=index, delta=signed), 0)
        if text:
            yield Chunk(_event("contentBlockStop", contentBlockIndex=index), 0)
            index += 1
    for number, (use, arguments) in enumerate(_calls(behaviour, identity), index):
        yield Chunk(_event("contentBlockStart", contentBlockIndex=number, start={"toolUse": use}), 1)
        for piece in pieces(arguments):
            delta = {"toolUse": {"input": piece}}
            yield Chunk(_event("contentBlockDelta", contentBlockIndex=number, delta=delta), 1)
        yield Chunk(_event("contentBlockStop", contentBlockIndex=number), 0)
    if not behaviour.frames.no_terminal:
        yield Chunk(_event("messageStop", stopReason=_stop(behaviour)), 0)
        yield Chunk(_event("metadata", usage=_usage(behaviour, call), metrics={"latencyMs": 1}), 0)


def wrapped(behaviour: Behaviour, call: Call, identity: Identity) -> Iterator[Chunk]:
    """Yield a Messages stream as InvokeModelWithResponseStream sends it: each event in base64 inside a binary message."""
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    for chunk in messages.stream(behaviour, call, identity):
        payload = encode({"bytes": base64.b64encode(chunk.payload).decode(), "p": "abc"})
        yield Chunk(eventstream.encode(headers, payload), chunk.tokens)
