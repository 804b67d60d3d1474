"""Split the top level of a JSON object into spans, so that single fields can be replaced byte for byte.

A gateway that decides on one reading of a document and forwards another can be fooled: parsers differ on repeated keys,
on escaped keys, on what follows the document. So a body is refused (400) unless every parser reads its top level alike.
It never decodes a value and never re-serialises one.

Invariant: for an accepted body the spans between the values hold exactly one plain key each, and the bytes outside the
spliced fields leave as they came.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import msgspec

from suffice.errors import RequestError
from suffice.wire import long_list

_WS = rb"[ \t\n\r]*"
_KEY = re.compile(_WS + rb'"([^"\\\x00-\x1f]*)"' + _WS + rb":" + _WS)
_OPEN = re.compile(_WS + rb"\{")
_NEXT = re.compile(_WS + rb"([,}])")
_AFTER_ROW = re.compile(_WS + rb"[,\]]")
_TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OBJECTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])

# From here on one pass less is worth a proof; see `_split_large`.
_LARGE_BYTES = 16 * 1024
# Above this size a value is taken apart level by level, so many levels, before it is looked through as a whole.
_LEVEL_BYTES = 2048
_LEVELS = 9
# Above this size the number of nodes is bounded before objects are made for them; below it the worst case is small.
_COUNT_FIRST_BYTES = 1 << 20
_CONTAINERS_ONLY = bytes(c for c in range(256) if c not in b"[]{}")
_SIGNED_STEP = bytes({91: 1, 123: 1, 93: 255, 125: 255}.get(c, 0) for c in range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanLimits:
    """Bounds on one body: size in bytes, depth of nesting (the outer object counts as 1), number of nodes and of top-level
    fields."""

    max_body_bytes: int = 32 * 1024 * 1024
    max_depth: int = 128
    max_nodes: int = 500_000
    max_fields: int = 1000


DEFAULT_LIMITS = ScanLimits()


class Span(NamedTuple):
    """Byte offsets of one field: its key (with quotes) begins at `key`, its value lies in `[start, end)`."""

    key: int
    start: int
    end: int


class TopLevel(msgspec.Struct, frozen=True):
    """An accepted body and where its top-level fields lie. Values stay undecoded."""

    body: bytes
    spans: Mapping[str, Span]
    _objects: dict[str, list[dict[str, msgspec.Raw]]]

    def value(self, key: str) -> bytes | None:
        """Return the bytes of a field's value as sent, or None when the field is absent."""
        span = self.spans.get(key)
        return None if span is None else self.body[span.start : span.end]

    def objects(self, key: str) -> list[dict[str, msgspec.Raw]] | None:
        """Return a field that is an array of objects, split one level further, or None when it is anything else.

        The split is kept: the depth check has often made it already.
        """
        if key not in self._objects:
            raw = self.value(key)
            if raw is None or raw[:1] != b"[":
                return None
            try:
                self._objects[key] = _OBJECTS.decode(raw)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                return None
        return self._objects[key]

    def splice(self, changes: Mapping[str, bytes | None]) -> list[bytes]:
        """Return the body in pieces with top-level fields replaced, added (at the end) or, with None, removed.

        Values must be JSON text. Keys that are absent and removed are ignored. Whitespace and order of what stays are
        untouched; `b"".join(...)` is the new body.
        """
        body, spans = self.body, self.spans
        out: list[bytes] = []
        cursor = 0  # everything before it has been emitted or dropped
        kept = 0
        last_end = 0
        for name, span in spans.items():
            if name not in changes:
                kept += 1
                last_end = span.end
                continue
            new = changes[name]
            if new is None:
                cursor = self._drop(out, cursor, span, kept, last_end)
            else:
                out += (body[cursor : span.start], new)
                cursor = span.end
                kept += 1
            last_end = span.end
        added = [(k, v) for k, v in changes.items() if v is not None and k not in spans]
        if added:
            end = last_end or body.index(b"{") + 1
            if end > cursor:
                out.append(body[cursor:end])
                cursor = end
            for name, new in added:
                out += (b"," if kept else b"", msgspec.json.encode(name), b":", new)
                kept += 1
        out.append(body[cursor:])
        return [piece for piece in out if piece]

    def _drop(self, out: list[bytes], cursor: int, span: Span, kept: int, last_end: int) -> int:
        """Leave out one field with the comma on its left, or on its right when nothing kept stands before it."""
        if kept:
            if last_end > cursor:
                out.append(self.body[cursor:last_end])
            return span.end
        if span.key > cursor:
            out.append(self.body[cursor : span.key])
        after = _NEXT.match(self.body, span.end)
        if after is not None and after.group(1) == b",":
            following = _KEY.match(self.body, after.end())
            if following is not None:
                return self.body.index(b'"', after.end())
        return span.end


