"""What a fake provider does: one `Behaviour` per request, chosen by a list, a function or rules.

Everything here is data; nothing is sent. A script can be written as JSON (`load`), so that it can be given to a provider
that runs as a process of its own. Invariant: which behaviour a request gets depends only on the script, the seed, the
number of the request and the request itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from suffice.errors import ConfigError
from suffice.testing.seeded import Seeded

Shape = Literal["openai", "deepseek", "xai", "moonshot", "groq", "openrouter", "mistral"]
Where = Literal["separate", "always", "last", "every", "doubled", "none"]
Values = Literal["true", "null", "absent", "negative", "strings", "absurd", "contradictory", "list", "empty"]


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call of the tool `name`; `arguments` is the text that the model wrote, valid JSON or not."""

    name: str
    arguments: str = "{}"
    id: str = ""


class Usage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How usage is reported, whatever is billed.

    `shape` is the provider whose fields are copied. `where`: `separate` (a final chunk without choices, only when the request
    asks with include_usage), `always` (the same, unasked), `last` (in the chunk with the finish reason), `every` (in each
    chunk, counting up), `doubled` (the separate chunk twice), `none`. `values`: what stands there instead of the truth.
    """

    shape: Shape = "openai"
    where: Where = "separate"
    values: Values = "true"


class Timing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Waits in seconds: before the status line, before the first event, between tokens (spread by up to `jitter`, 0..1).

    `write_bytes` cuts every write into pieces of that size and waits `between_writes_s` after each.
    """

    before_head_s: float = 0.0
    before_first_token_s: float = 0.0
    between_tokens_s: float = 0.0
    jitter: float = 0.0
    write_bytes: int = 0
    between_writes_s: float = 0.0


class Frames(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Oddities of a stream that well-behaved clients must bear.

    `tools`: `deltas` (id and name first, then arguments in pieces), `whole` (one delta for each call), `one_chunk` (all
    calls and the finish reason in one chunk). `unknown_event` sends an event of a foreign type after the first chunk.
    `event_lines` adds lines that name an event where the dialect has none, `no_event_lines` leaves them out where it has.
    """

    comments: bool = False
    crlf: bool = False
    no_done: bool = False
    no_terminal: bool = False
    unknown_event: bool = False
    event_lines: bool = False
    no_event_lines: bool = False
    no_final_newline: bool = False
    tools: Literal["deltas", "whole", "one_chunk"] = "deltas"
    no_index: bool = False
    repeat_ids: bool = False
    finish_stop: bool = False


class Toxic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What breaks while the answer is on its way. Events are counted from 0, without comments; bytes are of the body.

    `connection` acts once the request has been read and before a status line: `rst`, `close`, `hang`. `cut_after_*`
    ends the connection there, with a reset when `rst`. `stall_after_events` sends no more and holds the connection
    until the caller leaves. `error_after_events` sends `error` as an event there and ends without a terminal event.
    `malformed_at_event` breaks the JSON of that event. `content_length_delta` makes a wrong Content-Length;
    `bad_chunking` a chunk size that is no number. `pad_bytes` adds that many bytes to the body (a too large answer).
    `close_after` closes a finished connection without having said so.
    """

    connection: Literal["", "rst", "close", "hang"] = ""
    cut_after_bytes: int | None = None
    cut_after_events: int | None = None
    rst: bool = False
    stall_after_events: int | None = None
    error_after_events: int | None = None
    malformed_at_event: int | None = None
    content_length_delta: int = 0
    bad_chunking: bool = False
    pad_bytes: int = 0
    close_after: bool = False


class Error(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An error object in the OpenAI shape: `{"error": {message, type, param, code}}`."""

    message: str = "The fake provider was told to fail."
    type: str = "server_error"
    code: str | int | None = None
    param: str | None = None


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens with one request. The default is a plain, correct answer.

    `status` other than 200, or `error` with `error_in_200`, answers with the error object. `body` replaces the whole body
    (with `content_type`; a byte that is no UTF-8 stands in it as Python's `surrogateescape` has it). `retry_after` is sent
    as it is, `retry_after_date_s` as an HTTP date that many seconds from now, `retry_after_ms` in its own header.
    `prompt_tokens` (default: bytes of the request / 4) and `cached_tokens` are counted and billed. `bill`: `auto` (what was
    generated, nothing for an error), `full` (all, even when cut), `none`.
    """

    text: str = "Hello from the fake provider."
    reasoning: str = ""
    reasoning_field: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""
    status: int = 200
    error: Error | None = None
    error_in_200: bool = False
    body: str | None = None
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    retry_after: str = ""
    retry_after_date_s: float | None = None
    retry_after_ms: int | None = None
    prompt_tokens: int | None = None
    cached_tokens: int = 0
    bill: Literal["auto", "full", "none"] = "auto"
    usage: Usage = Usage()
    timing: Timing = Timing()
    frames: Frames = Frames()
    toxic: Toxic = Toxic()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a request that a rule or a function may look at. `parsed` is None when the body is no JSON object."""

    method: str
    path: str
    model: str
    stream: bool
    body: bytes
    parsed: dict[str, Any] | None


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Apply `then` to requests that match every condition given.

    `model` and `path_ends` compare text, `contains` looks into the body, `stream` compares the flag, `requests` is a
    half-open range of request numbers `[from, to)`, `share` is the part of the remaining requests, drawn from the seed.
    """

    then: Behaviour
    model: str = ""
    path_ends: str = ""
    contains: str = ""
    stream: bool | None = None
    requests: tuple[int, int] | None = None
    share: float = 1.0

    def matches(self, index: int, call: Call, chance: Seeded) -> bool:
        """Tell whether this rule applies to request number `index`; `chance` is drawn once, whatever the answer."""
        drawn = chance.random()
        return (
            (not self.model or self.model == call.model)
            and call.path.endswith(self.path_ends)
            and (not self.contains or self.contains.encode() in call.body)
            and (self.stream is None or self.stream == call.stream)
            and (self.requests is None or self.requests[0] <= index < self.requests[1])
            and drawn < self.share
        )


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first rule that matches decides, else `default`."""

    rules: tuple[Rule, ...] = ()
    default: Behaviour = Behaviour()


Chooser = Callable[[int, Call], Behaviour]
Script = Behaviour | Sequence[Behaviour] | Chooser | Rules


def choose(script: Script, index: int, call: Call, seed: int) -> Behaviour:
    """Return the behaviour for request number `index` (from 0). A list that has ended repeats its last element."""
    if isinstance(script, Behaviour):
        return script
    if isinstance(script, Rules):
        chance = Seeded(seed, "rules", index)
        for rule in script.rules:
            if rule.matches(index, call, chance):
                return rule.then
        return script.default
    if callable(script):
        return script(index, call)
    return script[min(index, len(script) - 1)] if script else Behaviour()


def load(text: bytes, where: str = "script") -> Script:
    """Read a script from JSON: a behaviour, a list of behaviours, or an object with `rules` and `default`.

    Raises ConfigError that begins with `where` and names the offending field.
    """
    try:
        raw = msgspec.json.decode(text)
        if isinstance(raw, list):
            return msgspec.convert(raw, tuple[Behaviour, ...])
        if isinstance(raw, dict) and ("rules" in raw or "default" in raw):
            return msgspec.convert(raw, Rules)
        return msgspec.convert(raw, Behaviour)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{where}: {error}", hint="see docs/testing.md for the fields of a script") from None
