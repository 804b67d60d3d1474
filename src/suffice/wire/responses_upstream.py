"""Requests for a Responses provider, written from the neutral model.

The conversation is always sent whole: `store` is false, no `previous_response_id` goes out, the gateway keeps that state
itself. Reasoning goes only to the provider that made it. A provider that knows functions only (`Target.custom_tools` false)
gets custom tools as functions, namespaces flattened, hosted tools left out; all of it is noted.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.wire import efforts, responses_tools
from suffice.wire.codec import Encoded, Target
from suffice.wire.disguise import Disguise, unwrap_input, wrap_input
from suffice.wire.neutral import (
    File,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Request,
    ServerTool,
    Text,
    ToolCall,
    ToolResult,
)
from suffice.wire.responses_request import ENCRYPTED, INSTRUCTIONS, LOGPROBS
from suffice.wire.responses_tools import DIALECT

# Of the client's own fields these never go out: the gateway answers for them.
_OURS = frozenset(
    ("store", "previous_response_id", "include", "background", "tool_choice", "generate", "stream_options", "type")
)
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


def encode_request(request: Request, target: Target) -> Encoded:
    """Return the upstream request. Raises RequestError (code `untranslatable`)."""
    return _Writer(request, target).write()


class _Writer:
    def __init__(self, request: Request, target: Target) -> None:
        self._request = request
        self._target = target
        self._own = request.dialect == DIALECT
        self._disguise = Disguise(request.tools)
        self._custom = target.custom_tools

    def write(self) -> Encoded:
        request, target, disguise = self._request, self._target, self._disguise
        if request.choices > 1:
            raise disguise.refuse("n", "a response has one answer")
        body: dict[str, Any] = {"model": target.model}
        instructions, lead = self._instructions()
        if instructions:
            body["instructions"] = instructions
        items: list[dict[str, Any]] = []
        for message in (*lead, *request.messages):
            self._message(message, items)
        body["input"] = items
        self._tools(body)
        self._limits(body)
        self._thinking(body)
        self._text(body)
        self._rest(body)
        for name in target.unsupported:
            if body.pop(name, None) is not None:
                disguise.dropped(name, "the provider does not take it")
        return Encoded(body=msgspec.json.encode(body), losses=tuple(disguise.losses), emulation=disguise.emulation())

    def _instructions(self) -> tuple[str, tuple[Message, ...]]:
        """Return the instructions, and the leading messages that stay messages."""
        system = self._request.system
        if self._own:
            if system and system[0].extra.get(INSTRUCTIONS):
                return _plain(system[0]), system[1:]
            return "", system
        # The first one stands where providers look first; the others keep their place and their role.
        if system and system[0].role == "system" and all(isinstance(p, Text) for p in system[0].parts):
            return _plain(system[0]), system[1:]
        return "", system

    # --- items ---

    def _message(self, message: Message, items: list[dict[str, Any]]) -> None:
        if message.role == "tool":
            for part in message.parts:
                if isinstance(part, ToolResult):
                    items.append(self._result(part))
            return
        if message.role != "assistant":
            rows = [row for part in message.parts if (row := self._content(part)) is not None]
            # An empty message means nothing, and some servers refuse it.
            if rows:
                items.append({"type": "message", "role": message.role, "content": rows})
            return
        open_item: dict[str, Any] | None = None
        for part in message.parts:
            if isinstance(part, Text | Refusal):
                phase = part.extra.get("phase") if isinstance(part, Text) else None
                if open_item is None or open_item.get("phase") != phase:
                    open_item = {"type": "message", "role": "assistant", "content": []}
                    if phase:
                        open_item["phase"] = phase
                    items.append(open_item)
                open_item["content"].append(_said(part))
                continue
            item = self._item(part)
            if item is not None:
                open_item = None
                items.append(item)

    def _item(self, part: Part) -> dict[str, Any] | None:
        if isinstance(part, Reasoning):
            return self._thought(part)
        if isinstance(part, ToolCall):
            return self._call(part)
        if isinstance(part, Opaque):
            if part.dialect == DIALECT and self._custom:
                return dict(part.value)
            self._dropped_part(part)
        return None

    def _thought(self, part: Reasoning) -> dict[str, Any] | None:
        if part.issuer != self._target.issuer or not part.encrypted:
            if part.encrypted or part.signature:
                self._disguise.dropped("input.reasoning", "another provider's state")
            return None
        summary = [{"type": "summary_text", "text": part.text}] if part.text and part.summary else []
        item: dict[str, Any] = {"type": "reasoning", "summary": summary, "encrypted_content": part.encrypted}
        if part.item_id:
            item["id"] = part.item_id
        return item

    def _call(self, part: ToolCall) -> dict[str, Any]:
        if self._custom and responses_tools.is_search(self._request.tools, part.name):
            arguments = _object(part.arguments)
            return {"type": "tool_search_call", "call_id": part.id, "execution": "client", "arguments": arguments}
        if self._custom:
            if part.kind == "custom":
                item = {"type": "custom_tool_call", "call_id": part.id, "name": part.name, "input": part.arguments}
            else:
                item = _function_call(part.id, part.name, part.arguments)
            return item | ({"namespace": part.namespace} if part.namespace else {})
        name = self._disguise.name(part.name, part.namespace)
        return _function_call(part.id, name, wrap_input(part.arguments) if part.kind == "custom" else part.arguments)

    def _result(self, part: ToolResult) -> dict[str, Any]:
        found = part.parts[0].extra.get("tools") if part.parts and isinstance(part.parts[0], Text) else None
        if found is not None and self._custom:
            return {
                "type": "tool_search_output",
                "call_id": part.call_id,
                "execution": "client",
                "status": "completed",
                "tools": found,
            }
        kind = "custom_tool_call_output" if part.kind == "custom" and self._custom else "function_call_output"
        item: dict[str, Any] = {"type": kind, "call_id": part.call_id}
        if all(isinstance(p, Text) for p in part.parts):
            item["output"] = "\n".join(p.text for p in part.parts if isinstance(p, Text))
        else:
            item["output"] = [row for p in part.parts if (row := self._content(p)) is not None]
        if part.is_error and not self._own:
            self._disguise.dropped("tool_result.is_error", "this dialect has no such flag")
        return item

    def _content(self, part: Part) -> dict[str, Any] | None:
        if isinstance(part, Text):
            return {"type": "input_text", "text": part.text}
        if isinstance(part, Image):
            if not self._target.images:
                self._disguise.dropped("input.image", "the model does not take images")
                return {"type": "input_text", "text": "[image omitted]"}
            url = part.url or f"data:{part.media_type};base64,{part.data}"
            return {"type": "input_image", "image_url": url} | ({"detail": part.detail} if part.detail else {})
        if isinstance(part, File):
            return self._file(part)
        if isinstance(part, Refusal):
            return {"type": "input_text", "text": part.text}
        if isinstance(part, Opaque) and part.dialect == DIALECT:
            return dict(part.value)
        self._dropped_part(part)
        return None

    def _file(self, part: File) -> dict[str, Any] | None:
        row: dict[str, Any] = {"type": "input_file"}
        if part.text:
            self._disguise.emulated("input.file", "its text is sent inline")
            return {"type": "input_text", "text": f"<document name={part.name!r}>\n{part.text}\n</document>"}
        if part.media_type.startswith("audio/"):
            form = part.media_type.removeprefix("audio/")
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": form}}
        if part.file_id and part.issuer in (DIALECT, self._target.issuer):
            row["file_id"] = part.file_id
        elif part.url:
            row["file_url"] = part.url
        elif part.data:
            row["file_data"] = f"data:{part.media_type};base64,{part.data}"
            row["filename"] = part.name or "file"
        else:
            self._disguise.dropped("input.file", "the provider cannot fetch it")
            return None
        return row

    def _dropped_part(self, part: Part) -> None:
        value = part.value if isinstance(part, Opaque) else None
        kind = value.get("type") if isinstance(value, dict) else type(part).__name__.lower()
        self._disguise.dropped(f"input.{kind}", "only its own dialect knows it")

    # --- parameters ---

    def _tools(self, body: dict[str, Any]) -> None:
        request, disguise = self._request, self._disguise
        if self._custom:
            for tool in request.tools:
                if isinstance(tool, ServerTool) and tool.dialect != DIALECT:
                    disguise.dropped(f"tools.{tool.name or 'server'}", "only its own dialect runs it")
            tools = responses_tools.native(request.tools)
        else:
            tools = responses_tools.plain(request.tools, disguise)
        if tools:
            body["tools"] = tools
        choice = request.tool_choice
        if choice is not None and tools:
            if choice.mode == "allowed" and not self._custom:
                disguise.dropped("tool_choice.allowed_tools")
                body["tool_choice"] = "required" if choice.required else "auto"
            elif choice.mode == "tool" and not self._custom:
                body["tool_choice"] = {"type": "function", "name": disguise.name(choice.name)}
            else:
                body["tool_choice"] = responses_tools.write_choice(choice)
        elif tools and "tool_choice" in request.extra and self._custom:
            body["tool_choice"] = request.extra["tool_choice"]
        if request.parallel_tools is not None and tools and self._target.parallel_tool_calls:
            body["parallel_tool_calls"] = request.parallel_tools

    def _limits(self, body: dict[str, Any]) -> None:
        request, sampling = self._request, self._request.sampling
        limit = self._target.max_output_tokens or request.max_output_tokens
        if limit:
            body["max_output_tokens"] = limit
        for name, value in (("temperature", sampling.temperature), ("top_p", sampling.top_p)):
            if value is not None:
                body[name] = value
        lost: dict[str, Any] = {
            "top_k": sampling.top_k,
            "stop": sampling.stop or None,
            "seed": sampling.seed,
            "presence_penalty": sampling.presence_penalty or None,
            "frequency_penalty": sampling.frequency_penalty or None,
        }
        for name, value in lost.items():
            if value is not None:
                self._disguise.dropped(name, "responses have no such field")

    def _thinking(self, body: dict[str, Any]) -> None:
        asked = self._request.reasoning
        if not self._target.reasoning:
            if asked is not None and asked.mode != "off":
                self._disguise.dropped("reasoning", "the model does not think")
            return
        include = [ENCRYPTED]
        if asked is not None:
            effort = "none" if asked.mode == "off" else efforts.effort_of(asked, _EFFORTS) or asked.effort
            row = {"effort": effort} if effort else {}
            if asked.summary and asked.summary != "omitted":
                row["summary"] = asked.summary if asked.summary in ("auto", "concise", "detailed") else "auto"
            if row:
                body["reasoning"] = row
        if self._own:
            wanted = self._request.extra.get("include")
            include += [name for name in wanted or () if name not in (ENCRYPTED, LOGPROBS)]
        body["include"] = include

    def _text(self, body: dict[str, Any]) -> None:
        request = self._request
        text: dict[str, Any] = {}
        wanted = request.output
        if wanted is not None and not self._target.structured:
            schema = f" that follows this JSON Schema:\n{msgspec.json.encode(wanted.schema).decode()}"
            said = "Answer with one JSON object and nothing else, no code fence" + (schema if wanted.schema else ".")
            body["input"].append(
                {"type": "message", "role": "system", "content": [{"type": "input_text", "text": said}]}
            )
            self._disguise.emulated("text.format", "as an instruction")
        elif wanted is not None and wanted.kind == "json":
            text["format"] = {"type": "json_object"}
        elif wanted is not None:
            form: dict[str, Any] = {
                "type": "json_schema",
                "name": wanted.name or "answer",
                "schema": wanted.schema or {},
            }
            if wanted.description:
                form["description"] = wanted.description
            if wanted.strict is not None:
                form["strict"] = wanted.strict
            text["format"] = form
        if request.verbosity:
            text["verbosity"] = request.verbosity
        if text:
            body["text"] = text
        if request.logprobs is not None:
            body["include"] = [*body.get("include", ()), LOGPROBS]
            if request.logprobs:
                body["top_logprobs"] = request.logprobs

    def _rest(self, body: dict[str, Any]) -> None:
        request = self._request
        body["store"] = False
        if request.stream:
            body["stream"] = True
        if self._target.cache_key:
            body["prompt_cache_key"] = self._target.cache_key
        if request.cache.retention and self._own:
            body["prompt_cache_retention"] = request.cache.retention
        if request.user:
            body["user"] = request.user
        for name, value in (("metadata", request.metadata), ("service_tier", request.service_tier)):
            if value and self._own:
                body[name] = value
            elif value:
                self._disguise.dropped(name, "belongs to the client's dialect")
        for name, value in request.extra.items():
            if name in _OURS and self._own:
                continue
            if self._own:
                body[name] = value
            else:
                self._disguise.dropped(name, "belongs to the client's dialect")


def _plain(message: Message) -> str:
    return "\n\n".join(part.text for part in message.parts if isinstance(part, Text))


def _said(part: Text | Refusal) -> dict[str, Any]:
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text}


def _function_call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments or "{}"}


def _object(text: str) -> Any:
    try:
        return msgspec.json.decode(text) if text else {}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {"query": unwrap_input(text)}
