"""What providers do to clients: each quirk changes the answers of a scripted model.

`edit` quirks end with the task done. `error` quirks cannot: the client must end by itself, with the file as it was. `either` is a fault
that reaches the client, which may ask again or tell it; what it may not do is to end well without the edit, or to hang.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from suffice.testing import presets
from suffice.testing.script import Behaviour, Call, Error, Frames, Timing, ToolCall, Toxic, Usage

Odd = Callable[[int, Behaviour, Call], Behaviour]


@dataclass(frozen=True, kw_only=True)
class Quirk:
    """`provider` is the dialect that can have it, empty for the client's own.

    A fault that happens `once` comes before a gateway with a second endpoint, so that the client sees nothing of it.
    """

    name: str
    what: str
    odd: Odd
    provider: str = ""
    ends: str = "edit"
    once: bool = False


def _always(**changes: object) -> Odd:
    return lambda number, plain, call: replace(plain, **changes)


def _instead(fault: Callable[[Behaviour], Behaviour], *numbers: int) -> Odd:
    """Put a fault in the place of the answers with these numbers; turn 1 is the one that edits."""
    return lambda number, plain, call: fault(plain) if number in numbers else plain


def _cut(plain: Behaviour) -> Behaviour:
    """The connection closes inside the tool call (a text is cut as well)."""
    return replace(plain, toxic=Toxic(cut_after_events=3))


def _error_event(plain: Behaviour) -> Behaviour:
    return replace(plain, error=Error(message="Overloaded", type="overloaded_error"), toxic=Toxic(error_after_events=3))


def _bad_json(plain: Behaviour) -> Behaviour:
    calls = tuple(ToolCall(name=call.name, arguments='{"path": "calc.p') for call in plain.tool_calls)
    return replace(plain, tool_calls=calls, text=plain.text)


def _throughout(fault: Behaviour) -> Odd:
    return lambda number, plain, call: fault


_CONTEXT = Behaviour(
    status=400,
    error=Error(
        message="prompt is too long: 300000 tokens > 200000 maximum",
        type="invalid_request_error",
        code="context_length_exceeded",
    ),
)

QUIRKS: tuple[Quirk, ...] = (
    Quirk(name="comments", what="a comment before each event", odd=_always(frames=Frames(comments=True))),
    Quirk(name="crlf", what="CRLF line ends", odd=_always(frames=Frames(crlf=True))),
    Quirk(name="split", what="writes of 7 bytes", odd=_always(timing=Timing(write_bytes=7))),
    Quirk(name="nodone", what="no [DONE]", odd=_always(frames=Frames(no_done=True)), provider="chat"),
    Quirk(name="unknown", what="an event of a foreign type", odd=_always(frames=Frames(unknown_event=True))),
    Quirk(name="noevent", what="no lines that name the event", odd=_always(frames=Frames(no_event_lines=True)),
          provider="messages"),
    Quirk(name="onechunk", what="the tool call and the finish in one delta",
          odd=_always(frames=Frames(tools="one_chunk")), provider="chat"),
    Quirk(name="noindex", what="tool deltas without index", odd=_always(frames=Frames(no_index=True)), provider="chat"),
    Quirk(name="repeatid", what="id and name in every tool delta", odd=_always(frames=Frames(repeat_ids=True)),
          provider="chat"),
    Quirk(name="finishstop", what="`stop` after a tool call", odd=_always(frames=Frames(finish_stop=True)),
          provider="chat"),
    Quirk(name="usageall", what="usage in every chunk", odd=_always(usage=Usage(where="every")), provider="chat"),
    Quirk(name="usagefinal", what="usage in the last chunk", odd=_always(usage=Usage(where="last")), provider="chat"),
    Quirk(name="nousage", what="no usage at all", odd=_always(usage=Usage(where="none")), provider="chat"),
    Quirk(name="reasoning", what="reasoning before each answer", odd=_always(reasoning="Let me think about it.")),
    Quirk(name="thoughtsig", what="Gemini's thought signatures on calls", odd=_always(reasoning="Let me think."),
          provider="gemini"),
    Quirk(name="oddfinish", what="an unknown finish reason", odd=_always(finish_reason="banana"), provider="chat"),
    Quirk(name="err429", once=True, what="429 with Retry-After: 1, once",
          odd=_instead(lambda plain: presets.rate_limited("1"), 1)),
    Quirk(name="err429seen", what="429 with Retry-After: 1, three times, no other endpoint", ends="either",
          odd=_instead(lambda plain: presets.rate_limited("1"), 1, 2, 3)),
    Quirk(name="err503", once=True, what="503, once", odd=_instead(lambda plain: presets.failing(503), 1)),
    Quirk(name="err529seen", what="529, twice, no other endpoint", ends="either",
          odd=_instead(lambda plain: presets.failing(529), 1, 2)),
    Quirk(name="reset", once=True, what="a reset before the answer, once", odd=_instead(lambda plain: presets.reset(), 1)),
    Quirk(name="html", once=True, what="a page of HTML with status 200, once",
          odd=_instead(lambda plain: presets.login_page(), 1)),
    Quirk(name="cut", once=True, ends="either", what="the stream ends inside a tool call, once", odd=_instead(_cut, 1)),
    Quirk(name="cutseen", what="the stream ends inside a tool call, twice, no other endpoint", ends="either",
          odd=_instead(_cut, 1, 2)),
    Quirk(name="miderr", once=True, ends="either", what="an error event inside a tool call, once", odd=_instead(_error_event, 1)),
    Quirk(name="badjson", once=True, ends="either", what="a tool call with broken JSON, once", odd=_instead(_bad_json, 1)),
    Quirk(name="context", what="the context is too long, always", odd=_throughout(_CONTEXT), ends="error"),
    Quirk(name="auth", what="401 from the provider, always", odd=_throughout(presets.bad_credential()), ends="error"),
)  # fmt: skip
