"""Usage reports of providers, made disjoint.

Providers disagree on whether the prompt count contains cached tokens and whether the output contains reasoning
(docs/dialects.md has the table). Here every report becomes `values.Usage`, whose buckets never overlap. Numbers that
contradict each other are repaired upwards (never below what the provider says it counted) and flagged `suspect`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from suffice.values.usage import Usage

# More than any context window: a larger number is a broken report, not a large request.
ABSURD_TOKENS = 1_000_000_000


class _Counts:
    """Reads counts out of a report and remembers whether one of them was nonsense."""

    def __init__(self) -> None:
        self.suspect = False

    def get(self, report: Any, name: str) -> int:
        value = report.get(name) if isinstance(report, Mapping) else None
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
    )


def from_chat(report: Any) -> Usage | None:
    """Return the usage of an OpenAI-style report (chat, completions, embeddings), or None when there is none.

    Reads the cached count wherever OpenAI, DeepSeek, Moonshot, Mistral and OpenRouter put it. Reasoning counts as part of
    the completion unless the total says otherwise (xAI: total = prompt + completion + reasoning).
    """
    if not isinstance(report, Mapping) or not report:
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
    reasoning = read.get(report.get("completion_tokens_details"), "reasoning_tokens")
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
    )
