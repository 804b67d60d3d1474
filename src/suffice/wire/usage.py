"""Usage reports of providers, made disjoint.

Providers disagree on whether the prompt count contains cached tokens and whether the output contains reasoning
(docs/dialects.md has the table). Here every report becomes `values.Usage`, whose buckets never overlap. Numbers that
contradict each other are repaired upwards (never below what the provider says it counted) and flagged `suspect`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from suffice.values.usage import Usage

# More than any context window: a larger number is a broken report, not a large request.
ABSURD_TOKENS = 1_000_000_000
# A million dollars for one call is no price.
_MAX_STATED_NANO = 10**15


class _Counts:
    """Reads counts out of a report and remembers whether one of them was nonsense."""

    def __init__(self) -> None:
        self.suspect = False

    def get(self, report: Any, name: str) -> int:
        if report is None or not (type(report) is dict or isinstance(report, Mapping)):
            return 0
        value = report.get(name)
        if value is None:
            return 0
        if type(value) is int and 0 <= value <= ABSURD_TOKENS:
            return value
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= ABSURD_TOKENS:
            if isinstance(value, float) and value.is_integer() and 0 <= value <= ABSURD_TOKENS:
                return int(value)
            self.suspect = True
            return 0
        return value


def disjoint(
    *,
    prompt: int,
    cache_read: int,
    cache_write: int,
    cache_write_1h: int = 0,
    cache_write_12h: int = 0,
    completion: int,
    reasoning: int,
    cache_in_prompt: bool,
    reasoning_in_completion: bool,
    suspect: bool = False,
    stated_nano: int | None = None,
) -> Usage:
    """Return disjoint buckets from a provider's counts (tokens, all >= 0) and its two conventions."""
    cached = cache_read + cache_write + cache_write_1h + cache_write_12h
    fresh = prompt
    if cache_in_prompt:
        fresh = prompt - cached
        if fresh < 0:
            fresh, suspect = 0, True
    visible = completion
    if reasoning_in_completion:
        visible = completion - reasoning
        if visible < 0:
            visible, suspect = 0, True
    return Usage(
        input_tokens=fresh,
        cache_read_tokens=cache_read,
        cache_write_tokens=cache_write,
        cache_write_1h_tokens=cache_write_1h,
        cache_write_12h_tokens=cache_write_12h,
        output_tokens=visible,
        reasoning_tokens=reasoning,
        suspect=suspect,
        stated_nano=stated_nano,
    )


