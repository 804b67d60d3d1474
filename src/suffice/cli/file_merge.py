"""Put settings into the text of a file that exists, or refuse. Pure: bytes in, bytes out.

Invariant: what comes back, read by a parser, is what was there and what was asked for, and nothing else; where that cannot be
shown, `UnsafeMergeError` is raised and nothing is guessed.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal

from suffice.cli import jsonc_merge

_TABLE = re.compile(r"^\s*\[", re.MULTILINE)
_VALUE = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s#"'\[{]+)"""
_SETS = re.compile(rf"([A-Za-z0-9_-]+)[ \t]*=[ \t]*({_VALUE})[ \t]*\Z")
_INDENT = re.compile(r"\{\r?\n([ \t]+)\"")


class UnsafeMergeError(Exception):
    """The file cannot be changed without a risk; the message says why, in a few words."""


def merge(name: str, before: bytes | None, wanted: str) -> bytes:
    """Return the new bytes of the file `name`, whose format is that of its suffix; `before` is None when it does not exist.

    Raises UnsafeMergeError.
    """
    if before is None or not before.strip():
        return wanted.encode()
    if before == wanted.encode():
        return before
    if name.endswith((".json", ".jsonc")):
        return _json(before, wanted)
    if name.endswith(".toml"):
        return _toml(before, wanted)
    raise UnsafeMergeError("the file exists, and only JSON and TOML can be added to safely")


def overlay(below: object, above: object) -> object:
    """Return `below` with `above` over it: objects are joined key by key, everything else is replaced.

    Raises UnsafeMergeError where an object would replace another kind of value.
    """
    if not isinstance(above, Mapping):
        return above
    if not isinstance(below, Mapping):
        raise UnsafeMergeError("it holds something else where a section is needed")
    out = dict(below)
    for key, value in above.items():
        out[key] = overlay(out[key], value) if key in out else value
    return out


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise UnsafeMergeError("it is not UTF-8") from None


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise UnsafeMergeError("it has a key twice")
    return out


def _exact_float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")) or Decimal(repr(number)) != Decimal(text):
        raise UnsafeMergeError(f"the number {text[:40]} would be rounded")
    return number


def _no_constant(text: str) -> float:
    raise UnsafeMergeError(f"{text} is not JSON")


def _json(before: bytes, wanted: str) -> bytes:
    text = _text(before)
    try:
        # By text, so that comments stay, and lines as they were laid out.
        return jsonc_merge.merge(text, json.loads(wanted), _read, overlay).encode()
    except (ValueError, RecursionError):
        return _rewritten(text, wanted)


def _rewritten(text: str, wanted: str) -> bytes:
    """Write plain JSON anew, where a list or a section is replaced. Comments would be lost."""
    try:
        found = _read(text)
    except (ValueError, RecursionError):
        raise UnsafeMergeError("it is neither JSON nor JSON with comments that can be added to safely") from None
    try:
        joined = overlay(found, json.loads(wanted))
        indent = _INDENT.search(text)
        out = json.dumps(joined, indent=indent[1] if indent else 2, ensure_ascii=False)
        newline = "\r\n" if "\r\n" in text else "\n"
        return (out.replace("\n", newline) + newline).encode()
    except (ValueError, RecursionError):
        # ValueError is also what a lone surrogate raises.
        raise UnsafeMergeError("it cannot be written again as it is") from None


def _read(text: str) -> object:
    # ValueError is also what an integer of absurd length raises.
    return json.loads(text, object_pairs_hook=_pairs, parse_float=_exact_float, parse_constant=_no_constant)


def _toml(before: bytes, wanted: str) -> bytes:
    text = _text(before)
    newline = "\r\n" if "\r\n" in text else "\n"
    table = _TABLE.search(wanted)
    cut = table.start() if table else len(wanted)
    head, tables = wanted[:cut].rstrip("\n"), wanted[cut:].lstrip("\n")
    try:
        found, asked = tomllib.loads(text), tomllib.loads(wanted)
    except (ValueError, RecursionError):
        raise UnsafeMergeError("it is not valid TOML") from None
    taken = {key for key in set(found) & set(asked) if not isinstance(found[key], (dict, list))}
    head, changed = _set_in_place(head, text, taken)
    # Keys of the root are only read as such before the first table.
    out = (head + "\n\n" if head else "").replace("\n", newline) + changed
    if tables:
        out += ("" if text.endswith("\n") else newline) + newline + tables.replace("\n", newline)
    try:
        after = tomllib.loads(out)
    except (ValueError, RecursionError):
        raise UnsafeMergeError("it sets some of this already") from None
    if not _same(after, _joined(found, asked)):
        raise UnsafeMergeError("adding to it would change what is there")
    return out.encode()


def _set_in_place(head: str, text: str, taken: set[str]) -> tuple[str, str]:
    """Return the lines of `head` that set none of `taken`, and `text` with those set where it sets them, remarks kept.

    Raises UnsafeMergeError where that is not one plain line before the first table.
    """
    table = _TABLE.search(text)
    cut = table.start() if table else len(text)
    root, kept = text[:cut], []
    for line in head.splitlines():
        found = _SETS.match(line)
        if found is None or found[1] not in taken:
            kept.append(line)
            continue
        place = re.compile(rf"^({re.escape(found[1])}[ \t]*=[ \t]*){_VALUE}(?=[ \t]*(?:#[^\n]*)?\r?$)", re.MULTILINE)
        root, count = place.subn(lambda was, value=found[2]: was[1] + value, root)  # type: ignore[misc]
        if count != 1:
            raise UnsafeMergeError(f"it sets `{found[1]}` already")
        taken = taken - {found[1]}
    if taken:
        raise UnsafeMergeError(f"it sets `{min(taken)}` already")
    return "\n".join(kept), root + text[cut:]


def _same(left: object, right: object) -> bool:
    """True when both are alike in text, since a NaN of a file does not equal itself."""
    return repr(left) == repr(right) or left == right


def _joined(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Return what TOML's rule of adding gives: tables are joined, arrays of tables grow."""
    out = dict(below)
    for key, value in above.items():
        old = out.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            out[key] = _joined(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            out[key] = old + value
        else:
            out[key] = value
    return out
