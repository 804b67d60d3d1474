"""What routing reads of a request in a dialect that has no view of its own: the same facts, from the neutral request.

For dialects whose requests are decoded anyway. It must not decide anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from suffice.wire.neutral import File, Image, Message, Request, Text, ToolResult
from suffice.wire.request_view import TAIL_MESSAGES, RequestView, window


def neutral_view(request: Request, total_bytes: int) -> RequestView:
    """Return the view of `request`, whose body had `total_bytes` bytes."""
    messages = request.messages
    users = [m for m in messages if m.role == "user"]
    return RequestView(
        model=request.model,
        system_text=window("\n".join(_text(m.parts) for m in request.system)),
        first_user_text=window(_text(users[0].parts)) if users else "",
        asks=tuple(window(_text(m.parts)) for m in users[:-4:-1]),
        tool_names=tuple(t.name for t in request.tools),
        n_messages=len(messages),
        n_user=len(users),
        n_assistant=sum(m.role == "assistant" for m in messages),
        last_roles=tuple(m.role for m in messages[-TAIL_MESSAGES:]),
        tool_result_texts=_results(messages),
        has_images=any(isinstance(p, Image | File) for m in messages for p in _flat(m)),
        structured=request.output is not None,
        max_output_tokens=request.max_output_tokens,
        stream=request.stream,
        total_bytes=total_bytes,
    )


def _text(parts: Iterable[object]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, Text))


def _results(messages: Sequence[Message]) -> tuple[str, ...]:
    """Return the texts of the last turn's results, oldest first; parallel calls have a message for each in some dialects."""
    found: list[ToolResult] = []
    for message in reversed(messages):
        if message.role != "tool" or len(found) >= TAIL_MESSAGES:
            break
        found += (part for part in reversed(message.parts) if isinstance(part, ToolResult))
    return tuple(window(_text(part.parts)) for part in reversed(found[:TAIL_MESSAGES]))


def _flat(message: Message) -> Iterable[object]:
    for part in message.parts:
        yield part
        if isinstance(part, ToolResult):
            yield from part.parts