def scan(body: bytes, limits: ScanLimits = DEFAULT_LIMITS) -> TopLevel:
    """Check `body` and split it at its top level.

    Raises RequestError (400; 413 when too large): not UTF-8, byte order mark, not one JSON object, trailing bytes,
    a repeated or escaped top-level key, nesting deeper or nodes more numerous than the limits.
    """
    if len(body) > limits.max_body_bytes:
        raise RequestError(
            f"the request body has {len(body)} bytes, the limit is {limits.max_body_bytes}",
            code="request_too_large",
            status=413,
        )
    _check_text(body)
    if len(body) > _COUNT_FIRST_BYTES:
        _check_nodes(body, limits)
    elif len(body) > _LARGE_BYTES:
        split = _split_large(body, limits)
        if split is not None:
            return split
    try:
        fields = _TOP.decode(body)
    except RecursionError:
        raise _too_deep(limits) from None
    except msgspec.ValidationError:
        raise RequestError("the request body must be a JSON object") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RequestError(f"the request body is not valid JSON: {error}") from None
    if len(fields) > limits.max_fields:
        raise RequestError(f"the request body has {len(fields)} top-level fields, the limit is {limits.max_fields}")
    spans = _spans(body, fields)
    _check_numbers(fields)
    objects: dict[str, list[dict[str, msgspec.Raw]]] = {}
    # Fewer brackets than levels cannot be too deep; on large bodies counting costs more than looking at each value.
    if len(body) >= 4096 or body.count(b"{") + body.count(b"[") > limits.max_depth:
        for name, raw in fields.items():
            if len(raw) >= limits.max_depth:
                _check_value(name, bytes(raw), limits, objects)
    return TopLevel(body, spans, objects)


def _split_large(body: bytes, limits: ScanLimits) -> TopLevel | None:
    """Split a body that is mostly one array of objects; None when that cannot be proved, so that it is split as any other.

    The proposal is that the value of a field `name` lies in [start, end). The rest of the body, with `null` in its place, must be
    an object that passes every check of the top level, and the null must stand where the array did. That proves the start: what
    comes before it reads the same whatever follows. And it proves the end, because the decoder has read the whole body as one
    document. An end inside a string would leave the rest with an odd number of quotes (a backslash cannot help: outside of
    strings it is no JSON). An end before the array's own would close more brackets in the rest than are open. An end behind it is
    possible only when the rows are those of a later field of the same name, which ends still further behind; it, or a part of it,
    is then in the rest, and found as repeated or as no JSON. As the length is that of the rows and their punctuation alone, no
    key in them is hidden either.
    """
    proposed = long_list.find(body)
    if proposed is None:
        return None
    name, start, end, rows = proposed
    rest = body[:start] + b"null" + body[end:]
    try:
        fields = _TOP.decode(rest)
        spans = _spans(rest, fields)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, RequestError):
        return None
    if name not in spans or spans[name].start != start or len(fields) > limits.max_fields:
        return None
    _check_numbers(fields)
    objects = {name: rows}
    _fields_checked(rows, limits.max_depth - 3, limits)
    for key, raw in fields.items():
        if key != name and len(raw) >= limits.max_depth:
            _check_value(key, bytes(raw), limits, objects)
    by = end - start - len(b"null")
    return TopLevel(body, {key: _moved(span, start, by) for key, span in spans.items()}, objects)


def _moved(span: Span, start: int, by: int) -> Span:
    if span.end <= start:
        return span
    return Span(
        span.key if span.key < start else span.key + by,
        span.start if span.start <= start else span.start + by,
        span.end + by,
    )


def _check_numbers(fields: Mapping[str, msgspec.Raw]) -> None:
    """Refuse a top-level number that is none of a double: some parsers read it as infinity, others refuse it.

    Deeper ones are not looked for: nothing that is routed or paid by lies there, and what has to read them refuses them too.
    """
    for name, raw in fields.items():
        if memoryview(raw)[0] in b"-0123456789" and math.isinf(float(bytes(raw))):
            raise RequestError(f"{name} is too large a number", param=name)


def _check_text(body: bytes) -> None:
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise RequestError("the request body begins with a byte order mark; send plain UTF-8")
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise RequestError(f"the request body is not valid UTF-8 at byte {error.start}") from None


def _spans(body: bytes, fields: Mapping[str, msgspec.Raw]) -> dict[str, Span]:
    """Walk the top level beside the decoded fields. A repeated key makes the two disagree, as the decoder keeps the last."""
    opened = _OPEN.match(body)
    if opened is None:
        raise RequestError("the request body must be a JSON object")
    spans: dict[str, Span] = {}
    at = opened.end()
    for name, raw in fields.items():
        found = _KEY.match(body, at)
        if found is None:
            raise RequestError(
                f"the top-level key near byte {at} is escaped or repeated; write each key once, without backslashes"
            )
        start = found.end()
        end = start + len(raw)
        if found.group(1) != name.encode() or not body.startswith(raw, start):
            raise _repeated(found.group(1), body, found.start())
        spans[name] = Span(found.start(1) - 1, start, end)
        comma = _NEXT.match(body, end)
        if comma is None:
            raise _repeated(found.group(1), body, found.start())
        at = comma.end()
    if fields and body[at - 1] != 0x7D:
        found = _KEY.match(body, at)
        raise _repeated(found.group(1) if found else b"", body, at)
    return spans


