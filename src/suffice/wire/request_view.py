"""What routing reads of a request: a few texts, names and counts, the same whatever dialect they came in.

The history of an agent is hundreds of kilobytes; only its head and its last messages are decoded, and no text longer
than a window is copied whole. This module must not decide anything. A field of the wrong type is refused (400) where it
is decoded; fields that are not read here are not judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from suffice.errors import RequestError
from suffice.wire.prescan import TopLevel

HEAD_MESSAGES = 4
TAIL_MESSAGES = 8
WINDOW_CHARS = 16_000
_IMAGE_PARTS = frozenset({"image_url", "input_image", "image", "file", "input_file"})
_BIG = 2**31 - 1

# As they are written in nearly every body: a long history has hundreds.
_ROLES = {f'"{role}"'.encode(): role for role in ("system", "developer", "user", "assistant", "tool", "function")}
_role = msgspec.json.Decoder(str)
_any = msgspec.json.Decoder()


class RequestView(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The part of a request that routing needs; texts are cut to windows of at most WINDOW_CHARS (head and tail).

    `asks` are the texts of the trailing user messages of the conversation, newest first: agents send their environment
    as a message of its own, so the newest one may hold no ask. `last_roles` are the roles of the last messages, newest
    last. `tool_result_texts` are results after the last assistant message, oldest first. `max_output_tokens` is the
    caller's limit or 0. `prompt` and `suffix` belong to completions (fill in the middle).
    """

    model: str = ""
    system_text: str = ""
    first_user_text: str = ""
    asks: tuple[str, ...] = ()
    tool_names: tuple[str, ...] = ()
    n_messages: int = 0
    n_user: int = 0
    n_assistant: int = 0
    last_roles: tuple[str, ...] = ()
    tool_result_texts: tuple[str, ...] = ()
    has_images: bool = False
    structured: bool = False
    max_output_tokens: int = 0
    stream: bool = False
    total_bytes: int = 0
    prompt: str = ""
    suffix: str = ""

    @property
    def last_user_text(self) -> str:
        """The newest text of the user, or an empty string."""
        return self.asks[0] if self.asks else ""


def window(text: str) -> str:
    """Return `text`, or its head and tail with a mark between when it is longer than WINDOW_CHARS."""
    if len(text) <= WINDOW_CHARS:
        return text
    half = WINDOW_CHARS // 2
    return f"{text[:half]}\n[...]\n{text[-half:]}"


def chat_view(top: TopLevel) -> RequestView:
    """Read an OpenAI chat body. Raises RequestError (400) naming the field that has the wrong type."""
    rows = top.objects("messages")
    if rows is None or not rows:
        raise RequestError("messages must be a non-empty array of objects", param="messages")
    roles = [_role_of(row.get("role")) for row in rows]
    n_user, n_assistant = roles.count("user"), roles.count("assistant")
    asks, images = _asks(rows, roles)
    # Of a conversation that has just begun the first text is among the newest.
    opening = asks[-1] if asks and n_user == len(asks) else _content(rows[roles.index("user")])[0] if n_user else ""
    return RequestView(
        system_text=_system_text(rows, roles),
        first_user_text=opening,
        asks=asks,
        tool_names=tool_names(top.objects("tools")),
        n_messages=len(rows),
        n_user=n_user,
        n_assistant=n_assistant,
        last_roles=tuple(roles[-TAIL_MESSAGES:]),
        tool_result_texts=_tool_results(rows, roles),
        has_images=images or _images_anywhere(rows),
        structured=_structured(top),
        **shared_fields(top),
    )


def completions_view(top: TopLevel) -> RequestView:
    """Read a completions body (`prompt`, `suffix`). Raises RequestError (400) naming the field of the wrong type."""
    raw = top.value("prompt")
    if raw is None:
        raise RequestError("prompt is missing", param="prompt")
    prompt = _decode(raw, "prompt")
    if isinstance(prompt, list):
        # Arrays of token numbers are legal; nothing can be read from them.
        prompt = prompt[-1] if prompt and isinstance(prompt[-1], str) else ""
    if not isinstance(prompt, str):
        raise RequestError("prompt must be a string or an array", param="prompt")
    suffix = _decode(top.value("suffix") or b'""', "suffix")
    if suffix is not None and not isinstance(suffix, str):
        raise RequestError("suffix must be a string", param="suffix")
    return RequestView(prompt=window(prompt), suffix=window(suffix or ""), **shared_fields(top))


def tool_names(rows: Sequence[Mapping[str, msgspec.Raw]] | None) -> tuple[str, ...]:
    """Return the names of the tools of a chat or Responses body, without decoding their schemas."""
    names: list[str] = []
    for row in rows or ():
        raw = row.get("name")
        if raw is None:
            inner = row.get("function") or row.get("custom")
            if inner is None:
                continue
            try:
                raw = _fields.decode(inner).get("name")
            except msgspec.MsgspecError:
                continue
        if raw is not None:
            names.append(_text_of(raw, "tools.name"))
    return tuple(names)


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_parts = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def shared_fields(top: TopLevel) -> dict[str, Any]:
    """Return the fields of a view that OpenAI's dialects and Messages spell alike. Raises RequestError."""
    return {
        "model": _string(top, "model"),
        "max_output_tokens": _limit(top),
        "stream": _flag(top, "stream"),
        "total_bytes": len(top.body),
    }


