"""Typed reading of decoded request JSON: the value, or a RequestError (400) that names the field.

`where` is the path of the field as the client wrote it. Absent and null are the same thing to every function here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import RequestError

_decode = msgspec.json.Decoder().decode
_BIG = 2**53


def decode_object(body: bytes) -> dict[str, Any]:
    """Return the decoded JSON object. Raises RequestError when `body` is anything else."""
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RequestError(f"the request body is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise RequestError("the request body must be a JSON object")
    return value


def text(value: Any, where: str) -> str:
    """Return a string, "" when absent."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise _wrong(where, "a string")


def number(value: Any, where: str) -> float | None:
    """Return a number or None."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise _wrong(where, "a number")


def whole(value: Any, where: str, low: int = -_BIG) -> int | None:
    """Return a whole number >= `low` or None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and low <= value <= _BIG):
        return value
    raise _wrong(where, "a whole number" + (f" of at least {low}" if low > -_BIG else ""))


def flag(value: Any, where: str) -> bool | None:
    """Return True, False or None."""
    if value is None or isinstance(value, bool):
        return value
    raise _wrong(where, "true or false")


def mapping(value: Any, where: str) -> dict[str, Any]:
    """Return an object, {} when absent."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise _wrong(where, "an object")


def rows(value: Any, where: str) -> list[dict[str, Any]]:
    """Return an array of objects, [] when absent."""
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise _wrong(where, "an array of objects")


def texts(value: Any, where: str) -> tuple[str, ...]:
    """Return an array of strings, or one string as a tuple of one."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise _wrong(where, "a string or an array of strings")


def _wrong(where: str, what: str) -> RequestError:
    return RequestError(f"{where} must be {what}", param=where)
