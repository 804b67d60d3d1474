"""Answers that real providers gave, recorded by others: data only, outside of the repository, read when they are there.

The folder that holds `fixtures/` is named by SUFFICE_SHARED, or stands beside the repository as `shared`. What an answer says is
also read here by a few lines of its own for each dialect, so that the codecs are compared with something.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.wire import eventstream

NAME = "fixtures/recorded_provider_streams.tar.gz"
_PLACES = [os.environ.get("SUFFICE_SHARED"), Path(__file__).resolve().parents[3] / "shared"]
ARCHIVE = next((p for place in _PLACES if place and (p := Path(place) / NAME).exists()), None)

# Folder of the archive -> provider of the catalogue and its dialect; the first that fits counts.
_SOURCES = {
    "alibaba/": ("alibaba-dashscope", "chat"),
    "amazon-bedrock/src/__": ("bedrock", "converse"),
    "anthropic/src/__": ("anthropic", "messages"),
    "azure/src/__fixtures__/azure-deepseek": ("azure-openai", "chat"),
    "azure/": ("azure-openai", "responses"),
    "cohere/src/__": ("cohere", "cohere"),
    "deepseek/": ("deepseek", "chat"),
    "google/src/__fixtures__/google-vertex": ("google-vertex", "gemini"),
    "google/src/__": ("google-gemini", "gemini"),
    "groq/": ("groq", "chat"),
    "mistral/": ("mistral", "chat"),
    "moonshotai/": ("moonshot", "chat"),
    "open-responses/src/responses/__fixtures__/lmstudio": ("lmstudio", "responses"),
    "open-responses/": ("openai", "responses"),
    "openai-compatible/": ("xai", "chat"),
    "openai/src/chat/__fixtures__/azure": ("azure-openai", "chat"),
    "openai/src/chat": ("openai", "chat"),
    "openai/src/responses/__fixtures__/github-copilot": ("github-copilot", "responses"),
    "openai/src/responses": ("openai", "responses"),
    "xai/src/responses": ("xai", "responses"),
    "xai/": ("xai", "chat"),
}
# Its first line is no JSON in the archive.
_CUT = "parallel-tool-call-wrapper.1.chunks"
# Other services than a conversation, and error bodies, which tests/upstream reads.
_OTHER = ("reranking", "skills", "/completion/", "/interactions/", "-error.json", "429", "tool.error.json", _CUT)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One answer: `rows` are its events, or the one whole body. `broken`: it is an error, or begins anew in the middle."""

    name: str
    provider: str
    dialect: str
    stream: bool
    rows: list[Any]

    @property
    def broken(self) -> bool:
        return any(word in self.name for word in ("openai-error", "spliced-message-start"))

    def wire(self) -> bytes:
        """The bytes of the answer as the provider sends them."""
        if not self.stream:
            return json.dumps(self.rows[0]).encode()
        if self.dialect == "converse":
            rows = [next(iter(row.items())) for row in self.rows]
            kinds = [{":message-type": "event", ":event-type": name} for name, _ in rows]
            return b"".join(
                eventstream.encode(kind, json.dumps(row).encode()) for kind, (_, row) in zip(kinds, rows, strict=True)
            )
        named = self.dialect in ("messages", "responses", "cohere")
        lines = [(f"event: {row['type']}\n" if named else "") + f"data: {json.dumps(row)}\n\n" for row in self.rows]
        return "".join([*lines, "data: [DONE]\n\n" if self.dialect == "chat" else ""]).encode()


def load() -> Iterator[Recording]:
    """Yield every recorded answer of a conversation; none when the archive is not there."""
    if ARCHIVE is None:
        return
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            name = member.name.partition("packages/")[2]
            file = archive.extractfile(member)
            if file is None or not name or any(word in name for word in _OTHER):
                continue
            provider, dialect = next(found for start, found in _SOURCES.items() if name.startswith(start))
            text, stream = file.read().decode(), name.endswith(".chunks.txt")
            rows = [json.loads(line) for line in text.split("\n") if line.strip()] if stream else [json.loads(text)]
            for part in _answers(rows):
                yield Recording(name=name, provider=provider, dialect=dialect, stream=stream, rows=part)


def _answers(rows: list[Any]) -> Iterator[list[Any]]:
    """Yield the answers of a recording one by one: some hold all turns of a tool loop."""
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if row.get("type") in ("message_stop", "response.completed", "response.incomplete"):
            yield part
            part = []
    if part:
        yield part


@dataclass
class Said:
    """What an answer says: text, names of the called tools, tokens of the whole prompt and of the whole output."""

    text: str = ""
    tools: tuple[str, ...] = ()
    prompt: int = 0
    output: int = 0


