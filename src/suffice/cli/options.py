"""Options that many commands have, and words on the command line that mean a time, a sum of money or a list."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from suffice.cli.command import UsageError

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_LAST_S = 253_402_300_800  # the year 10000, where dates end


def shared_options(parser: argparse.ArgumentParser, *, inner: bool = False) -> None:
    """Add the options that every command has. `inner` is for a parser within one: what it is not given stays as it was."""
    default: dict[str, Any] = {"default": argparse.SUPPRESS} if inner else {}
    parser.add_argument(
        "--config", metavar="FILE", help="configuration file (default: SUFFICE_CONFIG, ./suffice.toml, ...)", **default
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document", **default)
    parser.add_argument(
        "-v", "--verbose", action="count", help="say more; twice for still more", **(default or {"default": 0})
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks", **default)


def actions(parser: argparse.ArgumentParser, **listed: str) -> dict[str, argparse.ArgumentParser]:
    """Add the actions of a command, by name with one line about each; returns their parsers. One must be given."""
    inner = parser.add_subparsers(dest="action", metavar="ACTION", required=True, help=", ".join(listed))
    out = {}
    for name, about in listed.items():
        out[name] = inner.add_parser(name, help=about, description=about, allow_abbrev=False)
        shared_options(out[name], inner=True)
    return out


def span_s(text: str, option: str) -> int:
    """Return a duration such as `30m`, `24h`, `7d`, `2w` in seconds. Raises UsageError."""
    found = _SPAN.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UsageError(f"{option}: {text!r} is no duration; write a number and s, m, h, d or w, as in 7d")
    return int(found[1]) * UNITS_S[found[2]]


def moment_s(text: str, option: str, now_s: float, *, ahead: bool) -> float:
    """Return a date (`2026-11-01`, with a time if wanted; UTC) or a duration from `now_s` as epoch seconds.

    Durations count forward when `ahead`, else back. Raises UsageError, also for a date on the wrong side of now.
    """
    if _SPAN.fullmatch(text.strip()):
        return min(now_s + span_s(text, option), _LAST_S) if ahead else max(0.0, now_s - span_s(text, option))
    try:
        stamp = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"{option}: {text!r} is neither a date nor a duration; write 2026-11-01 or 30d, 24h, 90m"
        ) from None
    at = (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()
    if ahead != (at > now_s):
        raise UsageError(f"{option}: {text} is in the {'past' if ahead else 'future'}")
    return at


def dollars(text: str, option: str) -> Decimal:
    """Return a sum in dollars, at least 0 and no finer than a nano-dollar. Raises UsageError."""
    try:
        value = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        raise UsageError(f"{option}: {text!r} is no sum in dollars; write 1.50") from None
    if not value.is_finite() or value < 0 or value > 1_000_000_000 or value != round(value, 9):
        raise UsageError(f"{option}: {text!r} must be from 0 to a billion dollars with at most nine decimals")
    return value


def listed(given: list[str] | None) -> tuple[str, ...]:
    """Return the values of an option that may be repeated and may hold several with commas between, each once."""
    words = (word.strip() for text in given or [] for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def utc(at_s: float) -> str:
    """Return epoch seconds for people: date and minute, UTC."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M}"


def iso(at_s: float) -> str | None:
    """Return epoch seconds for machines: ISO 8601 in UTC; None for 0, which means never."""
    return datetime.fromtimestamp(at_s, UTC).isoformat() if at_s else None
