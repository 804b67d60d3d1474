"""The one model between dialects: a request, and an answer as a stream of events.

A codec turns its own dialect into these values or back; none knows another codec (N + M, never N x M). What a value cannot
hold stays in `extra` or `Opaque`, tagged with the dialect that understands it, and goes out again only to that dialect.

This module must not know any dialect's field names. Invariants: a `tool` message holds only `ToolResult` parts and follows
the assistant's message directly; consecutive results stand in one `tool` message; leading instructions stand in
`Request.system`; `ToolCall.arguments` is text as the model wrote it (JSON for functions, free text for custom tools).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from suffice.values.usage import Usage

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]
ToolKind: TypeAlias = Literal["function", "custom"]


# Structs, not dataclasses: one is made for every part and event, and a Struct costs a fifth.

# --- parts of a message -----------------------------------------------------------------------------------------------


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """Plain text. `cache_ttl` marks a cache breakpoint behind this part: None no mark, "" default time, "5m", "1h"."""

    text: str
    cache_ttl: str | None = None
    extra: dict[str, Any] = {}


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image, either `url` (http, https) or base64 `data` with its `media_type`; `detail` as OpenAI names it."""

    url: str = ""
    data: str = ""
    media_type: str = ""
    detail: str = ""
    cache_ttl: str | None = None


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A document or sound: `data` (base64) with `media_type`, a `url`, plain `text`, or `file_id` known to `issuer` only."""

    name: str = ""
    data: str = ""
    media_type: str = ""
    url: str = ""
    text: str = ""
    file_id: str = ""
    issuer: str = ""
    cache_ttl: str | None = None


class Reasoning(msgspec.Struct, frozen=True, kw_only=True):
    """One block of the model's thinking. `signature` and `encrypted` are opaque state that only `issuer` can read.

    `issuer` is the id of the provider that made it, or the client's dialect when the client sent state without saying whose.
    `encrypted` without `text` is a redacted or hidden block. `summary` says that `text` is a summary, not the thinking.
    """

    text: str = ""
    signature: str = ""
    encrypted: str = ""
    issuer: str = ""
    item_id: str = ""
    summary: bool = False


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a client's tool. `signature` is state that travels with the call (Gemini), readable by `issuer` only."""

    id: str
    name: str
    arguments: str = ""
    kind: ToolKind = "function"
    namespace: str = ""
    signature: str = ""
    issuer: str = ""
    cache_ttl: str | None = None


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool answered. `name` is the tool's name when the dialect tells it."""

    call_id: str
    parts: tuple[Text | Image | File | Opaque, ...] = ()
    is_error: bool = False
    name: str = ""
    kind: ToolKind = "function"
    cache_ttl: str | None = None


class Opaque(msgspec.Struct, frozen=True, kw_only=True):
    """A part or block that only `dialect` understands (server tools, citations documents), kept as decoded JSON."""

    dialect: str
    value: Any
    cache_ttl: str | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Text in which the model declines."""

    text: str


Part: TypeAlias = Text | Image | File | Reasoning | ToolCall | ToolResult | Opaque | Refusal


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One turn. `name` is the author's name of OpenAI's dialects; `extra` holds fields only the request's dialect knows."""

    role: Role
    parts: tuple[Part, ...] = ()
    name: str = ""
    extra: dict[str, Any] = {}


# --- the request ------------------------------------------------------------------------------------------------------


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A client's tool: a function with a JSON Schema, or `custom` with free text input bound by `grammar` (or by nothing).

    `schema` None means that no parameters were declared. `grammar` is {"syntax": "lark" | "regex", "definition": text}.
    """

    name: str
    description: str = ""
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    kind: ToolKind = "function"
    grammar: dict[str, Any] | None = None
    namespace: str = ""
    cache_ttl: str | None = None
    extra: dict[str, Any] = {}


class ServerTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that the provider runs itself, kept as decoded JSON and sent only to its own dialect."""

    dialect: str
    value: dict[str, Any]
    name: str = ""


