"""Answers of a fake provider as JSON bodies and as stream events, in the dialect of the OpenAI API.

Only the payloads are made here; framing, timing and damage are added in `reply.py`. Invariant: the text, the tool calls and the
number of tokens are the same whether the answer is streamed or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from suffice.testing.script import Behaviour, Call, ToolCall
from suffice.testing.usage_shapes import usage_object

TOKEN_CHARS = 4
# Mistral answers what is to be filled in as a chat.
_CHAT_PATHS = ("/chat/completions", "/fim/completions")
encode = msgspec.json.Encoder().encode


class Chunk(NamedTuple):
    """One payload of a stream and the completion tokens that it carries."""

    payload: bytes
    tokens: int


class Identity(NamedTuple):
    """What an answer says about itself: response id, seconds since the epoch, model."""

    id: str
    created: int
    model: str


def pieces(text: str) -> list[str]:
    """Split `text` into tokens of the fake providers: four characters each."""
    return [text[i : i + TOKEN_CHARS] for i in range(0, len(text), TOKEN_CHARS)]


def count(behaviour: Behaviour) -> tuple[int, int]:
    """Return the completion tokens of a whole answer and the part of them that is reasoning."""
    reasoning = -(-len(behaviour.reasoning) // TOKEN_CHARS)
    calls = sum(_call_tokens(call) for call in behaviour.tool_calls)
    return -(-len(behaviour.text) // TOKEN_CHARS) + reasoning + calls, reasoning


def prompt_count(behaviour: Behaviour, call: Call) -> int:
    """Return the prompt tokens: as scripted, else a quarter of the bytes of the request, rounded up."""
    return behaviour.prompt_tokens if behaviour.prompt_tokens is not None else -(-len(call.body) // TOKEN_CHARS)


def _call_tokens(call: ToolCall) -> int:
    return 1 + -(-len(call.arguments) // TOKEN_CHARS)


def usage_value(behaviour: Behaviour, prompt: int, completion: int, reasoning: int) -> Any:
    """Return the value of the field `usage` as the behaviour wants it."""
    usage = behaviour.usage
    cached = min(behaviour.cached_tokens, prompt)
    return usage_object(
        usage.shape, usage.values, prompt=prompt, cached=cached, completion=completion, reasoning=reasoning
    )


def finish_reason(behaviour: Behaviour) -> str:
    """Return the finish reason: as scripted, else what the answer implies."""
    if behaviour.finish_reason:
        return behaviour.finish_reason
    return "tool_calls" if behaviour.tool_calls and not behaviour.frames.finish_stop else "stop"


def call_id(identity: Identity, index: int, call: ToolCall) -> str:
    """Return the id of tool call number `index`."""
    return call.id or f"call_{identity.id[-8:]}{index}"


def body(behaviour: Behaviour, call: Call, identity: Identity) -> bytes:
    """Return the whole answer of a request that does not stream."""
    message: dict[str, Any] = {"role": "assistant", "content": behaviour.text if not behaviour.tool_calls else None}
    message |= {"refusal": None, "annotations": []}
    if behaviour.tool_calls and behaviour.text:
        message["content"] = behaviour.text
    if behaviour.reasoning:
        message[behaviour.reasoning_field] = behaviour.reasoning
    if behaviour.tool_calls:
        custom = custom_tools(call)
        message["tool_calls"] = [
            {"id": call_id(identity, n, c)} | _written(c, custom) for n, c in enumerate(behaviour.tool_calls)
        ]
    chat = not call.path.endswith("/completions") or call.path.endswith(_CHAT_PATHS)
    choice: dict[str, Any] = {"index": 0, "finish_reason": finish_reason(behaviour), "logprobs": None}
    choice |= {"message": message} if chat else {"text": behaviour.text}
    whole: dict[str, Any] = {
        "id": identity.id,
        "object": "chat.completion" if chat else "text_completion",
        "created": identity.created,
        "model": identity.model,
        "choices": [choice],
    }
    if behaviour.usage.where != "none" and behaviour.usage.values != "absent":
        completion, reasoning = count(behaviour)
        whole["usage"] = usage_value(behaviour, prompt_count(behaviour, call), completion, reasoning)
    return encode(whole)


def stream(behaviour: Behaviour, call: Call, identity: Identity) -> Iterator[Chunk]:
    """Yield the payloads of a streamed answer, without `[DONE]`."""
    chat = call.path.endswith(_CHAT_PATHS)
    kind = "chat.completion.chunk" if chat else "text_completion"
    head = encode({"id": identity.id, "object": kind, "created": identity.created, "model": identity.model})[:-1]
    prompt = prompt_count(behaviour, call)
    deltas = _chat_deltas(behaviour, identity, custom_tools(call)) if chat else _text_deltas(behaviour)
    where, usage = behaviour.usage.where, behaviour.usage
    asked = bool(((call.parsed or {}).get("stream_options") or {}).get("include_usage"))
    separate = usage.values != "absent" and (where in ("always", "doubled") or (where == "separate" and asked))
    completion, reasoning = count(behaviour)
    sent = 0
    for choice, tokens, last in deltas:
        if last and behaviour.frames.no_terminal:
            return
        sent += tokens
        payload = head + b',"choices":[' + choice + b"]"
        if where == "every" or (where == "last" and last):
            payload += b',"usage":' + encode(usage_value(behaviour, prompt, sent, min(reasoning, sent)))
        elif separate:
            payload += b',"usage":null'
        yield Chunk(payload + b"}", tokens)
    if separate:
        final = encode(usage_value(behaviour, prompt, completion, reasoning))
        tail = b',"x_groq":{"id":"req_fake","usage":' + final + b"}" if usage.shape == "groq" else b""
        for _ in range(2 if where == "doubled" else 1):
            yield Chunk(head + b',"choices":[],"usage":' + final + tail + b"}", 0)


Delta = tuple[bytes, int, bool]


def _choice(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return encode({"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish})


def _chat_deltas(behaviour: Behaviour, identity: Identity, custom: set[str]) -> Iterator[Delta]:
    yield _choice({"role": "assistant", "content": ""}), 0, False
    for piece in pieces(behaviour.reasoning):
        yield _choice({behaviour.reasoning_field: piece}), 1, False
    before, after = b'{"index":0,"delta":{"content":', b'},"logprobs":null,"finish_reason":null}'
    for piece in pieces(behaviour.text):
        yield before + encode(piece) + after, 1, False
    finish = finish_reason(behaviour)
    if behaviour.tool_calls and behaviour.frames.tools == "one_chunk":
        calls = [_whole_call(behaviour, identity, n, c, custom) for n, c in enumerate(behaviour.tool_calls)]
        yield _choice({"tool_calls": calls}, finish), sum(_call_tokens(c) for c in behaviour.tool_calls), True
        return
    yield from _tool_deltas(behaviour, identity, custom)
    yield _choice({}, finish), 0, True


def _tool_deltas(behaviour: Behaviour, identity: Identity, custom: set[str]) -> Iterator[Delta]:
    frames = behaviour.frames
    for n, call in enumerate(behaviour.tool_calls):
        if frames.tools == "whole":
            yield (
                _choice({"tool_calls": [_whole_call(behaviour, identity, n, call, custom)]}),
                _call_tokens(call),
                False,
            )
            continue
        index: dict[str, Any] = {} if frames.no_index else {"index": n}
        made = _written(call, custom)
        kind, field = made["type"], "input" if made["type"] == "custom" else "arguments"
        first = {**index, "id": call_id(identity, n, call), "type": kind, kind: {"name": call.name, field: ""}}
        yield _choice({"tool_calls": [first]}), 1, False
        for piece in pieces(made[kind][field]):
            part: dict[str, Any] = {**index, kind: {field: piece}}
            if frames.repeat_ids:
                part = {**index, "id": first["id"], "type": kind, kind: {"name": "", field: piece}}
            yield _choice({"tool_calls": [part]}), 1, False


def custom_tools(call: Call) -> set[str]:
    """Return the names of the tools that a request declares as custom, in the form of chat or of Responses."""
    tools = (call.parsed or {}).get("tools")
    declared = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    rows = [tool.get("custom") or tool for tool in declared if tool.get("type") == "custom"]
    return {str(row.get("name")) for row in rows if isinstance(row, dict)}


def free_text(arguments: str) -> str:
    """Return the free text of a call that is written as `{"input": text}`; other arguments are the text themselves."""
    try:
        return str(msgspec.json.decode(arguments)["input"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return arguments


def _written(call: ToolCall, custom: set[str]) -> dict[str, Any]:
    """Return a call as it stands in an answer, but for its id; as a custom one when its tool was declared so."""
    if call.name in custom:
        return {"type": "custom", "custom": {"name": call.name, "input": free_text(call.arguments)}}
    return {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _whole_call(behaviour: Behaviour, identity: Identity, n: int, call: ToolCall, custom: set[str]) -> dict[str, Any]:
    index: dict[str, Any] = {} if behaviour.frames.no_index else {"index": n}
    return {**index, "id": call_id(identity, n, call), **_written(call, custom)}


def _text_deltas(behaviour: Behaviour) -> Iterator[Delta]:
    for piece in pieces(behaviour.text):
        yield encode({"index": 0, "text": piece, "logprobs": None, "finish_reason": None}), 1, False
    yield encode({"index": 0, "text": "", "logprobs": None, "finish_reason": finish_reason(behaviour)}), 0, True