def _repeated(key: bytes, body: bytes, at: int) -> RequestError:
    name = key[:64].decode(errors="replace")
    return RequestError(
        f"a top-level key is repeated or escaped near byte {at} of {len(body)} ({name!r})",
        code="duplicate_key",
        hint="write each top-level key once, without backslashes",
        param=name or None,
    )


def _too_deep(limits: ScanLimits) -> RequestError:
    return RequestError(f"the request body is nested deeper than {limits.max_depth} levels", code="too_deep")


def _check_value(name: str, value: bytes, limits: ScanLimits, objects: dict[str, list[dict[str, msgspec.Raw]]]) -> None:
    """Refuse a value nested too deep. Strings, most of every body, are passed over without being looked at."""
    if value[0] not in b"[{":
        return
    if len(value) <= _COUNT_FIRST_BYTES and value[0] == 0x5B:
        rows = _rows(value)
        if rows is not None and _rows_checked(value, rows, limits.max_depth - 3, limits):
            objects[name] = rows
            return
    _check_depth(value, limits.max_depth - 1, limits)


def _rows(value: bytes) -> list[dict[str, msgspec.Raw]] | None:
    """Split an array of objects, or one object as if it stood in an array; None for anything else."""
    try:
        return _OBJECTS.decode(value) if value[0] == 0x5B else [_TOP.decode(value)]
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _rows_checked(value: bytes, rows: list[dict[str, msgspec.Raw]], room: int, limits: ScanLimits) -> bool:
    """Check that fields of the objects are no deeper than `room`; False when the bytes do not add up, so that only a full look will do.

    A repeated key hides its first value. A hidden value of depth d has at least 2 d bytes, and what the fields and the
    punctuation of compact JSON do not account for is whitespace or hidden.
    """
    seen = (1 + max(1, len(rows)) if value[0] == 0x5B else 0) + 2 * len(rows)
    seen += _fields_checked(rows, room, limits)
    return len(value) - seen <= 2 * room or _nothing_hidden(value, rows)


def _fields_checked(rows: list[dict[str, msgspec.Raw]], room: int, limits: ScanLimits) -> int:
    """Refuse a field of the objects that is nested deeper than `room`; return their length with what stands between them."""
    seen = 0
    for row in rows:
        for key, raw in row.items():
            size = len(raw)
            seen += len(key) + 4 + size
            if size > room:
                _check_depth(bytes(raw), room, limits)
        if row:
            seen -= 1
    return seen


def _nothing_hidden(value: bytes, rows: list[dict[str, msgspec.Raw]]) -> bool:
    """Walk an array of objects beside its rows: True when there is nothing in it but their fields, once each, and whitespace."""
    if value[0] != 0x5B:
        return False
    at = 1
    for row in rows:
        found = _OPEN.match(value, at)
        if found is None:
            return False
        at = found.end()
        for name, raw in row.items():
            found = _KEY.match(value, at)
            if found is None or found.group(1) != name.encode() or not value.startswith(raw, found.end()):
                return False
            found = _NEXT.match(value, found.end() + len(raw))
            if found is None:
                return False
            at = found.end()
        found = _AFTER_ROW.match(value, at if row else at + 1)
        if found is None or (row and value[at - 1] != 0x7D):
            return False
        at = found.end()
    return True


def _check_depth(value: bytes, room: int, limits: ScanLimits) -> None:
    if value[0] not in b"[{" or value.count(b"{") + value.count(b"[") <= room:
        return
    if len(value) > _LEVEL_BYTES and room > max(3, limits.max_depth - _LEVELS):
        # Mostly one long string some levels down (the arguments of a tool call): cheaper to pass over than to take apart.
        rows = _rows(value)
        if rows is not None and _rows_checked(value, rows, room - (2 if value[0] == 0x5B else 1), limits):
            return
    bare = _skeleton(value, len(value))
    steps = (bare or b"").translate(_SIGNED_STEP, _CONTAINERS_ONLY)
    if max(accumulate(memoryview(steps).cast("b")), default=0) > room:
        raise _too_deep(limits)


def _check_nodes(body: bytes, limits: ScanLimits) -> None:
    """Bound the objects that a split could make, before any is made."""
    if body.count(b":") + body.count(b",") + body.count(b"{") + body.count(b"[") <= limits.max_nodes:
        return
    # Every string is a node or a key of one: too many quotes need no closer look.
    bare = _skeleton(body, 4 * limits.max_nodes)
    if bare is None or sum(map(bare.count, (b",", b":", b"{", b"["))) > limits.max_nodes:
        raise RequestError(
            f"the request body has more than {limits.max_nodes} JSON nodes", code="request_too_large", status=413
        )


def _skeleton(text: bytes, max_quotes: int) -> bytes | None:
    """Return JSON text without its strings, or None when it has more quotes than asked for.

    Pairs of backslashes go first, so that a backslash that is left escapes the next byte.
    """
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    if text.count(b'"') > max_quotes:
        return None
    return b"".join(text.split(b'"')[::2])
