"""When a provider says that it can be asked again: every form of the answer, in seconds.

It reads headers and bodies that strangers wrote. Invariant: the result is None or a finite number of seconds in [0, `MAX_S`].
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any

MAX_S = 3600.0
_DURATION = re.compile(
    r"(?:(\d{1,6})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?", re.ASCII
)

Headers = Sequence[tuple[bytes, bytes]]


def header(headers: Headers, name: bytes) -> str:
    """Return the first value of the lower-case header `name`, stripped; `""` when absent."""
    for key, value in headers:  # no generator: this is asked for on every answer
        if key == name or key.lower() == name:
            return value.decode("latin-1").strip()
    return ""


def retry_after_s(headers: Headers, details: Any, now_s: float) -> float | None:
    """Return the seconds to wait: `retry-after-ms`, `retry-after` (seconds or date), or `retryDelay` in a Google body.

    `now_s` is the wall clock; the answer's own `date` header is preferred for dates, so that skewed clocks do no harm.
    `details` is the list `error.details` of the body, or anything else. Nonsense counts as absent; more than an hour as one.
    """
    milliseconds = _number(header(headers, b"retry-after-ms"))
    if milliseconds is not None:
        return _clamp(milliseconds / 1000)
    text = header(headers, b"retry-after")
    seconds = _number(text)
    if seconds is not None:
        return _clamp(seconds)
    if text:
        at = _date(text)
        if at is not None:
            return _clamp(at - (_date(header(headers, b"date")) or now_s))
        spelled = _duration(text)
        if spelled is not None:
            return spelled
    return _from_details(details)


def _from_details(details: Any) -> float | None:
    for detail in details if isinstance(details, list) else []:
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str):
            return _duration(delay)
    return None


def _clamp(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_S)


def _number(text: str) -> float | None:
    if not text or len(text) > 32 or not text.isascii():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _duration(text: str) -> float | None:
    """Read `1h2m3.5s` or `250ms`."""
    found = _DURATION.fullmatch(text) if text and len(text) <= 64 else None
    if not found or not any(found.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    return _clamp(hours * 3600 + minutes * 60 + seconds + milliseconds / 1000)


def _date(text: str) -> float | None:
    if not text or len(text) > 64:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
