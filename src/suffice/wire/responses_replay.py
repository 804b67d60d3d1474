"""A stored response told again as a stream: the same events, in the same order, with each text as one delta.

For `GET /v1/responses/{id}?stream=true`. Invariant: the last event is the terminal one that the response's status calls for, and
a response that has not ended ends its stream without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from suffice.wire import sse

_encode = msgspec.json.Encoder().encode
_TERMINAL = {"completed": "completed", "incomplete": "incomplete", "failed": "failed", "cancelled": "failed"}
# Part of a message or of reasoning -> its event, the field with its text.
_PARTS = {"output_text": ("output_text", "text"), "refusal": ("refusal", "refusal")}
_BLANK: dict[str, dict[str, Any]] = {
    "message": {"content": []},
    "reasoning": {"summary": []},
    "function_call": {"arguments": ""},
    "custom_tool_call": {"input": ""},
}


def replay(response: dict[str, Any], starting_after: int = -1) -> bytes:
    """Return the stream of a whole `response` object, without the events up to the sequence number `starting_after`."""
    frames = [
        sse.encode(_encode({"type": kind, "sequence_number": number, **fields}), kind)
        for number, (kind, fields) in enumerate(_events(response))
        if number > starting_after
    ]
    return b"".join(frames)


def _events(response: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    begun = response | {"status": "in_progress", "completed_at": None, "output": [], "usage": None, "error": None}
    begun["incomplete_details"] = None
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    for index, item in enumerate(response.get("output") or []):
        yield from _item(index, item)
    ended = _TERMINAL.get(str(response.get("status")))
    if ended:
        yield f"response.{ended}", {"response": response}


def _item(index: int, item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    kind, place = item.get("type"), {"item_id": item.get("id") or "", "output_index": index}
    blank: dict[str, Any] = {"status": "in_progress"} if "status" in item else {}
    blank |= _BLANK.get(str(kind), {})
    yield "response.output_item.added", {"output_index": index, "item": item | blank}
    if kind == "message":
        for at, part in enumerate(item.get("content") or []):
            yield from _part(place | {"content_index": at}, part)
    elif kind == "reasoning":
        for at, part in enumerate(item.get("summary") or []):
            where, text = place | {"summary_index": at}, part.get("text") or ""
            yield "response.reasoning_summary_part.added", where | {"part": part | {"text": ""}}
            yield "response.reasoning_summary_text.delta", where | {"delta": text}
            yield "response.reasoning_summary_text.done", where | {"text": text}
            yield "response.reasoning_summary_part.done", where | {"part": part}
    elif kind == "function_call":
        arguments = item.get("arguments") or ""
        yield "response.function_call_arguments.delta", place | {"delta": arguments}
        yield "response.function_call_arguments.done", place | {"arguments": arguments}
    elif kind == "custom_tool_call":
        yield "response.custom_tool_call_input.delta", place | {"delta": item.get("input") or ""}
        yield "response.custom_tool_call_input.done", place | {"input": item.get("input") or ""}
    yield "response.output_item.done", {"output_index": index, "item": item}


def _part(where: dict[str, Any], part: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    name, field = _PARTS.get(str(part.get("type")), ("", ""))
    yield "response.content_part.added", where | {"part": part | ({field: ""} if field else {})}
    if field:
        more = {"logprobs": part.get("logprobs") or []} if name == "output_text" else {}
        text = part.get(field) or ""
        yield f"response.{name}.delta", where | more | {"delta": text}
        yield f"response.{name}.done", where | more | {field: text}
    yield "response.content_part.done", where | {"part": part}
