"""Answers of a fake provider in the dialect of OpenAI Responses: whole response objects and the events of a stream.

The same scripts as of chat (`script.Behaviour`). Invariant: the text, the tool calls and the number of tokens are the same whether
the answer is streamed or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as numbers
from typing import Any

from suffice.testing.chat import Chunk, Identity, call_id, count, custom_tools, encode, free_text, pieces, prompt_count
from suffice.testing.script import Behaviour, Call, Error

ENCRYPTED = "ZmFrZS1zdGF0ZQ=="
_BLANK: dict[str, dict[str, Any]] = {
    "message": {"content": []},
    "reasoning": {"summary": []},
    "function_call": {"arguments": ""},
    "custom_tool_call": {"input": ""},
}
# Of a call: the name of its events, and the field that they write.
_WRITTEN = {
    "function_call": ("function_call_arguments", "arguments"),
    "custom_tool_call": ("custom_tool_call_input", "input"),
}


def items(behaviour: Behaviour, call: Call, identity: Identity) -> list[dict[str, Any]]:
    """Return the output items of a whole answer. A tool that the request declares as custom is called as one, with the text `input`."""
    custom = custom_tools(call)
    rows: list[dict[str, Any]] = []
    if behaviour.reasoning:
        summary = [{"type": "summary_text", "text": behaviour.reasoning}]
        rows.append(
            {"id": f"rs_{identity.id}", "type": "reasoning", "summary": summary, "encrypted_content": ENCRYPTED}
        )
    if behaviour.text:
        part = {"type": "output_text", "text": behaviour.text, "annotations": [], "logprobs": []}
        row = {"id": f"msg_{identity.id}", "type": "message", "role": "assistant", "status": "completed"}
        rows.append(row | {"content": [part]})
    for n, tool in enumerate(behaviour.tool_calls):
        row = {"id": f"fc_{identity.id}{n}", "type": "function_call", "status": "completed", "name": tool.name}
        row |= {"call_id": call_id(identity, n, tool)}
        if tool.name in custom:
            rows.append(row | {"type": "custom_tool_call", "input": free_text(tool.arguments)})
        else:
            rows.append(row | {"arguments": tool.arguments})
    return rows


# What the real API says when the request did not.
_DEFAULTS: dict[str, Any] = {
    "background": False, "frequency_penalty": 0, "instructions": None, "max_output_tokens": None, "max_tool_calls": None,
    "metadata": {}, "parallel_tool_calls": True, "presence_penalty": 0, "previous_response_id": None, "prompt_cache_key": None,
    "safety_identifier": None, "service_tier": "default", "store": True, "temperature": 1, "tool_choice": "auto", "top_logprobs": 0,
    "top_p": 1, "truncation": "disabled",
}  # fmt: skip


def _settings(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a request as the real API tells them back: every field, tools and text format filled up."""
    told = {name: asked[name] if asked.get(name) is not None else value for name, value in _DEFAULTS.items()}
    form, wanted = asked.get("text"), asked.get("reasoning")
    told["text"] = {"format": {"type": "text"}, "verbosity": "medium"} | (form if isinstance(form, dict) else {})
    wanted = wanted if isinstance(wanted, dict) else {}
    told["reasoning"] = {"effort": wanted.get("effort"), "summary": wanted.get("summary")}
    tools = [tool for tool in asked.get("tools") or [] if isinstance(tool, dict)]
    blank = {"strict": True, "description": None, "parameters": None}
    told["tools"] = [blank | tool if tool.get("type") == "function" else tool for tool in tools]
    return told


def _response(behaviour: Behaviour, call: Call, identity: Identity, status: str) -> dict[str, Any]:
    cut = behaviour.finish_reason == "length" and status == "completed"
    response: dict[str, Any] = {"id": f"resp_{identity.id}", "object": "response", "created_at": identity.created}
    response |= _settings(call.parsed or {})
    response |= {"status": "incomplete" if cut else status, "model": identity.model, "error": None, "output": []}
    response |= {"incomplete_details": {"reason": "max_output_tokens"} if cut else None, "usage": None}
    response["completed_at"] = identity.created if status == "completed" and not cut else None
    if status == "completed":
        prompt = prompt_count(behaviour, call)
        output, reasoning = count(behaviour)
        response["output"] = items(behaviour, call, identity)
        response["usage"] = {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": min(behaviour.cached_tokens, prompt), "cache_write_tokens": 0},
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": prompt + output,
        }
    return response


def error_event(error: Error | None, status: int) -> bytes:
    """Return the payload of an error event."""
    said = error or Error()
    return encode({"type": "error", "code": said.code or said.type, "message": said.message, "param": said.param})


def body(behaviour: Behaviour, call: Call, identity: Identity) -> bytes:
    """Return the whole answer of a request that does not stream."""
    return encode(_response(behaviour, call, identity, "completed"))


def stream(behaviour: Behaviour, call: Call, identity: Identity) -> Iterator[Chunk]:
    """Yield the payloads of a streamed answer, the terminal event at the end unless told otherwise."""
    number = numbers()

    def chunk(kind: str, tokens: int = 0, **fields: Any) -> Chunk:
        return Chunk(encode({"type": kind, "sequence_number": next(number), **fields}), tokens)

    yield chunk("response.created", response=_response(behaviour, call, identity, "in_progress"))
    for at, item in enumerate(items(behaviour, call, identity)):
        kind, place = item["type"], {"item_id": item["id"], "output_index": at}
        blank = _BLANK[kind]
        yield chunk("response.output_item.added", output_index=at, item=item | blank)
        if kind == "message":
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            yield chunk("response.content_part.added", **place, content_index=0, part=part)
            for piece in pieces(behaviour.text):
                yield chunk("response.output_text.delta", 1, **place, content_index=0, delta=piece, logprobs=[])
            yield chunk("response.output_text.done", **place, content_index=0, text=behaviour.text, logprobs=[])
            yield chunk("response.content_part.done", **place, content_index=0, part=item["content"][0])
        elif kind == "reasoning":
            part = {"type": "summary_text", "text": ""}
            yield chunk("response.reasoning_summary_part.added", **place, summary_index=0, part=part)
            for piece in pieces(behaviour.reasoning):
                yield chunk("response.reasoning_summary_text.delta", 1, **place, summary_index=0, delta=piece)
            yield chunk("response.reasoning_summary_part.done", **place, summary_index=0, part=item["summary"][0])
        else:
            name, field = _WRITTEN[kind]
            for piece in pieces(item[field]):
                yield chunk(f"response.{name}.delta", 1, **place, delta=piece)
            yield chunk(f"response.{name}.done", **place, **{field: item[field]})
        yield chunk("response.output_item.done", output_index=at, item=item)
    if not behaviour.frames.no_terminal:
        whole = _response(behaviour, call, identity, "completed")
        yield chunk(f"response.{whole['status']}", response=whole)
