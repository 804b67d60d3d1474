"""`Idempotency-Key`: a repeat of a request gets the answer of the first one, and is never charged a second time.

The first request under a key runs; while it runs a repeat is refused (409), afterwards it gets the kept answer, marked
`idempotent-replayed: true`. Another request under the same key is refused (422). What cost nothing (a refusal, a provider that
could not be reached) is forgotten at once, so that a repeat may try again; what may have cost something but left no whole
answer (the client had left, the answer was too large to keep) is refused on repeat (409) rather than paid twice.

Must not know what a request means. Everything is in memory and bounded: per caller and in all. Of finished answers the oldest
lose their bytes first (a repeat is then refused, not charged) and only then their mark; after `ttl_s`, and when the
process ends, all is forgotten.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from suffice.errors import RequestError, SufficeError
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.reply import Header, Reply
from suffice.values.env import Env

HEADER = "idempotency-key"
KEY_CHARS = 255
_REPLAYED = (b"idempotent-replayed", b"true")

Handler = Callable[[Call, Principal, Reply], Awaitable[None]]
Caller = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is kept, and for how long. `caller_*` hold for one virtual key."""

    ttl_s: float = 86_400.0
    answer_bytes: int = 1 << 20
    caller_bytes: int = 8 << 20
    caller_entries: int = 2_000
    bytes: int = 64 << 20
    entries: int = 20_000


class _State(Enum):
    RUNNING = "running"
    KEPT = "kept"
    GONE = "gone"


@dataclass(slots=True)
class _Entry:
    digest: bytes
    request_id: str
    at_s: float
    state: _State = _State.RUNNING
    status: int = 0
    headers: list[Header] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    error: SufficeError | None = None
    too_large: bool = False


class _Kept:
    """The entries of one caller, oldest first."""

    __slots__ = ("by_key", "size")

    def __init__(self) -> None:
        self.by_key: dict[str, _Entry] = {}
        self.size = 0