def stated_nano(report: Mapping[str, Any]) -> int | None:
    """Return the provider's own price of a call in nano-dollars, rounded up; None when it names none, or nonsense.

    xAI counts ticks of 1e-10 dollars, OpenRouter (`cost`) and DeepInfra (`estimated_cost`) dollars. Under a key of the caller's own
    (`is_byok`) OpenRouter's `cost` is its fee, and what the provider behind it takes stands in `cost_details`.
    """
    ticks = report.get("cost_in_usd_ticks")
    if type(ticks) is int and 0 <= ticks < _MAX_STATED_NANO * 10:
        return -(-ticks // 10)
    amount = report.get("cost") if "cost" in report else report.get("estimated_cost")
    total = _nano(amount)
    if total is not None and report.get("is_byok"):
        details = report.get("cost_details")
        behind = _nano(details.get("upstream_inference_cost")) if isinstance(details, Mapping) else None
        return None if behind is None else total + behind
    return total


def _nano(dollars: Any) -> int | None:
    """Return dollars as nano-dollars, rounded up; exactly what the digits say, never what a binary fraction makes of them."""
    if type(dollars) not in (int, float) or not 0 <= dollars < _MAX_STATED_NANO / 1_000_000_000:
        return None
    return int((Decimal(repr(dollars)) * 1_000_000_000).to_integral_value(rounding=ROUND_CEILING))


def from_chat(report: Any) -> Usage | None:
    """Return the usage of an OpenAI-style report (chat, completions, embeddings), or None when there is none.

    Reads the cached count wherever OpenAI, DeepSeek, Moonshot, Mistral and OpenRouter put it. Reasoning counts as part of
    the completion unless the total says otherwise (xAI: total = prompt + completion + reasoning).
    """
    if not report or not (type(report) is dict or isinstance(report, Mapping)):
        return None
    read = _Counts()
    prompt = read.get(report, "prompt_tokens")
    completion = read.get(report, "completion_tokens")
    total = read.get(report, "total_tokens")
    details = report.get("prompt_tokens_details")
    cached = max(
        read.get(details, "cached_tokens"),
        read.get(report, "prompt_cache_hit_tokens"),
        read.get(report, "cached_tokens"),
    )
    written = max(read.get(details, "cache_write_tokens"), read.get(report, "cache_creation_input_tokens"))
    # The top-level field is DeepSeek on Azure.
    reasoning = max(
        read.get(report.get("completion_tokens_details"), "reasoning_tokens"), read.get(report, "reasoning_tokens")
    )
    extra = reasoning > 0 and total == prompt + completion + reasoning
    if total and total != prompt + completion + (reasoning if extra else 0):
        read.suspect = True
        # Charge what the total admits: a total above the parts is output that the parts hide.
        completion = max(completion, total - prompt)
    if prompt == completion == 0 and not total:
        return None
    return disjoint(
        prompt=prompt,
        cache_read=cached,
        cache_write=written,
        completion=completion,
        reasoning=reasoning,
        cache_in_prompt=True,
        reasoning_in_completion=not extra,
        suspect=read.suspect,
        stated_nano=stated_nano(report),
    )


def from_anthropic(report: Any) -> Usage | None:
    """Return the usage of an Anthropic message (or of message_start and message_delta, merged by the caller).

    The input count excludes the cache. A cache_creation object splits writes by lifetime; when it says less than
    cache_creation_input_tokens the rest counts as the default lifetime.
    """
    if not isinstance(report, Mapping) or not report:
        return None
    read = _Counts()
    fresh = read.get(report, "input_tokens")
    cached = read.get(report, "cache_read_input_tokens")
    written = read.get(report, "cache_creation_input_tokens")
    hour = read.get(report.get("cache_creation"), "ephemeral_1h_input_tokens")
    short = read.get(report.get("cache_creation"), "ephemeral_5m_input_tokens")
    if hour + short > written > 0:
        read.suspect = True
    completion = read.get(report, "output_tokens")
    reasoning = read.get(report.get("output_tokens_details"), "thinking_tokens")
    if fresh == cached == written == hour == short == completion == 0:
        return None
    return disjoint(
        prompt=fresh,
        cache_read=cached,
        cache_write=max(short, written - hour),
        cache_write_1h=hour,
        completion=completion,
        reasoning=reasoning,
        cache_in_prompt=False,
        reasoning_in_completion=True,
        suspect=read.suspect,
        stated_nano=stated_nano(report),
    )


_PRICED = ("cost_in_usd_ticks", "cost", "estimated_cost", "is_byok", "cost_details")


def from_responses(report: Any) -> Usage | None:
    """Return the usage of an OpenAI response: input includes the cache, output includes reasoning (xAI: the total tells)."""
    if not isinstance(report, Mapping) or not report:
        return None
    renamed = {
        "prompt_tokens": report.get("input_tokens"),
        "completion_tokens": report.get("output_tokens"),
        "total_tokens": report.get("total_tokens"),
        "prompt_tokens_details": report.get("input_tokens_details"),
        "completion_tokens_details": report.get("output_tokens_details"),
    }
    renamed |= {name: report[name] for name in _PRICED if name in report}
    return from_chat(renamed)


def from_gemini(report: Any) -> Usage | None:
    """Return the usage of Gemini's usageMetadata: the prompt includes the cache, candidates exclude thoughts.

    Tool-use prompt tokens are billed as input. The total is checked; what it holds above the parts counts as output.
    """
    if not isinstance(report, Mapping) or not report:
        return None
    read = _Counts()
    prompt = read.get(report, "promptTokenCount") + read.get(report, "toolUsePromptTokenCount")
    visible = read.get(report, "candidatesTokenCount")
    thoughts = read.get(report, "thoughtsTokenCount")
    total = read.get(report, "totalTokenCount")
    if total and total != prompt + visible + thoughts:
        read.suspect = read.suspect or total < prompt + visible + thoughts
        visible = max(visible, total - prompt - thoughts)
    if prompt == visible == thoughts == 0:
        return None
    return disjoint(
        prompt=prompt,
        cache_read=read.get(report, "cachedContentTokenCount"),
        cache_write=0,
        completion=visible,
        reasoning=thoughts,
        cache_in_prompt=True,
        reasoning_in_completion=False,
        suspect=read.suspect,
    )


def from_bedrock(report: Any) -> Usage | None:
    """Return the usage of Bedrock Converse: the input excludes the cache, the output includes reasoning, which is not told.

    `cacheDetails` splits writes by lifetime where it is sent. The total is checked with and without the cache.
    """
    if not isinstance(report, Mapping) or not report:
        return None
    read = _Counts()
    fresh = read.get(report, "inputTokens")
    cached = max(read.get(report, "cacheReadInputTokens"), read.get(report, "cacheReadInputTokenCount"))
    written = max(read.get(report, "cacheWriteInputTokens"), read.get(report, "cacheWriteInputTokenCount"))
    details = report.get("cacheDetails")
    hour = sum(
        read.get(row, "inputTokens")
        for row in (details if isinstance(details, list) else ())
        if isinstance(row, Mapping) and row.get("ttl") == "1h"
    )
    completion = read.get(report, "outputTokens")
    total = read.get(report, "totalTokens")
    if total and total not in (fresh + completion, fresh + cached + written + completion):
        read.suspect = True
        completion = max(completion, total - fresh - cached - written)
    if fresh == cached == written == completion == 0:
        return None
    return disjoint(
        prompt=fresh,
        cache_read=cached,
        cache_write=max(0, written - hour),
        cache_write_1h=hour,
        completion=completion,
        reasoning=0,
        cache_in_prompt=False,
        reasoning_in_completion=True,
        suspect=read.suspect,
    )


def from_cohere(report: Any) -> Usage | None:
    """Return the usage of Cohere v2, in tokens. `billed_units` differ from them and are what is billed: those count when given.

    The prompt includes the cache where both count the same; where the bill is smaller than the cache, the cache is left out.
    """
    if not isinstance(report, Mapping) or not report:
        return None
    read = _Counts()
    unit = "billed_units" if isinstance(report.get("billed_units"), Mapping) else "tokens"
    prompt, completion = read.get(report.get(unit), "input_tokens"), read.get(report.get(unit), "output_tokens")
    cached = read.get(report, "cached_tokens")
    if prompt == completion == 0:
        return None
    return disjoint(
        prompt=prompt,
        cache_read=cached if cached <= prompt else 0,
        cache_write=0,
        completion=completion,
        reasoning=0,
        cache_in_prompt=True,
        reasoning_in_completion=True,
        suspect=read.suspect,
    )
