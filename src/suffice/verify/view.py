"""What the gates look at: an answer and the ask that it answers, as plain values of no dialect.

The gateway fills both from whatever wire format the client spoke (`ask.py` does it for OpenAI chat messages). Nothing here
reads a file, a clock or the network; a field that is not known is empty, and a gate that needs it then says UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from suffice.values.task import TaskType

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a tool by the model; `arguments` is the JSON text exactly as the model wrote it."""

    id: str = ""
    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogprob:
    """One generated token's text and the natural logarithm of its probability (<= 0)."""

    token: str
    logprob: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """What came back. `finish_reason` is the provider's word in any dialect (`stop`, `length`, `max_tokens`,
    `tool_calls`, ...)."""

    text: str = ""
    finish_reason: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool that the model was offered. `schema` is the JSON Schema of its arguments, None when it takes free text."""

    name: str
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A name that the ask wants defined. `parameters` are its positional parameter names, None when not said."""

    name: str
    kind: str = "function"
    parameters: tuple[str, ...] | None = None
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFormat:
    """The form the answer must take: `kind` is `text`, `json_object` or `json_schema` (then `schema` is set)."""

    kind: str = "text"
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskView:
    """What was asked.

    `text` is the last ask of the user, `context` all text of the conversation (capped by the builder), `language` the
    language hinted at (a canonical name of `languages.py` or empty), `files` the file contents that the conversation
    contains ({path: text}, the latest version), `partial` those of them that are excerpts or may be stale,
    `context_whole` False when
    `context` was capped, `previous_calls` the calls already made in this session, `prefill` what the
    assistant's turn already began with, `suffix` the text after the cursor (fill in the middle), `stop` the stop sequences,
    `whole_code` True when whole code, not an excerpt, was asked for.
    """

    text: str = ""
    context: str = ""
    task: TaskType = TaskType.OTHER
    language: str = ""
    tools: tuple[Tool, ...] = ()
    files: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    partial: frozenset[str] = frozenset()
    context_whole: bool = True
    previous_calls: tuple[ToolCall, ...] = ()
    response_format: ResponseFormat = field(default_factory=ResponseFormat)
    requested: tuple[Requested, ...] = ()
    prefill: str = ""
    suffix: str = ""
    stop: tuple[str, ...] = ()
    whole_code: bool = False