def _chat(rows: list[Any]) -> Said:
    said = Said()
    for row in rows:
        for choice in row["choices"][:1]:
            turn = choice.get("delta") or choice.get("message") or {}
            content = turn.get("content") or ""
            if isinstance(content, list):
                content = "".join(part.get("text", "") for part in content if part["type"] == "text")
            said.text += content
            calls = turn.get("tool_calls") or []
            said.tools += tuple(name for call in calls if (name := call["function"].get("name")))
        usage = row.get("usage") or (row.get("x_groq") or {}).get("usage")
        if usage:
            said.prompt, said.output = usage["prompt_tokens"], usage["completion_tokens"]
            if usage["total_tokens"] > said.prompt + said.output:
                said.output = usage["total_tokens"] - said.prompt
    return said


def _messages(rows: list[Any]) -> Said:
    said, counts = Said(), dict[str, Any]()
    for row in rows:
        message = row if row["type"] == "message" else row.get("message") or {}
        blocks = message.get("content") or ([row["content_block"]] if "content_block" in row else [])
        said.text += "".join(block["text"] for block in blocks if block["type"] == "text")
        said.tools += tuple(block["name"] for block in blocks if block["type"] == "tool_use")
        said.text += row.get("delta", {}).get("text", "")
        counts |= {k: v for k, v in (message.get("usage") or row.get("usage") or {}).items() if v is not None}
    cached = counts.get("cache_read_input_tokens", 0) + counts.get("cache_creation_input_tokens", 0)
    said.prompt, said.output = counts["input_tokens"] + cached, counts["output_tokens"]
    return said


def _responses(rows: list[Any]) -> Said:
    whole = next(
        (
            row["response"]
            for row in reversed(rows)
            if row.get("type", "").startswith("response.") and "response" in row
        ),
        rows[0],
    )
    items = [row["item"] for row in rows if row.get("type") == "response.output_item.done"] or whole["output"]
    tools = [item.get("name", "tool_search") for item in items if _called(item)]
    deltas = [row["delta"] for row in rows if row.get("type") == "response.output_text.delta"]
    texts = deltas or [
        part["text"] for item in items if item["type"] == "message" for part in item["content"] if "text" in part
    ]
    usage = whole.get("usage") or {"input_tokens": 0, "output_tokens": 0}
    return Said("".join(texts), tuple(tools), usage["input_tokens"], usage["output_tokens"])


def _called(item: dict[str, Any]) -> bool:
    """Tell whether an item of Responses is a call that the client answers."""
    if item["type"] == "tool_search_call":
        return bool(item.get("execution") == "client")
    return item["type"] in ("function_call", "custom_tool_call")


def _gemini(rows: list[Any]) -> Said:
    said = Said()
    for row in rows:
        for part in row.get("candidates", [{}])[0].get("content", {}).get("parts", []):
            said.text += "" if part.get("thought") else part.get("text", "")
            said.tools += (part["functionCall"]["name"],) if part.get("functionCall", {}).get("name") else ()
        usage = row.get("usageMetadata", {})
        said.prompt = usage.get("promptTokenCount", said.prompt)
        said.output = usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0) or said.output
    return said


def _converse(rows: list[Any]) -> Said:
    said = Said()
    for row in rows:
        blocks = row.get("output", {}).get("message", {}).get("content", [])
        blocks += [
            row[key][inner]
            for key, inner in (("contentBlockDelta", "delta"), ("contentBlockStart", "start"))
            if key in row
        ]
        said.text += "".join(block.get("text", "") for block in blocks)
        said.tools += tuple(name for block in blocks if (name := block.get("toolUse", {}).get("name")))
        usage = row.get("usage") or row.get("metadata", {}).get("usage")
        if usage:
            cached = usage.get("cacheReadInputTokens", 0) + usage.get("cacheWriteInputTokens", 0)
            said.prompt, said.output = usage["inputTokens"] + cached, usage["outputTokens"]
    return said


def _cohere(rows: list[Any]) -> Said:
    said = Said()
    for row in rows:
        message = row.get("message") or row.get("delta", {}).get("message", {})
        content = message.get("content") or []
        said.text += "".join(c.get("text", "") for c in (content if isinstance(content, list) else [content]))
        calls = message.get("tool_calls") or []
        named = [call["function"].get("name") for call in (calls if isinstance(calls, list) else [calls])]
        said.tools += tuple(name for name in named if name)
        usage = row.get("usage") or row.get("delta", {}).get("usage")
        if usage:
            billed = usage["billed_units"]
            said.prompt, said.output = billed["input_tokens"], billed["output_tokens"]
    return said


READERS: dict[str, Callable[[list[Any]], Said]] = {
    "chat": _chat,
    "messages": _messages,
    "responses": _responses,
    "gemini": _gemini,
    "converse": _converse,
    "cohere": _cohere,
}
