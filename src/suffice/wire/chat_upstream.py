"""OpenAI chat requests, written: `neutral.Request` into the body for a provider of the dialect, by its quirks.

Raises RequestError (code `untranslatable`) for nothing today: all that chat cannot say is emulated or dropped, and declared.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from suffice.wire import efforts, reasoning
from suffice.wire.chat_request import DETAILS_ID, DIALECT
from suffice.wire.codec import Encoded, Target
from suffice.wire.disguise import Disguise, shaped_id, wrap_input
from suffice.wire.neutral import (
    File,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    ReasoningRequest,
    Refusal,
    Request,
    ServerTool,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

_EFFORTS = ("minimal", "low", "medium", "high", "xhigh")
# Providers that demand thinking text with every call of a loop refuse a call without; a call of another issuer gets this.
_NO_THOUGHT = "(reasoning of another model omitted)"
_encode = msgspec.json.Encoder().encode


def encode_request(request: Request, target: Target) -> Encoded:
    """Return the upstream body for `request`."""
    return _Writer(request, target).write()


class _Writer:
    def __init__(self, request: Request, target: Target) -> None:
        # Plain thinking text binds nobody; signatures and encrypted state of others are taken out.
        self._request, lost = reasoning.for_issuer(request, (target.issuer, DIALECT))
        self._target = target
        self._own = request.dialect == DIALECT
        self._disguise = Disguise(request.tools)
        self._marks = target.cache_breakpoints
        if lost:
            self._disguise.dropped("reasoning", "issued by another provider")

    def write(self) -> Encoded:
        request, target, disguise = self._request, self._target, self._disguise
        body: dict[str, Any] = {"model": target.model}
        messages: list[dict[str, Any]] = []
        for message in (*request.system, *request.messages):
            self._message(message, messages)
        body["messages"] = messages
        if request.tools:
            tools = [row for tool in request.tools if (row := self._tool(tool)) is not None]
            if tools:
                body["tools"] = tools
                if request.tool_choice is not None:
                    body["tool_choice"] = self._choice(request.tool_choice)
                if request.parallel_tools is not None and target.parallel_tool_calls:
                    body["parallel_tool_calls"] = request.parallel_tools
        self._limits(body)
        self._output(body)
        self._thinking(body)
        self._rest(body)
        for name in target.unsupported:
            if body.pop(name, None) is not None and name != "stream_options":
                disguise.dropped(name, "the provider does not take it")
        return Encoded(body=_encode(body), losses=tuple(disguise.losses), emulation=disguise.emulation())

    # --- messages ---

    def _message(self, message: Message, out: list[dict[str, Any]]) -> None:
        role = message.role
        if role == "tool":
            self._results(message, out)
            return
        if role == "assistant":
            out.append(self._assistant(message))
            return
        if role == "developer" and not self._target.developer_role:
            role = "system"
        row: dict[str, Any] = {"role": role, "content": self._content(message.parts)}
        if message.name:
            row["name"] = message.name
        if message.extra and self._own:
            row |= message.extra
        out.append(row)

    def _assistant(self, message: Message) -> dict[str, Any]:
        plain = [p for p in message.parts if not isinstance(p, Reasoning | ToolCall | Refusal)]
        calls = [self._call(p) for p in message.parts if isinstance(p, ToolCall)]
        row: dict[str, Any] = {"role": "assistant", "content": self._content(plain) if plain else None}
        refusals = [p.text for p in message.parts if isinstance(p, Refusal)]
        if refusals:
            row["refusal"] = "".join(refusals)
        elif not plain and not calls:
            row["content"] = ""
        self._echo(message, row, bool(calls))
        if calls:
            row["tool_calls"] = calls
        if message.name:
            row["name"] = message.name
        if message.extra and self._own:
            row |= message.extra
        return row

    def _echo(self, message: Message, row: dict[str, Any], calls: bool) -> None:
        """Give thinking back to providers that want it; which field is theirs says the catalogue."""
        field = self._target.reasoning_field
        echo = self._target.reasoning_echo == "tool-loop"
        thoughts = [p for p in message.parts if isinstance(p, Reasoning)]
        details = next((p.encrypted for p in thoughts if p.item_id == DETAILS_ID and p.encrypted), "")
        if details:
            row["reasoning_details"] = msgspec.Raw(details.encode())
        if field not in ("reasoning_content", "reasoning") or not (echo or self._own):
            return
        text = "".join(p.text for p in thoughts)
        if text:
            row[field] = text
        elif calls and echo and field == "reasoning_content":
            row[field] = _NO_THOUGHT

    def _call(self, call: ToolCall) -> dict[str, Any]:
        row: dict[str, Any] = {"id": shaped_id(call.id, self._target.tool_id), "type": "function"}
        name = self._disguise.name(call.name, call.namespace)
        if call.kind == "custom" and self._target.custom_tools:
            row |= {"type": "custom", "custom": {"name": name, "input": call.arguments}}
        else:
            arguments = wrap_input(call.arguments) if call.kind == "custom" else call.arguments or "{}"
            row["function"] = {"name": name, "arguments": arguments}
        if call.signature:
            row["extra_content"] = {"google": {"thought_signature": call.signature}}
        return row

    def _results(self, message: Message, out: list[dict[str, Any]]) -> None:
        images: list[Part] = []
        for part in message.parts:
            if not isinstance(part, ToolResult):
                continue
            texts = [p for p in part.parts if not isinstance(p, Image)]
            images += [p for p in part.parts if isinstance(p, Image)]
            content = self._content(texts) if texts else ""
            if isinstance(content, list):
                content = "\n".join(str(row.get("text", "")) for row in content)
            if part.is_error:
                self._disguise.dropped("tool_result.is_error", "chat has no such flag")
            row = {"role": "tool", "tool_call_id": shaped_id(part.call_id, self._target.tool_id), "content": content}
            if part.name and self._target.tool_id == "alnum9":
                row["name"] = part.name
            out.append(row)
        if images:
            self._disguise.emulated("tool_result.image", "sent as a user message after the result")
            out.append({"role": "user", "content": self._content([Text(text="Images of the tool result:"), *images])})

    def _content(self, parts: Iterable[Part]) -> str | list[dict[str, Any]]:
        """Return one string when there are only texts without marks to send, else an array of parts."""
        rows: list[dict[str, Any]] = []
        for part in parts:
            row = self._part(part)
            if row is None:
                continue
            mark = getattr(part, "cache_ttl", None)
            if mark is not None and self._target.cache_breakpoints:
                if self._marks > 0:
                    self._marks -= 1
                    row["cache_control"] = {"type": "ephemeral"} | ({"ttl": mark} if mark else {})
                else:
                    self._disguise.dropped("cache_control", "more marks than the provider takes")
            rows.append(row)
        if all(len(row) == 2 and row.get("type") == "text" for row in rows):
            return "\n\n".join(row["text"] for row in rows)
        return rows

    def _part(self, part: Part) -> dict[str, Any] | None:
        if isinstance(part, Text):
            return {"type": "text", "text": part.text}
        if isinstance(part, Image):
            if not self._target.images:
                self._disguise.dropped("messages.image", "the model does not take images")
                return {"type": "text", "text": "[image omitted]"}
            image = {"url": part.url or f"data:{part.media_type};base64,{part.data}"}
            return {"type": "image_url", "image_url": image | ({"detail": part.detail} if part.detail else {})}
        if isinstance(part, File):
            return self._file(part)
        if isinstance(part, Opaque) and part.dialect == DIALECT:
            return dict(part.value)
        if isinstance(part, Refusal):
            return {"type": "refusal", "refusal": part.text}
        if isinstance(part, Opaque):
            self._disguise.dropped(
                "messages." + str(part.value.get("type") if isinstance(part.value, dict) else "part")
            )
        return None

    def _file(self, part: File) -> dict[str, Any] | None:
        if part.text:
            head = f"<document name={part.name!r}>\n" if part.name else "<document>\n"
            self._disguise.emulated("messages.file", "its text is sent inline")
            return {"type": "text", "text": f"{head}{part.text}\n</document>"}
        if part.file_id and part.issuer in (DIALECT, self._target.issuer):
            return {"type": "file", "file": {"file_id": part.file_id}}
        if not part.data:
            self._disguise.dropped("messages.file", "the provider cannot fetch it")
            return None
        file = {"file_data": f"data:{part.media_type};base64,{part.data}"}
        return {"type": "file", "file": file | ({"filename": part.name} if part.name else {})}

    # --- tools ---

    def _tool(self, tool: Tool | ServerTool) -> dict[str, Any] | None:
        if isinstance(tool, ServerTool):
            if tool.dialect == DIALECT:
                return tool.value
            self._disguise.dropped(f"tools.{tool.name or 'server'}", "only its own dialect runs it")
            return None
        if tool.kind == "custom" and self._target.custom_tools:
            custom: dict[str, Any] = {"name": self._disguise.name(tool.name, tool.namespace)}
            if tool.description:
                custom["description"] = tool.description
            if tool.grammar:
                custom["format"] = {"type": "grammar", "grammar": tool.grammar}
            return {"type": "custom", "custom": custom}
        if tool.kind == "custom":
            name, description, schema = self._disguise.custom(tool)
            return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}
        function: dict[str, Any] = {"name": self._disguise.name(tool.name, tool.namespace)}
        if tool.description:
            function["description"] = tool.description
        if tool.schema is not None:
            function["parameters"] = tool.schema
        if tool.strict is not None:
            function["strict"] = tool.strict
        row: dict[str, Any] = {"type": "function", "function": function}
        if tool.cache_ttl is not None and self._marks > 0:
            self._marks -= 1
            row["cache_control"] = {"type": "ephemeral"} | ({"ttl": tool.cache_ttl} if tool.cache_ttl else {})
        return row

    def _choice(self, choice: ToolChoice) -> Any:
        if choice.mode == "tool":
            kind = choice.kind if self._target.custom_tools else "function"
            return {"type": kind, kind: {"name": self._disguise.name(choice.name)}}
        if choice.mode == "allowed":
            if self._own and self._target.custom_tools:
                tools = [{"type": "function", "function": {"name": name}} for name in choice.names]
                mode = "required" if choice.required else "auto"
                return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}
            self._disguise.dropped("tool_choice.allowed_tools")
            return "required" if choice.required else "auto"
        return choice.mode

    # --- parameters ---

    def _limits(self, body: dict[str, Any]) -> None:
        request, target, sampling = self._request, self._target, self._request.sampling
        limit = target.max_output_tokens or request.max_output_tokens
        if limit:
            name = target.max_tokens_field
            body["max_tokens" if name == "either" else name] = limit
        for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty"):
            value = getattr(sampling, name)
            if value is not None:
                body[name] = value
        if sampling.top_k is not None:
            self._disguise.dropped("top_k", "chat has no such field")
        if sampling.stop:
            stop = sampling.stop
            if target.max_stop is not None and len(stop) > target.max_stop:
                stop = stop[: target.max_stop]
                self._disguise.dropped("stop", f"at most {target.max_stop}")
            body["stop"] = list(stop)
        if sampling.seed is not None:
            body[target.seed_field] = sampling.seed

    def _output(self, body: dict[str, Any]) -> None:
        wanted = self._request.output
        if wanted is None:
            return
        if not self._target.structured:
            schema = f" that follows this JSON Schema:\n{_encode(wanted.schema).decode()}" if wanted.schema else "."
            text = "Answer with one JSON object and nothing else, no code fence" + schema
            body["messages"].append({"role": "system", "content": text})
            self._disguise.emulated("response_format", "as an instruction")
        elif wanted.kind == "json":
            body["response_format"] = {"type": "json_object"}
        else:
            inner: dict[str, Any] = {"name": wanted.name or "answer", "schema": wanted.schema or {}}
            if wanted.description:
                inner["description"] = wanted.description
            if wanted.strict is not None:
                inner["strict"] = wanted.strict
            body["response_format"] = {"type": "json_schema", "json_schema": inner}

    def _thinking(self, body: dict[str, Any]) -> None:
        asked = self._request.reasoning
        if asked is None:
            return
        if not self._target.reasoning:
            self._disguise.dropped("reasoning", "the model does not think")
            return
        if self._target.thinking_switch:
            _switch(body, self._target.thinking_switch, asked)
            return
        if asked.mode == "off":
            body["reasoning_effort"] = "none"
        elif effort := efforts.effort_of(asked, _EFFORTS):
            body["reasoning_effort"] = effort
        elif asked.effort:
            body["reasoning_effort"] = asked.effort

    def _rest(self, body: dict[str, Any]) -> None:
        request, disguise = self._request, self._disguise
        if request.verbosity:
            body["verbosity"] = request.verbosity
        if self._target.cache_key:
            body["prompt_cache_key"] = self._target.cache_key
        if request.logprobs is not None:
            body["logprobs"] = True
            if request.logprobs:
                body["top_logprobs"] = request.logprobs
        if request.choices > 1:
            disguise.dropped("n", "one answer is translated")
        if request.user:
            body["user"] = request.user
        if request.stream:
            body["stream"] = True
            if self._target.stream_options:
                body["stream_options"] = {"include_usage": True}
        for name, value in (("metadata", request.metadata), ("service_tier", request.service_tier)):
            if value and self._own:
                body[name] = value
            elif value:
                disguise.dropped(name, "belongs to the client's dialect")
        for name, value in request.extra.items():
            if self._own:
                body[name] = value
            else:
                disguise.dropped(name, "belongs to the client's dialect")


def _switch(body: dict[str, Any], switch: str, asked: ReasoningRequest) -> None:
    """Turn thinking on or off the way a provider wants it: a dotted path, whose last word says what kind of value it takes."""
    on = asked.mode != "off"
    value: Any = on
    if switch.endswith(".type"):
        value = "enabled" if on else "disabled"
    elif switch == "reasoning_format":
        value = "parsed" if on else "hidden"
    *parents, last = switch.split(".")
    place = body
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    if switch == "enable_thinking" and on and asked.budget_tokens is not None:
        body["thinking_budget"] = asked.budget_tokens
