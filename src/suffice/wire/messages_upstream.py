"""Anthropic Messages requests, written: `neutral.Request` into the body for a provider of the dialect.

The dialect refuses much that others allow (empty texts, thinking beside forced tools, an answer first); each such case is
bent here, and what bends the meaning is declared as a loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from suffice.wire import efforts, reasoning
from suffice.wire.codec import Encoded, Target
from suffice.wire.disguise import OUTPUT_TOOL, Disguise, shaped_id, wrap_input
from suffice.wire.messages_request import DIALECT
from suffice.wire.neutral import (
    File,
    Image,
    Message,
    Part,
    Reasoning,
    Refusal,
    Request,
    ServerTool,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

_MIN_BUDGET = 1024
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_EMPTY_SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}


def encode_request(request: Request, target: Target) -> Encoded:
    """Return the upstream body for `request`. A user's id is sent as `metadata.user_id` only when it came as one."""
    return _Writer(request, target).write()


class _Writer:
    def __init__(self, request: Request, target: Target) -> None:
        self._request, lost = reasoning.for_issuer(request, (target.issuer, DIALECT))
        self._target = target
        self._own = request.dialect == DIALECT
        self._disguise = Disguise(request.tools)
        self._limit = target.max_output_tokens or request.max_output_tokens or target.default_output_tokens
        if lost:
            self._disguise.dropped("reasoning", "issued by another provider")

    def write(self) -> Encoded:
        request, disguise = self._request, self._disguise
        body: dict[str, Any] = {"model": self._target.model, "max_tokens": self._limit}
        system = [row for message in request.system for row in self._blocks(message.parts)]
        turns = self._turns(request.messages)
        tools = [row for tool in request.tools if (row := self._tool(tool)) is not None]
        choice = self._choice() if tools else None
        choice = self._output(body, system, tools, choice)
        if system:
            body["system"] = system
        body["messages"] = turns
        if tools:
            body["tools"] = tools
            if choice is not None:
                body["tool_choice"] = choice
        thinking = self._thinking(body, turns, choice)
        self._sampling(body, thinking)
        self._rest(body)
        self._marks(system, tools, turns)
        for name in self._target.unsupported:
            if body.pop(name, None) is not None:
                disguise.dropped(name, "the provider does not take it")
        losses, emulation = tuple(disguise.losses), disguise.emulation()
        return Encoded(body=msgspec.json.encode(body), losses=losses, emulation=emulation)

    # --- messages ---

    def _turns(self, messages: Iterable[Message]) -> list[dict[str, Any]]:
        """Return turns that alternate: results and the user's words share one, as the dialect wants."""
        out: list[dict[str, Any]] = []
        for message in messages:
            role = "assistant" if message.role == "assistant" else "user"
            blocks = self._blocks(message.parts)
            if message.role in ("system", "developer"):
                self._disguise.emulated("messages.system", "sent as the user's words in tags")
                blocks = [
                    {**b, "text": f"<system>\n{b['text']}\n</system>"} if b.get("type") == "text" else b for b in blocks
                ]
            if not blocks:
                continue
            if out and out[-1]["role"] == role and (role == "assistant" or message.role == "user" or _results(out[-1])):
                out[-1]["content"] += blocks
            else:
                out.append({"role": role, "content": blocks})
        if out and out[0]["role"] == "assistant":
            self._disguise.emulated("messages", "a user turn is put before the assistant's first")
            out.insert(0, {"role": "user", "content": [{"type": "text", "text": "(start)"}]})
        if out and out[-1]["role"] == "assistant" and out[-1]["content"][-1].get("type") == "text":
            last = out[-1]["content"][-1]
            last["text"] = last["text"].rstrip() or "..."
        return out

    def _blocks(self, parts: Iterable[Part]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for part in parts:
            row = self._block(part)
            if row is None:
                continue
            mark = getattr(part, "cache_ttl", None)
            if mark is not None:
                row["cache_control"] = {"type": "ephemeral"} | ({"ttl": mark} if mark else {})
            rows.append(row)
        return rows

    def _block(self, part: Part) -> dict[str, Any] | None:
        if isinstance(part, Text):
            if not part.text.strip():
                return None
            return {"type": "text", "text": part.text} | (part.extra if self._own else {})
        if isinstance(part, ToolCall):
            row = {"type": "tool_use", "id": shaped_id(part.id, "anthropic")}
            return row | {"name": self._disguise.name(part.name, part.namespace), "input": _input(part)}
        if isinstance(part, ToolResult):
            return self._result(part)
        if isinstance(part, Image):
            if part.data:
                source = {"type": "base64", "media_type": part.media_type, "data": part.data}
            else:
                source = {"type": "url", "url": part.url}
            return {"type": "image", "source": source}
        if isinstance(part, File):
            return self._file(part)
        if isinstance(part, Refusal):
            return {"type": "text", "text": part.text} if part.text.strip() else None
        if isinstance(part, Reasoning):
            if part.encrypted:
                return {"type": "redacted_thinking", "data": part.encrypted}
            if not part.signature:
                self._disguise.dropped("reasoning", "without a signature")
                return None
            return {"type": "thinking", "thinking": part.text, "signature": part.signature}
        if part.dialect == DIALECT:
            return dict(part.value)
        self._disguise.dropped("messages." + str(part.value.get("type") if isinstance(part.value, dict) else "part"))
        return None

    def _result(self, part: ToolResult) -> dict[str, Any]:
        row: dict[str, Any] = {"type": "tool_result", "tool_use_id": shaped_id(part.call_id, "anthropic")}
        inner = self._blocks(part.parts)
        if len(inner) == 1 and set(inner[0]) == {"type", "text"}:
            row["content"] = inner[0]["text"]
        elif inner:
            row["content"] = inner
        if part.is_error:
            row["is_error"] = True
        return row

    def _file(self, part: File) -> dict[str, Any] | None:
        if part.text:
            source = {"type": "text", "media_type": part.media_type or "text/plain", "data": part.text}
        elif part.url:
            source = {"type": "url", "url": part.url}
        elif part.data and part.media_type == "application/pdf":
            source = {"type": "base64", "media_type": part.media_type, "data": part.data}
        else:
            self._disguise.dropped("messages.file", f"no way to send {part.media_type or 'it'}")
            return None
        return {"type": "document", "source": source} | ({"title": part.name} if part.name else {})

    # --- tools ---

    def _tool(self, tool: Tool | ServerTool) -> dict[str, Any] | None:
        if isinstance(tool, ServerTool):
            if tool.dialect == DIALECT:
                return dict(tool.value)
            self._disguise.dropped(f"tools.{tool.name or 'server'}", "only its own dialect runs it")
            return None
        if tool.kind == "custom":
            name, description, schema = self._disguise.custom(tool)
            row: dict[str, Any] = {"name": name, "description": description, "input_schema": schema}
        else:
            row = {"name": self._disguise.name(tool.name, tool.namespace)}
            if tool.description:
                row["description"] = tool.description
            row["input_schema"] = _EMPTY_SCHEMA if not tool.schema else tool.schema
            if "type" not in row["input_schema"]:
                row["input_schema"] = {"type": "object", **row["input_schema"]}
            if self._own:
                row |= tool.extra | ({} if tool.strict is None else {"strict": tool.strict})
            elif tool.strict:
                self._disguise.dropped("tools.strict")
        if tool.cache_ttl is not None:
            row["cache_control"] = {"type": "ephemeral"} | ({"ttl": tool.cache_ttl} if tool.cache_ttl else {})
        return row

    def _choice(self) -> dict[str, Any] | None:
        asked, parallel = self._request.tool_choice, self._request.parallel_tools
        row: dict[str, Any] = {"type": "auto"}
        if asked is not None and asked.mode == "tool":
            row = {"type": "tool", "name": self._disguise.name(asked.name)}
        elif asked is not None and asked.mode == "none":
            return {"type": "none"}
        elif asked is not None and (asked.mode == "required" or asked.required):
            row = {"type": "any"}
        if asked is not None and asked.mode == "allowed":
            self._disguise.dropped("tool_choice.allowed_tools")
        if parallel is not None:
            row["disable_parallel_tool_use"] = not parallel
        return None if asked is None and parallel is None else row

    def _output(
        self,
        body: dict[str, Any],
        system: list[dict[str, Any]],
        tools: list[dict[str, Any]],
        choice: dict[str, Any] | None,
    ) -> dict[str, Any] | None:
        """Express structured output: natively, by a tool that is the answer, or by an instruction. Returns the tool choice."""
        wanted = self._request.output
        if wanted is None:
            return choice
        if wanted.kind == "schema" and self._target.structured:
            body.setdefault("output_config", {})["format"] = {"type": "json_schema", "schema": wanted.schema or {}}
            if wanted.name and not self._own:
                self._disguise.dropped("response_format.name")
            return choice
        if wanted.kind == "schema" and not tools:
            self._disguise.output_tool = OUTPUT_TOOL
            self._disguise.emulated("response_format", "as a tool")
            description = wanted.description or "Give the answer."
            tools.append({"name": OUTPUT_TOOL, "description": description, "input_schema": wanted.schema})
            return {"type": "tool", "name": OUTPUT_TOOL}
        schema = (
            f" that follows this JSON Schema:\n{msgspec.json.encode(wanted.schema).decode()}" if wanted.schema else "."
        )
        system.append({"type": "text", "text": "Answer with one JSON object and nothing else, no code fence" + schema})
        self._disguise.emulated("response_format", "as an instruction")
        return choice

    # --- parameters ---

    def _thinking(self, body: dict[str, Any], turns: list[dict[str, Any]], choice: dict[str, Any] | None) -> bool:
        asked = self._request.reasoning
        if asked is None:
            return False
        if not self._target.reasoning:
            self._disguise.dropped("reasoning", "the model does not think")
            return False
        if asked.mode == "off":
            body["thinking"] = {"type": "disabled"}
            return False
        if choice is not None and choice["type"] in ("any", "tool"):
            self._disguise.dropped("reasoning", "not together with a forced tool")
            return False
        shown = {"display": asked.summary} if asked.summary in ("summarized", "omitted") else {}
        effort = efforts.effort_of(asked, _EFFORTS)
        if self._target.adaptive_thinking and asked.budget_tokens is None:
            if asked.mode == "adaptive" or not self._own:
                body["thinking"] = {"type": "adaptive", **shown}
            if effort:
                body.setdefault("output_config", {})["effort"] = effort
            return "thinking" in body
        if _loop_without_thinking(turns):
            # A tool loop that began without thinking (another model's turn) may not go on with it.
            self._disguise.dropped("reasoning", "the turn began at another provider")
            return False
        budget = min(efforts.budget_of(asked), self._limit - 1)
        if budget < _MIN_BUDGET:
            self._disguise.dropped("reasoning", "the output limit leaves no room")
            return False
        body["thinking"] = {"type": "enabled", "budget_tokens": budget, **shown}
        return True

    def _sampling(self, body: dict[str, Any], thinking: bool) -> None:
        sampling = self._request.sampling
        temperature = sampling.temperature
        if temperature is not None and temperature > 1:
            self._disguise.dropped("temperature", "above 1, sent as 1")
            temperature = 1
        if temperature is not None and thinking and temperature != 1:
            self._disguise.dropped("temperature", "thinking demands 1")
        elif temperature is not None:
            body["temperature"] = temperature
        for name, allowed in (("top_p", not thinking or (sampling.top_p or 0) >= 0.95), ("top_k", not thinking)):
            value = getattr(sampling, name)
            if value is not None and allowed:
                body[name] = value
            elif value is not None:
                self._disguise.dropped(name, "not together with thinking")
        stop = [text for text in sampling.stop if text.strip()]
        if stop:
            body["stop_sequences"] = stop
        if len(stop) < len(sampling.stop):
            self._disguise.dropped("stop", "whitespace alone is refused")
        for name in ("seed", "presence_penalty", "frequency_penalty"):
            if getattr(sampling, name) not in (None, 0):
                self._disguise.dropped(name)

    def _rest(self, body: dict[str, Any]) -> None:
        request, disguise = self._request, self._disguise
        if request.stream:
            body["stream"] = True
        if request.logprobs is not None:
            disguise.dropped("logprobs")
        if request.choices > 1:
            disguise.dropped("n", "one answer is translated")
        if request.verbosity and not self._own:
            disguise.dropped("verbosity")
        metadata = dict(request.metadata) if self._own else {}
        if request.user:
            metadata["user_id"] = request.user
        if metadata:
            body["metadata"] = metadata
        if request.metadata and not self._own:
            disguise.dropped("metadata", "belongs to the client's dialect")
        if request.service_tier and self._own:
            body["service_tier"] = request.service_tier
        elif request.service_tier:
            disguise.dropped("service_tier", "belongs to the client's dialect")
        for name, value in request.extra.items():
            if not self._own:
                disguise.dropped(name, "belongs to the client's dialect")
            elif name == "output_config":
                body["output_config"] = {**value, **body.get("output_config", {})}
            else:
                body[name] = value

    def _marks(self, system: list[dict[str, Any]], tools: list[dict[str, Any]], turns: list[dict[str, Any]]) -> None:
        """Keep the newest marks the provider takes; where nobody set one, mark tools, system and the last two user turns."""
        turn_blocks = [b for turn in turns for b in turn["content"]]
        marked = [b for b in (*tools, *system, *turn_blocks) if "cache_control" in b]
        limit = self._target.cache_breakpoints
        if not marked and self._target.add_breakpoints and limit:
            users = [t["content"][-1] for t in turns if t["role"] == "user"][-2:]
            marked = [*tools[-1:], *system[-1:], *users][-limit:]
            for block in marked:
                block["cache_control"] = {"type": "ephemeral"}
        for block in marked[: max(0, len(marked) - limit)]:
            del block["cache_control"]
        if len(marked) > limit:
            self._disguise.dropped("cache_control", f"at most {limit} marks")


def _results(turn: dict[str, Any]) -> bool:
    return any(block.get("type") == "tool_result" for block in turn["content"])


def _input(call: ToolCall) -> Any:
    """Return a call's arguments as an object, as the dialect demands; text that is none is kept inside one."""
    if call.kind == "custom":
        return msgspec.json.decode(wrap_input(call.arguments))
    try:
        value = msgspec.json.decode(call.arguments or "{}")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {"arguments": call.arguments}
    return value if isinstance(value, dict) else {"arguments": value}


def _loop_without_thinking(turns: list[dict[str, Any]]) -> bool:
    if len(turns) < 2 or not _results(turns[-1]) or turns[-2]["role"] != "assistant":
        return False
    return turns[-2]["content"][0].get("type") not in ("thinking", "redacted_thinking")
