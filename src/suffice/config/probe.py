"""Asking a port on this machine whether a model server listens there: one `GET /v1/models`, loopback only, short.

Whatever answers is a stranger: the answer is bounded in size and time, and anything unexpected counts as no server.
"""

from __future__ import annotations

import asyncio

import msgspec

from suffice.config.discover import ServedModel

TIMEOUT_S = 0.5
MAX_ANSWER_BYTES = 1024 * 1024


class _Model(msgspec.Struct):
    id: str
    owned_by: str = ""


class _ModelList(msgspec.Struct):
    data: list[_Model]


async def probe(port: int, timeout_s: float = TIMEOUT_S) -> tuple[ServedModel, ...] | None:
    """Return the models that the server at 127.0.0.1:`port` lists, or None. Never raises for what a server does."""
    try:
        async with asyncio.timeout(timeout_s):
            answer = await _get(port)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].split(b" ")
    if len(status) < 2 or status[1] != b"200":
        return None
    try:
        listed = msgspec.json.decode(body, type=_ModelList).data
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return tuple(ServedModel(id=model.id, owned_by=model.owned_by) for model in listed)


async def _get(port: int) -> bytes:
    """Return head and body of the answer. HTTP/1.0, so that no server sends chunks or keeps the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET /v1/models HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        answer = b""
        while len(answer) <= MAX_ANSWER_BYTES:
            chunk = await reader.read(65_536)
            if not chunk:
                return answer
            answer += chunk
        return b""
    finally:
        writer.close()
