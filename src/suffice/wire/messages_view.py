"""What routing reads of an Anthropic Messages request: the same view as of chat, without decoding the history.

It must not decide anything. In this dialect the results of tools stand in the user's messages; for routing they are what they
are in chat: a message of role `tool`. A field of the wrong type is refused (400) where it is decoded.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import RequestError
from suffice.wire.prescan import TopLevel
from suffice.wire.request_view import HEAD_MESSAGES, TAIL_MESSAGES, RequestView, shared_fields, tool_names, window

_IMAGES = frozenset({"image", "document"})


class _Block(msgspec.Struct):
    type: str = ""
    text: str = ""
    content: Any = None


_blocks = msgspec.json.Decoder(list[_Block])
_text = msgspec.json.Decoder(str)


def messages_view(top: TopLevel) -> RequestView:
    """Read a Messages body. Raises RequestError (400) naming the field that has the wrong type."""
    rows = top.objects("messages")
    if not rows:
        raise RequestError("messages must be a non-empty array of objects", param="messages")
    if top.value("max_tokens") is None:
        raise RequestError("max_tokens: Field required", param="max_tokens")
    roles = [_string(row.get("role"), "messages.role") for row in rows]
    kinds = [_kind(row, role) for row, role in zip(rows, roles, strict=True)]
    users = [at for at, kind in enumerate(kinds) if kind == "user"]
    asks = tuple(_words(rows[at])[0] for at in users[:-4:-1])
    return RequestView(
        system_text=_system(top),
        first_user_text=_words(rows[users[0]])[0] if users and users[0] < HEAD_MESSAGES else "",
        asks=asks,
        tool_names=tool_names(top.objects("tools")),
        n_messages=len(rows),
        n_user=len(users),
        n_assistant=roles.count("assistant"),
        last_roles=tuple(kinds[-TAIL_MESSAGES:]),
        tool_result_texts=_results(rows, kinds),
        has_images=_images(rows),
        structured=_structured(top),
        **shared_fields(top),
    )


def session_user(top: TopLevel) -> str:
    """Return `metadata.user_id` where it names a session, as agents of this dialect send it, "" otherwise.

    An id that names the user alone would make all the user's conversations one session.
    """
    try:
        found = msgspec.json.decode(top.value("metadata") or b"null")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""
    user = found.get("user_id") if isinstance(found, dict) else None
    return user if isinstance(user, str) and ("_session_" in user or '"session_id"' in user) else ""


def _kind(row: dict[str, msgspec.Raw], role: str) -> str:
    """Return `tool` for a user's message that holds results, else its role."""
    raw = row.get("content")
    if role != "user" or raw is None:
        return role
    view = memoryview(raw)
    if view[0] != 0x5B or b'"tool_result"' not in bytes(view[:2048]):
        return role
    return "tool" if any(block.type == "tool_result" for block in _parts(row)) else role


def _system(top: TopLevel) -> str:
    raw = top.value("system")
    if raw is None or raw == b"null":
        return ""
    return window(_content(raw, "system")[0])


def _words(row: dict[str, msgspec.Raw]) -> tuple[str, bool]:
    raw = row.get("content")
    return ("", False) if raw is None else _content(bytes(raw), "messages.content")


def _content(raw: bytes, where: str) -> tuple[str, bool]:
    if raw[:1] == b'"':
        return window(_string(raw, where)), False
    blocks = _decoded(raw, where)
    texts = [block.text for block in blocks if block.type == "text"]
    return window("\n".join(texts)), any(block.type in _IMAGES for block in blocks)


def _parts(row: dict[str, msgspec.Raw]) -> list[_Block]:
    raw = row.get("content")
    return _decoded(bytes(raw), "messages.content") if raw is not None else []


def _decoded(raw: bytes, where: str) -> list[_Block]:
    try:
        return _blocks.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise RequestError(f"{where} must be a string or an array of content blocks", param=where) from None


def _results(rows: list[dict[str, msgspec.Raw]], kinds: list[str]) -> tuple[str, ...]:
    """Return the results in the last message, oldest first."""
    if kinds[-1] != "tool":
        return ()
    texts = []
    for block in _parts(rows[-1]):
        if block.type == "tool_result":
            texts.append(window(_result_text(block.content)))
    return tuple(texts[-TAIL_MESSAGES:])


def _result_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    pieces = content if isinstance(content, list) else []
    return "\n".join(str(p["text"]) for p in pieces if isinstance(p, dict) and isinstance(p.get("text"), str))


def _images(rows: list[dict[str, msgspec.Raw]]) -> bool:
    """Images of earlier turns count as well: the provider will see them. Plain texts are passed over by their quote."""
    for row in rows:
        raw = row.get("content")
        if raw is not None and memoryview(raw)[0] == 0x5B:
            value = bytes(raw)
            if (b'"image"' in value or b'"document"' in value) and b'"source"' in value:
                return True
    return False


def _structured(top: TopLevel) -> bool:
    for key in ("output_config", "output_format"):
        raw = top.value(key)
        if raw is not None and b'"json_schema"' in raw:
            return True
    return False


def _string(raw: msgspec.Raw | bytes | None, where: str) -> str:
    if raw is None:
        return ""
    try:
        return _text.decode(raw)
    except (msgspec.MsgspecError, UnicodeError):
        raise RequestError(f"{where} must be a string of valid Unicode", param=where) from None
