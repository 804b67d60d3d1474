"""`/responses/compact` and `/responses/input_tokens` for providers that lack them, without a call of a model.

The compaction is mechanical and says so: instructions stay as they are; of the rest, the first request and the newest entries are
kept within a budget of characters, long texts lose their middle, and what is left out is counted. The result travels as a sealed
`compaction` item that only this gateway opens. It invents nothing; a summary by a model would need the pipeline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from suffice.errors import RequestError
from suffice.values.env import Env
from suffice.wire import responses_object
from suffice.wire.neutral import Message, Reasoning, Request, Text, ToolCall, ToolResult
from suffice.wire.responses_request import COMPACTION, decode_request
from suffice.wire.sealed import Sealer

BUDGET_CHARS = 64_000
_CLIP = {"user": 8_000, "assistant": 4_000, "call": 800, "result": 800}
_HEAD = (
    "The earlier conversation was shortened mechanically; nothing below is new. "
    "Texts marked [...] lost their middle. It went like this:\n\n"
)


def compact(body: bytes, sealer: Sealer, env: Env, *, budget_chars: int = BUDGET_CHARS) -> dict[str, Any]:
    """Return the compaction object of a request whose references are resolved. Raises RequestError (400 without a model)."""
    request = decode_request(body, sealer)
    if not request.model:
        raise RequestError("you must provide a model", code="missing_required_parameter", param="model")
    stem = env.new_id().lower()
    output: list[dict[str, Any]] = []
    for message in (*request.system, *(m for m in request.messages if m.role in ("system", "developer"))):
        text = _text(message)
        if text and not message.extra:  # `instructions` are sent anew by every client
            output.append(
                {
                    "id": f"msg_{stem}_{len(output)}",
                    "type": "message",
                    "status": "completed",
                    "role": message.role,
                    "content": [{"type": "input_text", "text": text}],
                }
            )
    state = sealer.seal(Reasoning(text=_HEAD + digest(request, budget_chars), issuer=COMPACTION))
    output.append({"id": f"cmp_{stem}", "type": "compaction", "encrypted_content": state})
    return {
        "id": f"resp_{stem}",
        "object": "response.compaction",
        "created_at": int(env.now()),
        "output": output,
        "usage": responses_object.report(None),
    }


def digest(request: Request, budget_chars: int) -> str:
    """Return the conversation as text of about `budget_chars` characters at most."""
    entries = [entry for message in request.messages for entry in _entries(message)]
    first, rest = entries[:1], entries[1:]
    left = budget_chars - sum(map(len, first))
    kept: list[str] = []
    for entry in reversed(rest):
        left -= len(entry)
        if left < 0:
            break
        kept.append(entry)
    lost = len(rest) - len(kept)
    note = [f"({lost} entries left out here)"] if lost else []
    return "\n\n".join([*first, *note, *reversed(kept)])


def _entries(message: Message) -> list[str]:
    if message.role in ("system", "developer"):
        return []
    out = []
    for part in message.parts:
        if isinstance(part, Text):
            who = "user" if message.role == "user" else "assistant"
            out.append(f"{who.upper()}: {_clip(part.text, who)}")
        elif isinstance(part, ToolCall):
            out.append(f"TOOL CALL {part.name} ({part.id}): {_clip(part.arguments, 'call')}")
        elif isinstance(part, ToolResult):
            text = "\n".join(p.text for p in part.parts if isinstance(p, Text))
            out.append(f"TOOL RESULT ({part.call_id}): {_clip(text, 'result')}")
        elif not isinstance(part, Reasoning):
            out.append(f"({message.role} sent {type(part).__name__.lower()} data, left out)")
    return out


def _clip(text: str, kind: str) -> str:
    limit = _CLIP[kind]
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]} [...] {text[-half:]}"


def _text(message: Message) -> str:
    return "\n\n".join(part.text for part in message.parts if isinstance(part, Text))


def input_tokens(body: bytes, sealer: Sealer, estimate: Callable[[str], int]) -> dict[str, Any]:
    """Return the count object of a request whose references are resolved; `estimate` counts the tokens of a text.

    It is an estimate: of all texts, calls and results, and of the tools as JSON. Raises RequestError.
    """
    request = decode_request(body, sealer)
    pieces: list[str] = []
    for message in (*request.system, *request.messages):
        for part in message.parts:
            if isinstance(part, Text | Reasoning):
                pieces.append(part.text)
            elif isinstance(part, ToolCall):
                pieces.append(part.name + part.arguments)
            elif isinstance(part, ToolResult):
                pieces += [p.text for p in part.parts if isinstance(p, Text)]
    if request.tools:
        pieces.append(msgspec.json.encode(request.tools).decode())
    return {"object": "response.input_tokens", "input_tokens": estimate("\n".join(pieces))}
