"""Clients of every dialect for one and the same conversation, by raw HTTP: what they send, and what they make of the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.gateway.running import Answer, Gateway

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ASK = "What is the weather in Oslo and in Rome?"


@dataclass
class Told:
    """What a client understood: `calls` are (name, input) with the input decoded; `error` is its type or code."""

    status: int
    text: str = ""
    thought: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    stop: str = ""
    prompt_tokens: int = -1
    output_tokens: int = -1
    error: str = ""
    message: str = ""
    ended: bool = False
    answer: Answer | None = None


def frames(answer: Answer) -> list[dict[str, Any]]:
    return [json.loads(event) for event in answer.events if event != "[DONE]"]


class Chat:
    """OpenAI chat completions."""

    name, path = "chat", "/chat/completions"
    stops: ClassVar[dict[str, str]] = {"end": "stop", "tools": "tool_calls", "length": "length"}

    def body(self, scenario: str, stream: bool) -> dict[str, Any]:
        content: Any = ASK
        body: dict[str, Any] = {"model": "one", "max_completion_tokens": 4000}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if scenario in ("tools", "parallel"):
            function = {"name": "weather", "description": "d", "parameters": SCHEMA}
            body["tools"] = [{"type": "function", "function": function}]
        if scenario == "custom":
            body["tools"] = [{"type": "custom", "custom": {"name": "patch", "description": "Edit."}}]
        if scenario == "reasoning":
            body["reasoning_effort"] = "high"
        if scenario == "images":
            url = {"url": f"data:image/png;base64,{PIXEL}"}
            content = [{"type": "text", "text": ASK}, {"type": "image_url", "image_url": url}]
        if scenario == "structured":
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "c", "schema": SCHEMA, "strict": True},
            }
        return body | {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": content}]}

    def history(self, told: Told, results: list[str]) -> dict[str, Any]:
        """The next request of a tool loop, with all that the client was given."""
        body = self.body("tools", False)
        calls = [
            {"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
            for i, (n, a) in zip(told.ids, told.calls, strict=True)
        ]
        turns = [{"role": "tool", "tool_call_id": i, "content": r} for i, r in zip(told.ids, results, strict=True)]
        body["messages"] += [{"role": "assistant", "content": None, "tool_calls": calls}, *turns]
        return body

    def told(self, answer: Answer) -> Told:
        told = Told(answer.status, answer=answer)
        if not answer.headers["content-type"].startswith("text/event-stream"):
            data = answer.json
            if "error" in data:
                told.error, told.message = data["error"]["code"], data["error"]["message"]
                return told
            choice = data["choices"][0]
            message = choice["message"]
            told.text, told.stop, told.ended = message.get("content") or "", choice["finish_reason"], True
            told.thought = message.get("reasoning_content") or ""
            self._calls(told, dict(enumerate(message.get("tool_calls") or [])))
            if "usage" in data:  # optional in this dialect, and a provider may have told none
                self._usage(told, data["usage"])
            return told
        calls: dict[int, Any] = {}
        for frame in frames(answer):
            if "error" in frame:
                told.error, told.message = frame["error"]["code"], frame["error"]["message"]
                continue
            if frame.get("usage"):
                self._usage(told, frame["usage"])
            for choice in frame["choices"]:
                delta = choice["delta"]
                told.text += delta.get("content") or ""
                told.thought += delta.get("reasoning_content") or ""
                told.stop = choice.get("finish_reason") or told.stop
                for call in delta.get("tool_calls") or []:
                    known = calls.setdefault(call["index"], call)
                    if known is not call:
                        kind = known["type"]
                        key = "arguments" if kind == "function" else "input"
                        known[kind][key] += call[kind][key]
        told.ended = answer.events[-1] == "[DONE]"
        self._calls(told, calls)
        return told

    def _calls(self, told: Told, calls: dict[int, Any]) -> None:
        for _, call in sorted(calls.items()):
            kind = call["type"]
            inner = call[kind]
            told.calls.append((inner["name"], json.loads(inner["arguments"]) if kind == "function" else inner["input"]))
            told.ids.append(call["id"])

    def _usage(self, told: Told, usage: dict[str, Any]) -> None:
        told.prompt_tokens, told.output_tokens = usage["prompt_tokens"], usage["completion_tokens"]


class Messages:
    """Anthropic Messages."""

    name, path = "messages", "/messages"
    stops: ClassVar[dict[str, str]] = {"end": "end_turn", "tools": "tool_use", "length": "max_tokens"}

    def body(self, scenario: str, stream: bool) -> dict[str, Any]:
        content: Any = ASK
        body: dict[str, Any] = {"model": "one", "max_tokens": 4000, "system": "Be brief."}
        if stream:
            body["stream"] = True
        if scenario in ("tools", "parallel"):
            body["tools"] = [{"name": "weather", "description": "d", "input_schema": SCHEMA}]
        if scenario == "reasoning":
            body["thinking"] = {"type": "enabled", "budget_tokens": 2000}
        if scenario == "images":
            source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
            content = [{"type": "text", "text": ASK}, {"type": "image", "source": source}]
        if scenario == "structured":
            body["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
        return body | {"messages": [{"role": "user", "content": content}]}

    def history(self, told: Told, results: list[str]) -> dict[str, Any]:
        """The next request of a tool loop, with all that the client was given."""
        body = self.body("tools", False)
        content = told.answer.json["content"]
        turns = [
            {"type": "tool_result", "tool_use_id": i, "content": r} for i, r in zip(told.ids, results, strict=True)
        ]
        body["messages"] += [{"role": "assistant", "content": content}, {"role": "user", "content": turns}]
        return body

    def told(self, answer: Answer) -> Told:
        told = Told(answer.status, answer=answer)
        if not answer.headers["content-type"].startswith("text/event-stream"):
            data = answer.json
            if data["type"] == "error":
                told.error, told.message = data["error"]["type"], data["error"]["message"]
                return told
            self._content(told, data["content"])
            told.stop, told.ended = data["stop_reason"], True
            self._usage(told, data["usage"])
            return told
        blocks: dict[int, dict[str, Any]] = {}
        usage: dict[str, Any] = {}
        names = [line[7:] for line in answer.body.decode().splitlines() if line.startswith("event: ")]
        found = frames(answer)
        assert names == [frame["type"] for frame in found]
        for frame in found:
            kind = frame["type"]
            if kind == "message_start":
                usage = frame["message"]["usage"]
            elif kind == "content_block_start":
                blocks[frame["index"]] = frame["content_block"] | {"json": ""}
            elif kind == "content_block_delta":
                block, delta = blocks[frame["index"]], frame["delta"]
                block["text"] = block.get("text", "") + delta.get("text", "")
                block["thinking"] = block.get("thinking", "") + delta.get("thinking", "")
                block["json"] += delta.get("partial_json", "")
            elif kind == "content_block_stop" and blocks[frame["index"]]["type"] == "tool_use":
                blocks[frame["index"]]["input"] = json.loads(blocks[frame["index"]]["json"] or "{}")
            elif kind == "message_delta":
                told.stop = frame["delta"]["stop_reason"]
                usage |= frame["usage"]
            elif kind == "error":
                told.error, told.message = frame["error"]["type"], frame["error"]["message"]
        told.ended = found[-1]["type"] == "message_stop"
        self._content(told, [block for _, block in sorted(blocks.items())])
        if usage:
            self._usage(told, usage)
        return told

    def _content(self, told: Told, blocks: list[dict[str, Any]]) -> None:
        for block in blocks:
            told.text += block["text"] if block["type"] == "text" else ""
            told.thought += block["thinking"] if block["type"] == "thinking" else ""
            if block["type"] == "tool_use":
                told.calls.append((block["name"], block["input"]))
                told.ids.append(block["id"])

    def _usage(self, told: Told, usage: dict[str, Any]) -> None:
        cached = usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
        told.prompt_tokens, told.output_tokens = usage["input_tokens"] + cached, usage["output_tokens"]


async def ask(
    running: Gateway, client: Any, scenario: str, stream: bool, headers: dict[str, str] | None = None
) -> Told:
    """Send one request of `scenario` and return what the client made of the answer."""
    path = client.path
    if stream and client.name == "gemini":
        path = path.replace(":generateContent", ":streamGenerateContent?alt=sse")
    answer = await running.post(path, client.body(scenario, stream), headers)
    return client.told(answer)
