"""What providers report of services that are no conversation: moderation, rerank, and the lines of a batch's output.

Numbers only; texts and scores are never looked at. A report that is absent or absurd is None, never 0.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.values.usage import Usage
from suffice.wire import usage as usage_of

_MOST = 2**31


def of_service(body: bytes) -> tuple[Usage | None, int]:
    """Return (tokens or None, billed units such as searches or 0) of an answer to a moderation or a rerank."""
    try:
        row = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None, 0
    if not isinstance(row, dict):
        return None, 0
    meta = row.get("meta")
    billed = meta.get("billed_units") if isinstance(meta, dict) else None
    billed = billed if isinstance(billed, dict) else {}
    units = _count(billed.get("search_units")) or 0
    told = row.get("usage")
    told = told if isinstance(told, dict) else {}
    # Their `usage` often has a total alone, and everything in it is input.
    tokens = _first(
        told.get("prompt_tokens"), told.get("input_tokens"), told.get("total_tokens"), billed.get("input_tokens")
    )
    return (None if tokens is None else Usage(input_tokens=tokens)), units


def of_report(told: Any) -> Usage | None:
    """Return the tokens of one `usage` object, of chat's words or of Responses'."""
    if not isinstance(told, dict):
        return None
    if "prompt_tokens" in told:
        return usage_of.from_chat(told)
    prompt, output = _count(told.get("input_tokens")), _count(told.get("output_tokens"))
    if prompt is None:
        return None
    details = told.get("input_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
    cached = min(cached or 0, prompt)
    return Usage(input_tokens=prompt - cached, cache_read_tokens=cached, output_tokens=output or 0)


def of_line(line: bytes) -> tuple[str, Usage] | None:
    """Return (the model that answered, its usage) of a line of a batch's output; None when it tells none."""
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    response = row.get("response") if isinstance(row, dict) else None
    body = response.get("body") if isinstance(response, dict) else None
    usage = of_report(body.get("usage")) if isinstance(body, dict) else None
    return None if usage is None or not isinstance(body, dict) else (str(body.get("model") or ""), usage)


def of_result(line: bytes) -> tuple[str, Usage] | None:
    """The same of a line of the results of a batch of Messages; requests that did not succeed tell none and cost nothing."""
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    result = row.get("result") if isinstance(row, dict) else None
    message = result.get("message") if isinstance(result, dict) else None
    usage = usage_of.from_anthropic(message.get("usage")) if isinstance(message, dict) else None
    return None if usage is None or not isinstance(message, dict) else (str(message.get("model") or ""), usage)


def _first(*values: Any) -> int | None:
    return next((found for found in map(_count, values) if found is not None), None)


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST:
        return None
    return int(value)
