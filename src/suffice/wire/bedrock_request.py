"""Bedrock Converse requests, written: the Messages body said in Converse's words.

Both want the same of a conversation (turns that alternate, no empty texts, ids of one shape), so `messages_upstream` does that
part and its losses hold here too. What Converse itself cannot say is declared beside them. Only Claude models are sent
thinking blocks and a thinking budget; others on Bedrock refuse them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from suffice.errors import RequestError
from suffice.wire import messages_upstream
from suffice.wire.codec import Encoded, Target
from suffice.wire.neutral import Loss, Request

_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_BAD_NAME = re.compile(r"[^A-Za-z0-9\s\-()\[\]]+")
_SPACES = re.compile(r"\s{2,}")
_MAPPED = frozenset(
    {"model", "stream", "system", "messages", "tools", "tool_choice", "max_tokens", "temperature", "top_p"}
    | {"stop_sequences", "top_k", "thinking", "output_config"}
)
# Fields of Messages that Claude on Bedrock takes beside the conversation.
_PASSED = frozenset({"anthropic_beta", "context_management"})


def encode_request(request: Request, target: Target) -> Encoded:
    """Return the body for /model/{model}/converse or converse-stream; model and streaming stand in the path."""
    claude = "claude" in target.model or "anthropic" in target.model
    plain = msgspec.structs.replace(target, structured=False, reasoning=target.reasoning and claude)
    encoded = messages_upstream.encode_request(request, plain)
    return _Writer(msgspec.json.decode(encoded.body), encoded, claude).write()


class _Writer:
    def __init__(self, source: dict[str, Any], encoded: Encoded, claude: bool) -> None:
        self._source = source
        self._encoded = encoded
        self._claude = claude
        self._losses: list[Loss] = list(encoded.losses)

    def write(self) -> Encoded:
        source = self._source
        body: dict[str, Any] = {}
        if source.get("system"):
            body["system"] = list(self._blocks(source["system"]))
        messages = [{"role": t["role"], "content": list(self._blocks(t["content"]))} for t in source["messages"]]
        body["messages"] = [turn for turn in messages if turn["content"]]
        names = {
            "max_tokens": "maxTokens",
            "temperature": "temperature",
            "top_p": "topP",
            "stop_sequences": "stopSequences",
        }
        body["inferenceConfig"] = {new: source[old] for old, new in names.items() if old in source}
        tools = self._tools()
        if tools:
            body["toolConfig"] = tools
        more = self._more()
        if more:
            body["additionalModelRequestFields"] = more
        return Encoded(
            body=msgspec.json.encode(body),
            headers=self._encoded.headers,
            losses=tuple(self._losses),
            emulation=self._encoded.emulation,
        )

    def _dropped(self, field: str, why: str) -> None:
        self._losses.append(Loss(kind="dropped", field=field, why=why))

    def _more(self) -> dict[str, Any]:
        source = self._source
        more: dict[str, Any] = {name: source[name] for name in ("top_k", "thinking", "output_config") if name in source}
        if not self._claude:
            for name in more:
                self._dropped(name, "only Claude models take it here")
            more = {}
        for name in source.keys() - _MAPPED:
            if name in _PASSED and self._claude:
                more[name] = source[name]
            else:
                self._dropped(name, "Converse has no such field")
        return more

    # --- content ---

    def _blocks(self, blocks: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
        for block in blocks:
            try:
                found = self._block(block)
            except (KeyError, TypeError, AttributeError):
                # Blocks of its own dialect come as the client wrote them.
                kind = str(block.get("type"))[:40]
                raise RequestError(
                    f"a block of type {kind!r} does not have the fields of its type", param="messages"
                ) from None
            if found is not None:
                yield found
                mark = block.get("cache_control")
                if isinstance(mark, dict):
                    yield _cache_point(mark)

    def _block(self, block: dict[str, Any]) -> dict[str, Any] | None:
        kind = block.get("type")
        if kind == "text":
            return {"text": block["text"]}
        if kind == "tool_use":
            return {"toolUse": {"toolUseId": block["id"], "name": block["name"], "input": block["input"]}}
        if kind == "tool_result":
            return {"toolResult": self._result(block)}
        if kind == "image":
            return self._image(block["source"])
        if kind == "document":
            return self._document(block)
        if kind in ("thinking", "redacted_thinking"):
            if not self._claude:
                self._dropped("reasoning", "only Claude models take it here")
                return None
            if kind == "redacted_thinking":
                return {"reasoningContent": {"redactedContent": block["data"]}}
            text = {"text": block["thinking"], "signature": block["signature"]}
            return {"reasoningContent": {"reasoningText": text}}
        self._dropped(f"messages.{kind}", "Converse has no such block")
        return None

    def _result(self, block: dict[str, Any]) -> dict[str, Any]:
        content = block.get("content", "")
        rows = [{"type": "text", "text": content}] if isinstance(content, str) else content
        inner = [found for row in rows if (found := self._block(row)) is not None and "reasoningContent" not in found]
        out: dict[str, Any] = {"toolUseId": block["tool_use_id"], "content": inner or [{"text": ""}]}
        if block.get("is_error"):
            out["status"] = "error"
        return out

    def _image(self, source: dict[str, Any]) -> dict[str, Any]:
        form = _FORMATS.get(str(source.get("media_type")))
        if source.get("type") == "base64" and form:
            return {"image": {"format": form, "source": {"bytes": source["data"]}}}
        self._dropped("messages.image", "Converse takes the bytes of a png, jpeg, gif or webp only")
        return {"text": "[image omitted]"}

    def _document(self, block: dict[str, Any]) -> dict[str, Any] | None:
        source = block["source"]
        name = _SPACES.sub(" ", _BAD_NAME.sub(" ", str(block.get("title") or "document"))).strip() or "document"
        if source.get("type") == "base64":
            return {"document": {"format": "pdf", "name": name, "source": {"bytes": source["data"]}}}
        if source.get("type") == "text":
            return {"document": {"format": "txt", "name": name, "source": {"text": source["data"]}}}
        self._dropped("messages.file", "Converse takes bytes or text only")
        return None

    # --- tools ---

    def _tools(self) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        for tool in self._source.get("tools", ()):
            if "input_schema" not in tool:
                self._dropped(f"tools.{tool.get('name')}", "only its own dialect runs it")
                continue
            rows.append(_tool_spec(tool["name"], tool.get("description"), tool["input_schema"]))
            if isinstance(tool.get("cache_control"), dict):
                rows.append(_cache_point(tool["cache_control"]))
        choice = self._source.get("tool_choice") or {}
        out: dict[str, Any] = {"tools": rows}
        kind = choice.get("type")
        if kind == "tool":
            out["toolChoice"] = {"tool": {"name": choice["name"]}}
        elif kind == "any":
            out["toolChoice"] = {"any": {}}
        elif kind == "none":
            self._dropped("tool_choice", "Converse cannot forbid calls while tools are named")
        if choice.get("disable_parallel_tool_use"):
            self._dropped("parallel_tool_calls", "cannot be switched off here")
        if rows:
            return out
        used = {b["name"] for t in self._source["messages"] for b in t["content"] if b.get("type") == "tool_use"}
        if not used:
            return {}
        # A history with calls is refused unless their tools are declared.
        self._losses.append(Loss(kind="emulated", field="tools", why="tools of earlier calls are declared again"))
        return {"tools": [_tool_spec(name, "Not available now.", {"type": "object"}) for name in sorted(used)]}


def _tool_spec(name: str, description: str | None, schema: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {"name": name, "inputSchema": {"json": schema}}
    if description:
        spec["description"] = description
    return {"toolSpec": spec}


def _cache_point(mark: dict[str, Any]) -> dict[str, Any]:
    return {"cachePoint": {"type": "default"} | ({"ttl": mark["ttl"]} if mark.get("ttl") else {})}