def _system_text(rows: list[dict[str, msgspec.Raw]], roles: list[str]) -> str:
    for row, role in zip(rows[:HEAD_MESSAGES], roles, strict=False):
        if role in ("system", "developer"):
            text = _content(row)[0]
            if text:
                return text
    return ""


def _asks(rows: list[dict[str, msgspec.Raw]], roles: list[str]) -> tuple[tuple[str, ...], bool]:
    """Collect up to three of the newest user texts; also say whether one of them carries an image."""
    asks: list[str] = []
    images = False
    for at in range(len(rows) - 1, -1, -1):
        if roles[at] == "user":
            text, has_image = _content(rows[at])
            images = images or has_image
            asks.append(text)
            if len(asks) == 3:
                break
    return tuple(asks), images


def _tool_results(rows: list[dict[str, msgspec.Raw]], roles: list[str]) -> tuple[str, ...]:
    texts: list[str] = []
    for at in range(len(rows) - 1, max(-1, len(rows) - 1 - TAIL_MESSAGES), -1):
        if roles[at] not in ("tool", "function"):
            break
        texts.append(_content(rows[at])[0])
    return tuple(reversed(texts))


def _images_anywhere(rows: list[dict[str, msgspec.Raw]]) -> bool:
    """Images of earlier turns count as well: the provider will see them. Plain texts are passed over by their quote."""
    for row in rows:
        raw = row.get("content")
        if raw is not None and memoryview(raw)[0] == 0x5B:
            value = bytes(raw)
            if (b"image" in value or b"file" in value) and _content(row)[1]:
                return True
    return False


def _content(row: Mapping[str, msgspec.Raw]) -> tuple[str, bool]:
    """Return the text of one message, cut to a window, and whether it has an image or a file."""
    raw = row.get("content")
    if raw is None:
        return "", False
    value = bytes(raw)
    if value[:1] == b'"':
        return window(_text_of(raw, "messages.content")), False
    if value == b"null":
        return "", False
    try:
        parts = _parts.decode(value)
    except msgspec.MsgspecError:
        raise RequestError(
            "the content of a message must be a string, null or an array of objects", param="messages.content"
        ) from None
    texts: list[str] = []
    images = False
    for part in parts:
        kind = _text_of(part.get("type"), "messages.content.type")
        images = images or kind in _IMAGE_PARTS
        text = part.get("text")
        if text is not None:
            texts.append(_text_of(text, "messages.content.text"))
    return window("\n".join(texts)), images


def _role_of(raw: msgspec.Raw | None) -> str:
    known = _ROLES.get(bytes(raw)) if raw is not None else ""
    return known if known is not None else _text_of(raw, "messages.role")


def _text_of(raw: msgspec.Raw | None, where: str) -> str:
    if raw is None:
        return ""
    try:
        return _role.decode(raw)
    except (msgspec.MsgspecError, UnicodeError):
        raise RequestError(f"{where} must be a string of valid Unicode", param=where) from None


def _decode(raw: bytes, where: str) -> Any:
    try:
        return _any.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RequestError(f"{where} cannot be read: {error}", param=where) from None


def _string(top: TopLevel, key: str) -> str:
    raw = top.value(key)
    if raw is None:
        return ""
    value = _decode(raw, key)
    if not isinstance(value, str):
        raise RequestError(f"{key} must be a string", param=key)
    return value


def _flag(top: TopLevel, key: str) -> bool:
    raw = top.value(key)
    if raw in (None, b"null", b"false"):
        return False
    if raw == b"true":
        return True
    raise RequestError(f"{key} must be true or false", param=key)


def _limit(top: TopLevel) -> int:
    """Return the caller's output limit, 0 without one; the smaller one when both spellings are there.

    A limit of 0 is valid by the specification and bounds nothing that could be relied on: it counts as none.
    """
    found = 0
    for key in ("max_completion_tokens", "max_tokens", "max_output_tokens"):
        raw = top.value(key)
        if raw is None or raw == b"null":
            continue
        value = _decode(raw, key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _BIG:
            raise RequestError(f"{key} must be a whole number from 0 to {_BIG}", param=key)
        found = min(found, value) if found and value else found or value
    return found


def _structured(top: TopLevel) -> bool:
    raw = top.value("response_format")
    if raw is None or raw == b"null":
        return False
    value = _decode(raw, "response_format")
    if not isinstance(value, dict):
        raise RequestError("response_format must be an object", param="response_format")
    return value.get("type") in ("json_schema", "json_object")
