"""Events into the stream of a Responses client, and into its whole response object.

Every event carries the next `sequence_number`; items open and close in the dialect's order, one at a time. A tool call comes
whole (the pump held it). Invariant: `response.completed` or `response.incomplete` is written for `Done` only, nothing follows
a terminal event, and a stream that broke ends with `error` and `response.failed`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from suffice.errors import SufficeError
from suffice.wire import responses_object, responses_tools, sse
from suffice.wire.codec import ClientContext
from suffice.wire.neutral import (
    Done,
    Event,
    Failure,
    OpaqueBlock,
    Reasoning,
    ReasoningDelta,
    ReasoningEnd,
    RefusalDelta,
    Start,
    Stop,
    TextDelta,
    ToolCall,
    ToolReady,
    UsageReport,
)
from suffice.wire.responses_request import ENCRYPTED
from suffice.wire.responses_tools import DIALECT
from suffice.wire.sealed import Sealer

_encode = msgspec.json.Encoder().encode
_INCOMPLETE = {"length": "max_output_tokens", "context_length": "max_output_tokens", "content_filter": "content_filter"}


class StreamEncoder:
    """`codec.StreamEncoder` of this dialect. `now_s` gives the time of completion; without it the time of creation is told.

    After the end: `response` is the final object as the client saw it, `carried` the output items with all sealed state, also
    where the client did not ask for it (for `gateway.responses_state`).
    """

    def __init__(self, context: ClientContext, sealer: Sealer, now_s: Callable[[], float] | None = None) -> None:
        self._context = context
        self._sealer = sealer
        self._now_s = now_s
        request = context.request
        wanted = request.extra.get("include") if request.dialect == DIALECT else None
        self._encrypted = ENCRYPTED in (wanted or ())
        # OpenAI shows thinking to those who ask for a summary; strict readers know no such events otherwise.
        self._shown = request.reasoning is not None and request.reasoning.summary not in ("", "omitted")
        self._id = context.response_id or "resp_0"
        self._stem = self._id.removeprefix("resp_")
        self._sequence = 0
        self._begun = False
        self._ended = False
        self._open = ""
        self._item: dict[str, Any] = {}
        self._text: list[str] = []
        self._logprobs: list[Any] = []
        self._issuer = ""
        self._summary = False
        self._head = self._tail = b""
        self._stop: Stop | None = None
        self._usage: UsageReport | None = None
        self.response: dict[str, Any] = {}
        self.carried: list[dict[str, Any]] = []

    def feed(self, event: Event) -> bytes:
        """Return the bytes for `event`."""
        if self._ended:
            return b""
        if type(event) is TextDelta:
            return self._delta("text", event.text, event.logprobs)
        if type(event) is ReasoningDelta:
            return self._thinks(event)
        return self._rare(event)

    def _rare(self, event: Event) -> bytes:
        if isinstance(event, RefusalDelta):
            return self._delta("refusal", event.text, None)
        if isinstance(event, Start):
            return self._begin(event)
        if isinstance(event, ReasoningEnd):
            return self._thought(event)
        if isinstance(event, ToolReady):
            return self._call(event.call)
        if isinstance(event, OpaqueBlock):
            return self._block(event)
        if isinstance(event, UsageReport):
            self._usage = event
        elif isinstance(event, Stop):
            self._stop = event
        elif isinstance(event, Done):
            return self._done()
        elif isinstance(event, Failure):
            return self._fail(event.code or event.type or "server_error", event.message, event.type, None)
        return b""

    def keep_alive(self) -> bytes:
        """Return a comment."""
        return b"" if self._ended else sse.COMMENT

    def fail(self, error: SufficeError) -> bytes:
        """Return the events of an honest end."""
        if self._ended:
            return b""
        return self._fail(error.code, str(error), "", error.param)

    # --- frames ---

    def _frame(self, kind: str, **fields: Any) -> bytes:
        data = _encode({"type": kind, "sequence_number": self._sequence, **fields})
        self._sequence += 1
        return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"

    def _begin(self, event: Start | None) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        context = self._context
        self.response = responses_object.skeleton(
            context.request,
            response_id=self._id,
            model=event.model if event else "",
            created_s=context.created_s or (event.created_s if event else 0),
        )
        shown = self.response
        return self._frame("response.created", response=shown) + self._frame("response.in_progress", response=shown)

    # --- text and refusals ---

    def _delta(self, kind: str, text: str, logprobs: Any) -> bytes:
        opening = b"" if self._open == kind else self._open_part(kind)
        self._text.append(text)
        tail = self._tail
        if logprobs:
            self._logprobs += logprobs
            tail = b',"logprobs":' + _encode(logprobs) + b"}\n\n"
        # Put together by hand: this is the frame of which there are thousands.
        number = b"%d" % self._sequence
        self._sequence += 1
        return opening + self._head + number + b',"delta":' + _encode(text) + tail

    def _open_part(self, kind: str) -> bytes:
        out = self._begin(None)
        at = len(self.response["output"])
        if self._open in ("text", "refusal"):  # the other kind of part in the same message
            out += self._close_part()
        else:
            out += self._close()
            self._item = {
                "id": f"msg_{self._stem}_{at}",
                "type": "message",
                "status": "in_progress",
                "role": "assistant",
                "content": [],
            }
            out += self._frame("response.output_item.added", output_index=at, item=self._item)
        self._open = kind
        place = {"item_id": self._item["id"], "output_index": at, "content_index": len(self._item["content"])}
        out += self._frame("response.content_part.added", **place, part=_part(kind, "", []))
        name = "response.output_text.delta" if kind == "text" else "response.refusal.delta"
        fixed = _encode({"type": name, **place})
        self._head = b"event: " + name.encode() + b"\ndata: " + fixed[:-1] + b',"sequence_number":'
        self._tail = b',"logprobs":[]}\n\n' if kind == "text" else b"}\n\n"
        return out

    def _close_part(self) -> bytes:
        kind, text = self._open, "".join(self._text)
        at = len(self.response["output"])
        place = {"item_id": self._item["id"], "output_index": at, "content_index": len(self._item["content"])}
        part = _part(kind, text, self._logprobs)
        if kind == "text":
            out = self._frame("response.output_text.done", **place, text=text, logprobs=self._logprobs)
        else:
            out = self._frame("response.refusal.done", **place, refusal=text)
        out += self._frame("response.content_part.done", **place, part=part)
        self._item["content"].append(part)
        self._text, self._logprobs = [], []
        return out

    # --- reasoning ---

    def _thinks(self, event: ReasoningDelta) -> bytes:
        out = b""
        if self._open != "thought":
            out = self._open_thought()
        if self._shown and not self._text:
            place = {"item_id": self._item["id"], "output_index": len(self.response["output"]), "summary_index": 0}
            part = {"type": "summary_text", "text": ""}
            out += self._frame("response.reasoning_summary_part.added", **place, part=part)
            fixed = _encode({"type": "response.reasoning_summary_text.delta", **place})
            self._head = b"event: response.reasoning_summary_text.delta\ndata: " + fixed[:-1] + b',"sequence_number":'
        self._text.append(event.text)
        self._issuer, self._summary = event.issuer, event.summary
        if not self._shown:
            return out
        number = b"%d" % self._sequence
        self._sequence += 1
        return out + self._head + number + b',"delta":' + _encode(event.text) + b"}\n\n"

    def _open_thought(self) -> bytes:
        out = self._begin(None) + self._close()
        at = len(self.response["output"])
        self._open = "thought"
        self._item = {"id": f"rs_{self._stem}_{at}", "type": "reasoning", "summary": []}
        return out + self._frame("response.output_item.added", output_index=at, item=self._item)

    def _thought(self, event: ReasoningEnd) -> bytes:
        if self._open == "thought":
            return self._close_thought(event)
        if not (event.encrypted or event.signature):
            return b""
        return self._open_thought() + self._close_thought(event)

    def _close_thought(self, event: ReasoningEnd | None) -> bytes:
        text, out = "".join(self._text), b""
        at = len(self.response["output"])
        if text and self._shown:
            place = {"item_id": self._item["id"], "output_index": at, "summary_index": 0}
            part = {"type": "summary_text", "text": text}
            out += self._frame("response.reasoning_summary_text.done", **place, text=text)
            out += self._frame("response.reasoning_summary_part.done", **place, part=part)
            self._item["summary"] = [part]
        block = Reasoning(
            text=text,
            signature=event.signature if event else "",
            encrypted=event.encrypted if event else "",
            issuer=(event.issuer if event else "") or self._issuer,
            item_id=event.item_id if event else "",
            summary=self._summary,
        )
        state = self._sealer.seal(block)
        carried = self._item | ({"encrypted_content": state} if state else {})
        self._text, self._issuer, self._summary = [], "", False
        return out + self._finish(carried if self._encrypted else self._item, carried)

    # --- calls and other items ---

    def _call(self, call: ToolCall) -> bytes:
        out = self._begin(None) + self._close()
        at = len(self.response["output"])
        item: dict[str, Any] = {"status": "in_progress", "call_id": call.id}
        if responses_tools.is_search(self._context.request.tools, call.name):
            item = {"id": f"tsc_{self._stem}_{at}", "type": "tool_search_call", **item, "execution": "client"}
            out += self._frame("response.output_item.added", output_index=at, item=item | {"arguments": {}})
            self._item = item | {"arguments": _object(call.arguments)}
            return out + self._finish(self._item | {"status": "completed"})
        custom = call.kind == "custom"
        field, text = ("input", call.arguments) if custom else ("arguments", call.arguments or "{}")
        kind, mark = ("custom_tool_call", "ctc") if custom else ("function_call", "fc")
        item = {"id": f"{mark}_{self._stem}_{at}", "type": kind, **item, "name": call.name}
        if call.namespace:
            item["namespace"] = call.namespace
        place = {"item_id": item["id"], "output_index": at}
        event = "response.custom_tool_call_input" if custom else "response.function_call_arguments"
        out += self._frame("response.output_item.added", output_index=at, item=item | {field: ""})
        if text:
            out += self._frame(f"{event}.delta", **place, delta=text)
        done = {field: text} if custom else {field: text, "name": call.name}
        out += self._frame(f"{event}.done", **place, **done)
        return out + self._finish(item | {field: text, "status": "completed"})

    def _block(self, event: OpaqueBlock) -> bytes:
        if event.dialect != DIALECT or not isinstance(event.value, dict):
            return b""
        out = self._begin(None) + self._close()
        at = len(self.response["output"])
        out += self._frame("response.output_item.added", output_index=at, item=event.value)
        return out + self._finish(event.value)

    # --- ends ---

    def _close(self, status: str = "completed") -> bytes:
        """Close the open item."""
        if not self._open:
            return b""
        if self._open == "thought":
            return self._close_thought(None)
        out = self._close_part()
        self._item["status"] = status
        return out + self._finish(self._item)

    def _finish(self, item: dict[str, Any], carried: dict[str, Any] | None = None) -> bytes:
        out = self._frame("response.output_item.done", output_index=len(self.response["output"]), item=item)
        self.response["output"].append(item)
        self.carried.append(carried or item)
        self._open = ""
        self._item = {}
        return out

    def _done(self) -> bytes:
        reason = _INCOMPLETE.get(self._stop.reason) if self._stop else None
        out = self._begin(None) + self._close("incomplete" if reason else "completed")
        self._ended = True
        response = self.response
        response["usage"] = responses_object.report(self._usage.usage if self._usage else None)
        if reason:
            response["status"] = "incomplete"
            response["incomplete_details"] = {"reason": reason}
            return out + self._frame("response.incomplete", response=response)
        response["status"] = "completed"
        response["completed_at"] = max(int(self._now_s()) if self._now_s else 0, response["created_at"])
        return out + self._frame("response.completed", response=response)

    def _fail(self, code: str, message: str, kind: str, param: str | None) -> bytes:
        out = self._begin(None)
        self._ended = True
        response = self.response
        response["status"] = "failed"
        response["error"] = {"code": code, "message": message}
        if self._usage is not None:
            response["usage"] = responses_object.report(self._usage.usage)
        told = {"type": kind or "server_error", "code": code, "message": message, "param": param}
        # OpenAI's reference has the fields at the top, its servers and Open Responses nest them: clients read either.
        out += self._frame("error", code=code, message=message, param=param, error=told)
        return out + self._frame("response.failed", response=response)


def _part(kind: str, text: str, logprobs: list[Any]) -> dict[str, Any]:
    if kind == "refusal":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs}


def _object(text: str) -> Any:
    try:
        return msgspec.json.decode(text) if text else {}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {"query": text}
