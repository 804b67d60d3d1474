"""Forms as uploads send them (`multipart/form-data`, RFC 7578): read whole, strictly, and written anew.

Must not guess: a body that does not follow its own boundary is refused. Bounded in parts and in the size of their headers; the size of
the whole is the caller's to bound.
"""

from __future__ import annotations

import re

import msgspec

from suffice.errors import RequestError

MAX_PARTS = 64
_MAX_HEAD = 8 * 1024
_BOUNDARY = re.compile(r"""(?:^|;)\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE)
_FIELD = re.compile(rb"""(?:^|;)\s*(name|filename)="((?:[^"\\\r\n]|\\.)*)\"""", re.IGNORECASE)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a form. `filename` is None for a plain value; `content_type` is "" when the sender named none."""

    name: str
    data: bytes
    filename: str | None = None
    content_type: str = ""


def parse(content_type: str, body: bytes) -> tuple[Part, ...]:
    """Return the parts of a form. Raises RequestError (400)."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise _bad("the content type names no boundary")
    mark = b"--" + (found.group(1) or found.group(2)).encode("latin-1", "replace")
    if not body.startswith(mark):
        raise _bad("the form does not begin with its boundary")
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)[1:]
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise _bad("the form is not complete")
    if len(pieces) - 1 > MAX_PARTS:
        raise _bad(f"the form has more than {MAX_PARTS} fields")
    return tuple(_part(piece) for piece in pieces[:-1])


def _part(piece: bytes) -> Part:
    head, blank, data = piece.lstrip(b" \t").partition(b"\r\n\r\n")
    if not blank or len(head) > _MAX_HEAD or not head.startswith(b"\r\n"):
        raise _bad("a field of the form has no head")
    disposition = content_type = b""
    for line in head[2:].split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-disposition":
            disposition = value.strip()
        elif name.strip().lower() == b"content-type":
            content_type = value.strip()
    fields = {key.lower(): value for key, value in _FIELD.findall(disposition)}
    if not disposition.lower().startswith(b"form-data") or b"name" not in fields:
        raise _bad("a field of the form has no name")
    filename = fields.get(b"filename")
    return Part(
        name=_text(fields[b"name"]),
        data=data,
        filename=None if filename is None else _text(filename),
        content_type=content_type.decode("latin-1"),
    )


def _text(value: bytes) -> str:
    return re.sub(rb"\\(.)", rb"\1", value).decode("utf-8", "replace")


def encode(parts: tuple[Part, ...], boundary: str) -> bytes:
    """Return the body of a form; `boundary` must stand in none of the parts (make it of chance)."""
    mark = b"--" + boundary.encode()
    out: list[bytes] = []
    for part in parts:
        head = b'content-disposition: form-data; name="' + _quoted(part.name) + b'"'
        if part.filename is not None:
            head += b'; filename="' + _quoted(part.filename) + b'"'
        if part.content_type:
            head += b"\r\ncontent-type: " + part.content_type.encode("latin-1", "replace")
        out += (mark, b"\r\n", head, b"\r\n\r\n", part.data, b"\r\n")
    return b"".join((*out, mark, b"--\r\n"))


def _quoted(text: str) -> bytes:
    clean = re.sub(r"[\x00-\x1f\x7f]", "_", text)
    return clean.replace("\\", "\\\\").replace('"', '\\"').encode()


def _bad(message: str) -> RequestError:
    return RequestError(message, code="invalid_form", hint="send multipart/form-data as RFC 7578 has it")