class Idempotency:
    """The requests of the last day that carried a key. One instance per process."""

    def __init__(self, env: Env, bounds: Bounds | None = None) -> None:
        self._env = env
        self._bounds = bounds or Bounds()
        self._callers: dict[Caller, _Kept] = {}
        self.entries = 0
        self.size = 0

    async def serve(self, call: Call, principal: Principal, reply: Reply, handler: Handler) -> None:
        """Let `handler` answer a request with an `Idempotency-Key`, or answer it from what is kept.

        Raises RequestError (400 for an unusable key, 409, 422) and what the handler raises.
        """
        key = call.headers[HEADER]
        if not 0 < len(key) <= KEY_CHARS or not (key.isascii() and key.isprintable()):
            raise RequestError(
                f"the Idempotency-Key is not 1 to {KEY_CHARS} printable ASCII characters",
                hint="use a UUID",
                code="idempotency_key_invalid",
                param=HEADER,
            )
        caller = (principal.tenant, principal.key_id)
        digest = _digest(call)
        known = self._find(caller, key)
        if known is not None:
            await _again(known, digest, reply)
            return
        entry = self._begin(caller, key, digest, call.request_id)
        reply.copied_to(lambda message: self._take(caller, entry, message))
        try:
            await handler(call, principal, reply)
        except SufficeError as error:
            self._broken(caller, key, entry, reply, None if reply.started else error)
            raise
        except (Exception, asyncio.CancelledError):
            self._broken(caller, key, entry, reply, None)
            raise

    def _find(self, caller: Caller, key: str) -> _Entry | None:
        kept = self._callers.get(caller)
        entry = kept.by_key.get(key) if kept is not None else None
        if entry is None or entry.state is _State.RUNNING:
            return entry
        if self._env.monotonic() - entry.at_s < self._bounds.ttl_s:
            return entry
        self._forget(caller, key)
        return None

    def _begin(self, caller: Caller, key: str, digest: bytes, request_id: str) -> _Entry:
        bounds = self._bounds
        kept = self._callers.setdefault(caller, _Kept())
        if len(kept.by_key) >= bounds.caller_entries:
            self._drop_oldest(caller)
        if self.entries >= bounds.entries:
            self._drop_oldest(max(self._callers, key=lambda c: len(self._callers[c].by_key)))
        # The caller's own may have been its last entry.
        kept = self._callers.setdefault(caller, kept)
        entry = kept.by_key[key] = _Entry(digest, request_id, self._env.monotonic())
        self.entries += 1
        return entry

    def _take(self, caller: Caller, entry: _Entry, message: dict[str, Any]) -> None:
        """Keep one part of the answer as it goes out."""
        if entry.state is not _State.RUNNING:
            return
        if message["type"] == "http.response.start":
            entry.status = message["status"]
            entry.headers = [h for h in message["headers"] if h[0] != b"x-request-id"]
            return
        data = message["body"]
        if entry.too_large or len(entry.body) + len(data) > self._bounds.answer_bytes:
            entry.too_large = True
            entry.body.clear()
        else:
            entry.body += data
        if not message["more_body"]:
            self._finish(caller, entry)

    def _finish(self, caller: Caller, entry: _Entry) -> None:
        entry.at_s = self._env.monotonic()
        if entry.too_large:
            entry.state = _State.GONE
            return
        entry.state = _State.KEPT
        kept = self._callers[caller]
        kept.size += len(entry.body)
        self.size += len(entry.body)
        if kept.size > self._bounds.caller_bytes:
            self._lighten(kept, self._bounds.caller_bytes)
        while self.size > self._bounds.bytes:
            largest = max(self._callers.values(), key=lambda k: k.size)
            self._lighten(largest, largest.size - 1)

    def _broken(self, caller: Caller, key: str, entry: _Entry, reply: Reply, error: SufficeError | None) -> None:
        """The handler ended without a whole answer."""
        if entry.state is not _State.RUNNING:
            return
        entry.at_s = self._env.monotonic()
        entry.body.clear()
        entry.state = _State.GONE
        if not reply.worked:
            self._forget(caller, key)
        elif error is not None:
            # A copy: what was raised holds on to its stack, and with it to the request.
            entry.error = copy(error)
            entry.state = _State.KEPT

    def _lighten(self, kept: _Kept, limit: int) -> None:
        """Let go of the oldest answers of one caller until at most `limit` bytes are left; what they cost is not forgotten."""
        for entry in kept.by_key.values():
            if kept.size <= limit:
                return
            if entry.state is _State.KEPT and entry.error is None:
                kept.size -= len(entry.body)
                self.size -= len(entry.body)
                entry.body = bytearray()
                entry.state = _State.GONE

    def _drop_oldest(self, caller: Caller) -> None:
        """Forget the caller's oldest finished entry; what still runs is bounded by the connections."""
        kept = self._callers[caller]
        oldest = next((key for key, entry in kept.by_key.items() if entry.state is not _State.RUNNING), None)
        if oldest is not None:
            self._forget(caller, oldest)

    def _forget(self, caller: Caller, key: str) -> None:
        kept = self._callers[caller]
        entry = kept.by_key.pop(key)
        self.entries -= 1
        if entry.state is _State.KEPT:
            kept.size -= len(entry.body)
            self.size -= len(entry.body)
        if not kept.by_key:
            del self._callers[caller]


def _digest(call: Call) -> bytes:
    """Return what makes two requests the same: where they go, our own headers, and every byte of the body."""
    found = hashlib.blake2b(digest_size=16)
    ours = sorted(f"{name}:{value}" for name, value in call.headers.items() if name.startswith("x-suffice-"))
    for part in (call.method.encode(), call.path.encode("latin-1"), call.query, "\n".join(ours).encode()):
        found.update(len(part).to_bytes(8, "big") + part)
    found.update(call.body)
    return found.digest()


async def _again(known: _Entry, digest: bytes, reply: Reply) -> None:
    """Answer a repeat."""
    if known.digest != digest:
        raise RequestError(
            "this Idempotency-Key was used for another request",
            hint="use a new key for a new request",
            status=422,
            code="idempotency_key_reused",
            param=HEADER,
        )
    reply.headers.append((b"x-suffice-request-id", known.request_id.encode()))
    if known.state is _State.RUNNING:
        raise RequestError(
            "the first request with this Idempotency-Key is still being answered",
            hint="wait for it, then send it again",
            status=409,
            code="idempotency_in_progress",
        )
    if known.state is _State.GONE:
        raise RequestError(
            f"the first request with this Idempotency-Key ({known.request_id}) was worked on and its answer is not kept",
            hint="to ask and pay again, use a new key",
            status=409,
            code="idempotency_answer_gone",
        )
    reply.headers.append(_REPLAYED)
    if known.error is not None:
        raise copy(known.error)
    headers = [h for h in known.headers if h[0] != b"x-suffice-request-id"]
    await reply.head(known.status, headers)
    await reply.end(bytes(known.body))
