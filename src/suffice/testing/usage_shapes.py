"""Usage objects in the shapes of real providers, true or false on purpose.

The field names are those listed in docs/testing.md. Invariant: with `values="true"` the object says exactly what is billed.
"""

from __future__ import annotations

from typing import Any

from suffice.testing.script import Shape, Values

ABSURD = 10**15


def usage_object(
    shape: Shape, values: Values, *, prompt: int, cached: int, completion: int, reasoning: int
) -> dict[str, Any] | list[int] | None:
    """Return the value of the field `usage` (None: JSON null; an empty dict for `empty`).

    `completion` includes `reasoning`; `prompt` includes `cached`. Counts are tokens.
    """
    if values == "null":
        return None
    if values == "list":
        return [prompt, completion]
    if values == "empty":
        return {}
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    usage: dict[str, Any] = dict(counts)
    if values == "negative":
        return {name: -1 - value for name, value in counts.items()}
    if values == "strings":
        return {name: str(value) for name, value in counts.items()}
    if values == "absurd":
        return dict.fromkeys(counts, ABSURD)
    if values == "contradictory":
        return {
            **counts,
            "total_tokens": prompt + completion + 17,
            "prompt_tokens_details": {"cached_tokens": prompt + 5},
        }
    usage.update(_details(shape, prompt, cached, completion, reasoning))
    return usage


def _details(shape: Shape, prompt: int, cached: int, completion: int, reasoning: int) -> dict[str, Any]:
    details: dict[str, Any] = {"prompt_tokens_details": {"cached_tokens": cached}}
    if shape == "deepseek":
        details |= {"prompt_cache_hit_tokens": cached, "prompt_cache_miss_tokens": prompt - cached}
    elif shape == "moonshot":
        details = {"cached_tokens": cached}
    elif shape == "openrouter":
        details["prompt_tokens_details"]["cache_write_tokens"] = 0
        details["cost"] = (prompt + 4 * completion) / 1_000_000
    elif shape == "groq":
        details |= {"queue_time": 0.01, "prompt_time": 0.002, "completion_time": 0.02, "total_time": 0.022}
    elif shape == "xai":
        # xAI does not count reasoning in completion_tokens; only the total tells.
        details |= {
            "completion_tokens": completion - reasoning,
            "cost_in_usd_ticks": (prompt + 4 * completion) * 10_000,
        }
    if reasoning:
        details["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return details