class ToolChoice(msgspec.Struct, frozen=True, kw_only=True):
    """`mode`: auto, none, required (any tool), tool (the one named `name`), allowed (`names` only, `required` or not)."""

    mode: Literal["auto", "none", "required", "tool", "allowed"]
    name: str = ""
    kind: ToolKind = "function"
    names: tuple[str, ...] = ()
    required: bool = False


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """Sampling parameters; None or empty means not said."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


class ReasoningRequest(msgspec.Struct, frozen=True, kw_only=True):
    """How much thinking is wanted. `mode`: on (by `effort` or `budget_tokens`, either may be absent), adaptive, off.

    `effort` is one of minimal, low, medium, high, xhigh, max, or what the client wrote. `summary` is the wanted form of
    visible thinking (auto, concise, detailed, summarized, omitted) or "". `include_encrypted` asks for replayable state.
    """

    mode: Literal["on", "adaptive", "off"] = "on"
    effort: str = ""
    budget_tokens: int | None = None
    summary: str = ""
    include_encrypted: bool = False


class OutputFormat(msgspec.Struct, frozen=True, kw_only=True):
    """Structured output. `kind`: json (any object) or schema."""

    kind: Literal["json", "schema"]
    schema: dict[str, Any] | None = None
    name: str = ""
    description: str = ""
    strict: bool | None = None


class CacheHints(msgspec.Struct, frozen=True, kw_only=True):
    """Hints that belong to the whole request: `key` steers to a warm cache, `retention` is OpenAI's lifetime."""

    key: str = ""
    retention: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request in no dialect. `dialect` names the one it came in, whose unknown fields are in `extra` (decoded).

    `max_output_tokens` 0 means not said. `logprobs` None: not asked; n >= 0: with n alternatives for each token.
    `include_usage`: a chat stream's wish for the usage chunk (other dialects always have usage: True).
    """

    dialect: str
    model: str = ""
    system: tuple[Message, ...] = ()
    messages: tuple[Message, ...] = ()
    tools: tuple[Tool | ServerTool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    max_output_tokens: int = 0
    sampling: Sampling = Sampling()
    reasoning: ReasoningRequest | None = None
    output: OutputFormat | None = None
    verbosity: str = ""
    cache: CacheHints = CacheHints()
    logprobs: int | None = None
    choices: int = 1
    metadata: dict[str, Any] = {}
    user: str = ""
    stream: bool = False
    include_usage: bool = True
    service_tier: str = ""
    extra: dict[str, Any] = {}


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """What a target cannot express. `kind`: refused (nothing was sent), emulated (by other means), dropped."""

    kind: Literal["refused", "emulated", "dropped"]
    field: str
    why: str = ""


def loss_header(losses: Sequence[Loss]) -> str:
    """Return the value of the response header that names the losses: `dropped=logprobs, emulated=tools.custom`; once each."""
    return ", ".join(dict.fromkeys(f"{loss.kind}={loss.field}" for loss in losses))


# --- the answer, as events --------------------------------------------------------------------------------------------
# Order of a good stream: Start, any of the content events, Stop, Done; UsageReport anywhere (the last one counts).

StopReason: TypeAlias = Literal[
    "end", "length", "tool_calls", "stop_sequence", "content_filter", "refusal", "pause", "context_length", "other"
]


class Start(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The provider began to answer. `model` is the upstream's own name, untouched."""

    id: str = ""
    model: str = ""
    created_s: int = 0


class TextDelta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """More text of the answer. `logprobs` is OpenAI's list of token entries, when asked for."""

    text: str
    logprobs: Any = None


class RefusalDelta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """More text of a refusal."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """More visible thinking."""

    text: str
    issuer: str = ""
    summary: bool = False


class ReasoningEnd(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A block of thinking is over; its opaque state, as in `Reasoning` (a redacted block has no deltas before it)."""

    signature: str = ""
    encrypted: str = ""
    issuer: str = ""
    item_id: str = ""


class ToolStart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A tool call begins. `index` counts the calls of this answer from 0 and ties the three tool events together."""

    index: int
    id: str
    name: str
    kind: ToolKind = "function"
    namespace: str = ""
    signature: str = ""
    issuer: str = ""


class ToolDelta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """More of a call's arguments (JSON text), or of a custom tool's input (plain text)."""

    index: int
    text: str


class ToolEnd(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A call is whole. Codecs whose dialect does not say so emit it at the next block or at the stop."""

    index: int


class ToolReady(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A whole, checked call. Only the pump (`wire.translate`) makes it, and encoders see no other tool event."""

    index: int
    call: ToolCall


class OpaqueBlock(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A whole content block that only `dialect` understands; encoders of other dialects pass it over."""

    dialect: str
    value: Any


class UsageReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tokens so far; a later report replaces an earlier one. `partial`: the output is not counted yet, so that it cannot be billed by."""

    usage: Usage
    partial: bool = False


class Stop(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why the model stopped: neutral, and in the provider's own word. `details` is what `dialect` adds to it."""

    reason: StopReason
    native: str = ""
    sequence: str = ""
    details: Any = None
    dialect: str = ""


class Done(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The provider said that the answer is complete. Without it nothing that means success may reach the client."""


class Failure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An error inside the answer, as the provider told it. `status` 0 when it gave none; `value` its decoded object."""

    message: str
    type: str = ""
    code: str = ""
    status: int = 0
    value: Any = None


Event: TypeAlias = (
    Start
    | TextDelta
    | RefusalDelta
    | ReasoningDelta
    | ReasoningEnd
    | ToolStart
    | ToolDelta
    | ToolEnd
    | ToolReady
    | OpaqueBlock
    | UsageReport
    | Stop
    | Done
    | Failure
)
