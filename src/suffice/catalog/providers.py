"""Providers: where they are, how they authenticate, what they speak, and in what they differ. Only facts, as table data.

Unknown stays unknown: an empty string, an empty list or None. A fact about compliance carries its source, its date and
how far it can be relied on. Nothing here opens a connection or reads a key.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from suffice.catalog.prices import Ratio

# What the letters of `Provider.sources` stand for.
SOURCES = {
    "d": "the provider's documentation, as found by search in 2026",
    "m": "models.dev's notes on providers, read 2026-06-25",
    "f": "answers that the provider gave, recorded in the tests of the AI SDK, 2026-08",
    "l": "LiteLLM 1.109.1, its source and price map, 2026-11",
    "g": "genai-prices 0.2.3 (2026-11) and model-prices 0.0.5 (2026-10)",
    "k": "background knowledge: verify before relying on it",
}


class AuthScheme(StrEnum):
    """How a request proves who sends it."""

    BEARER = "bearer"
    X_API_KEY = "x-api-key"
    API_KEY = "api-key"
    X_GOOG_API_KEY = "x-goog-api-key"
    SIGV4 = "sigv4"
    OAUTH2 = "oauth2"
    NONE = "none"


class UsageShape(StrEnum):
    """The form in which a provider reports tokens; docs/catalog.md has the table."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    BEDROCK = "bedrock"
    DEEPSEEK = "deepseek"
    XAI = "xai"
    MOONSHOT = "moonshot"
    COHERE = "cohere"


class UsageRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How to read usage: is the cache in the prompt count, is reasoning in the output count, and where the fields are.

    Field names are dotted paths below `usage`; `cost_field` is where the provider states its own price, with its unit, and
    `cost_is_bill` says that this is what it charges, not an estimate.
    """

    shape: UsageShape = UsageShape.OPENAI
    prompt_includes_cache: bool = True
    output_includes_reasoning: bool = True
    cached_field: str = "prompt_tokens_details.cached_tokens"
    write_field: str = ""
    cost_field: str = ""
    cost_unit: str = ""
    cost_is_bill: bool = False


class CacheFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Prompt caching. `mode` is none, automatic, explicit, both or unknown; multipliers are exact ratios of fresh input.

    `write_multipliers` has keys default, 1h, 12h. `hint_fields` are body fields and `affinity_header` the header that
    keep a session on its cache. `max_breakpoints` is 0 when there are none.
    """

    mode: str = "unknown"
    min_tokens: int | None = None
    ttl_s: int | None = None
    read_multiplier: Ratio | None = None
    write_multipliers: dict[str, Ratio] = {}
    max_breakpoints: int = 0
    hint_fields: tuple[str, ...] = ()
    affinity_header: str = ""
    notes: tuple[str, ...] = ()


class FimFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Fill in the middle. `style` is fields (prompt and suffix), template (tokens in the prompt), infill or prefix."""

    path: str
    style: str
    fields: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    response: str = ""
    confidence: str = "documented"


class BatchFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The deferred tier: `multiplier` of the standard price, and within how many seconds answers are promised."""

    path: str = ""
    multiplier: Ratio | None = None
    window_s: int | None = None
    confidence: str = "documented"


class Quirks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Differences from the plain dialect that translation must know.

    `max_tokens_field`: the output limit to send (`max_tokens`, `max_completion_tokens`, `either`). `tool_id`: `any`,
    `alnum9` or `anthropic`. `reasoning_field`: where thinking text comes. `reasoning_echo`: `tool-loop` when it must be
    sent back. `chat_custom_tools`: takes freeform tools in chat. `error_in_200`: dotted path of an error inside a success.
    `sse_comments`: sends comment lines.
    """

    max_tokens_field: str = "max_tokens"
    tool_id: str = "any"
    stream_options: bool = True
    developer_role: bool = False
    parallel_tool_calls: bool = True
    chat_custom_tools: bool = False
    seed_field: str = "seed"
    reasoning_field: str = ""
    reasoning_echo: str = ""
    thinking_switch: str = ""
    error_in_200: str = ""
    sse_comments: bool = False
    unsupported: tuple[str, ...] = ()
    max_stop: int | None = None
    headers: dict[str, str] = {}
    notes: tuple[str, ...] = ()


class Attribute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fact about compliance. `confidence`: `documented`, `background` (from memory, verify) or `operator`."""

    value: str
    source: str
    date: str
    confidence: str = "background"


class Provider(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One provider. `base_url` may hold placeholders such as `{region}`; `dialects` maps a dialect to a path, `versioned` to its
    path in an older interface with an `{api_version}`, for endpoints that name one.

    `error_shape`: openai, anthropic, google, aws, cohere or other. `local` marks software that the operator runs, whose
    calls have no per-token price. `offered` is False for providers that are never picked up by themselves (retired, or
    whose terms forbid it); `retired_at` is an ISO date. `sources`: letters of `SOURCES`, where the row was read.
    """

    id: str
    name: str
    base_url: str
    env_vars: tuple[str, ...] = ()
    auth: AuthScheme = AuthScheme.BEARER
    auth_alternatives: tuple[AuthScheme, ...] = ()
    dialects: dict[str, str] = {}
    versioned: dict[str, str] = {}
    fim: FimFacts | None = None
    batch: BatchFacts | None = None
    cache: CacheFacts = CacheFacts()
    usage: UsageRule = UsageRule()
    quirks: Quirks = Quirks()
    error_shape: str = "openai"
    rate_limit_headers: tuple[str, ...] = ()
    attributes: dict[str, Attribute] = {}
    local: bool = False
    offered: bool = True
    retired_at: str = ""
    price_note: str = ""
    sources: str = ""

    def url(self, dialect: str, base_url: str = "", *, versioned: bool = False) -> str | None:
        """Return the URL template of a dialect, placeholders included; None when it is not spoken here.

        `base_url` replaces the provider's own. A path `~/x` is relative to scheme and host, a full URL stands for itself.
        `versioned` asks for the older interface.
        """
        path = (versioned and self.versioned.get(dialect)) or self.dialects.get(dialect)
        if path is None or "://" in path:
            return path
        base = (base_url or self.base_url).rstrip("/")
        if path.startswith("~/"):
            scheme, _, rest = base.partition("://")
            return f"{scheme}://{rest.partition('/')[0]}{path[1:]}"
        return base + path
