"""The socket side of a fake provider: reads HTTP/1.1, plays steps, notes what was asked and what is billed.

It decides nothing about answers (`reply.py`) nor about which behaviour applies (`script.py`). Invariant: requests of one
connection are answered one after the other, and each is in `requests` before its first byte of answer is written.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httptools
import msgspec

from suffice.testing import chat
from suffice.testing.chat import Identity
from suffice.testing.journal import Billed, Journal
from suffice.testing.reply import CLOSE, HANG, KEEP, RESET, Step, steps
from suffice.testing.script import Behaviour, Call, Error, Script, choose
from suffice.testing.seeded import Seeded
from suffice.values.env import Env

CALLER_IDS = (b"x-client-request-id", b"x-request-id", b"idempotency-key")
WRITE_STEPS = 256
POSTS = (
    "/chat/completions", "/completions", "/embeddings", "/messages", "/responses", ":generateContent", ":streamGenerateContent", "/infill",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Request:
    """One request as it came. `headers` are as sent, `connection` numbers the connections from 0, `at_s` is monotonic.

    `outcome`: `open`, `complete`, `cut` (by the script) or `left` (by the caller).
    """

    index: int
    connection: int
    at_s: float
    method: str
    path: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    parsed: dict[str, Any] | None
    outcome: str = "open"
    query: str = ""

    def header(self, name: str) -> str | None:
        """Return the first header of that name, whatever its case."""
        wanted = name.lower().encode()
        return next((v.decode("latin-1") for n, v in self.headers if n.lower() == wanted), None)


@dataclass(slots=True, kw_only=True)
class Turn:
    """One request being answered: its steps, the one that waits (`held`), its bill, whether tokens are still counted."""

    steps: Iterator[Step]
    request: Request
    row: Billed | None
    counts: bool
    keep_alive: bool
    held: Step | None = None

    def bill(self, tokens: int) -> None:
        """Count tokens that have been generated."""
        if self.row is not None and self.counts:
            self.row.completion_tokens += tokens


@dataclass(slots=True, kw_only=True)
class Core:
    """The state of one provider, shared by its connections."""

    script: Script
    seed: int
    env: Env
    journal: Journal
    models: tuple[str, ...]
    api_key: str
    record: bool
    requests: list[Request] = field(default_factory=list)
    count: int = 0
    connections: int = 0
    live: set[Connection] = field(default_factory=set)
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self, turn: Turn) -> None:
        """Close the bill of a request."""
        if turn.row is not None:
            self.journal.close(turn.row)

    def behaviour(self, index: int, call: Call, authorization: str | None) -> Behaviour:
        """Return what to do with a request; a wrong path or key is answered like a provider would."""
        if self.api_key and authorization != f"Bearer {self.api_key}":
            error = Error(message="Incorrect API key provided", type="authentication_error", code="invalid_api_key")
            return Behaviour(status=401, error=error)
        if call.method == "GET" and call.path.endswith("/models"):
            data = [{"id": name, "object": "model", "created": 0, "owned_by": "fake"} for name in self.models]
            return Behaviour(body=chat.encode({"object": "list", "data": data}).decode(), bill="none")
        if call.method != "POST" or not call.path.endswith(POSTS):
            return Behaviour(status=404, error=Error(message=f"no route {call.method} {call.path}", code="not_found"))
        return choose(self.script, index, call, self.seed)


class Connection(asyncio.Protocol):
    """One accepted connection. It runs on callbacks alone: no task per request, so that it can feed a benchmark."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Turn] = deque()
        self._turn: Turn | None = None
        self._timer: asyncio.Handle | None = None
        self._full = False

    # asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._number = self._core.connections
        self._core.connections += 1
        self._core.live.add(self)
        self._core.quiet.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop what is under way and close its bill: the provider stops generating when the caller leaves."""
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.extendleft([self._turn] if self._turn else [])
        for turn in self._waiting:
            turn.request.outcome = "left"
            self._core.settle(turn)
        self._waiting.clear()
        self._turn = None
        self._core.live.discard(self)
        if not self._core.live:
            self._core.quiet.set()

    def pause_writing(self) -> None:
        """The caller reads slowly."""
        self._full = True

    def resume_writing(self) -> None:
        """The caller has caught up."""
        self._full = False
        if self._timer is None:
            self._advance()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; bytes that are no HTTP close the connection."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    # httptools callbacks
    def on_message_begin(self) -> None:
        """Begin a request."""
        self._path = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        """Collect the path."""
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self._headers.append((name, value))
        if name.lower() == b"expect":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        """Collect a part of the body."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Answer, or wait for the turn of this request."""
        self._waiting.append(self._prepare())
        if self._turn is None:
            self._advance()

    def close(self) -> None:
        """Close the connection now."""
        self._transport.abort()

    def _advance(self) -> None:
        """Play steps until one has to wait, the caller is slow, or nothing is left."""
        self._timer = None
        out: list[bytes] = []
        while not self._transport.is_closing() and not self._full:
            turn = self._turn
            if turn is None:
                if not self._waiting:
                    break
                turn = self._turn = self._waiting.popleft()
            step = turn.held or next(turn.steps)
            if step.wait_s is not None and turn.held is None:
                turn.held = step
                self._timer = self._loop.call_later(step.wait_s, self._advance)
                break
            turn.held = None
            turn.bill(step.tokens)
            out.append(step.data)
            if len(out) >= WRITE_STEPS:
                self._flush(out)
            if step.end == HANG:
                break
            if step.end:
                # The bill is closed before the last byte leaves: whoever has the whole answer finds the whole bill.
                self._core.settle(turn)
                self._flush(out)
                self._end(step.end, turn)
        self._flush(out)

    def _flush(self, out: list[bytes]) -> None:
        data = b"".join(out)
        out.clear()
        if data:
            self._transport.write(data)

    def _end(self, end: str, turn: Turn) -> None:
        turn.request.outcome = "cut" if end in (CLOSE, RESET) else "complete"
        self._turn = None
        if end == CLOSE or (end == KEEP and not turn.keep_alive):
            self._transport.close()
        elif end == RESET:
            # Lingering for no time throws away what is unsent and sends RST.
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def _prepare(self) -> Turn:
        core, body = self._core, b"".join(self._body)
        parsed = _parse(body)
        index, core.count = core.count, core.count + 1
        method = self._parser.get_method().decode("latin-1")
        path, _, query = self._path.decode("latin-1").partition("?")
        request = Request(
            index=index,
            connection=self._number,
            at_s=core.env.monotonic(),
            method=method,
            path=path,
            headers=self._headers,
            body=body,
            parsed=parsed,
            query=query,
        )
        if core.record:
            core.requests.append(request)
        fields = parsed or {}
        model = str(fields.get("model") or path.rpartition("/")[2].partition(":")[0])
        stream = fields.get("stream") is True or path.endswith(":streamGenerateContent")
        call = Call(method=method, path=path, model=model, stream=stream, body=body, parsed=parsed)
        behaviour = core.behaviour(index, call, _credential(request) if core.api_key else None)
        now = core.env.now()
        identity = Identity(f"fake-{core.seed:x}-{index:06d}", int(now), model)
        row = None
        if _bills(behaviour):
            caller = next((v.decode("latin-1") for n, v in self._headers if n.lower() in CALLER_IDS), "")
            prompt = chat.prompt_count(behaviour, call)
            cached = min(behaviour.cached_tokens, prompt)
            row = Billed(
                id=identity.id, index=index, caller_id=caller, model=model, prompt_tokens=prompt, cached_tokens=cached
            )
            if behaviour.bill == "full":
                row.completion_tokens = chat.count(behaviour)[0]
            core.journal.open(row)
        chance = Seeded(core.seed, "reply", index)
        return Turn(
            steps=steps(behaviour, call, identity, now=now, chance=chance),
            request=request,
            row=row,
            counts=behaviour.bill == "auto",
            keep_alive=self._parser.should_keep_alive(),
        )


def _credential(request: Request) -> str | None:
    """Return the credential in OpenAI's form, whichever header brought it."""
    for name in ("x-api-key", "x-goog-api-key", "api-key"):
        key = request.header(name)
        if key:
            return f"Bearer {key}"
    return request.header("authorization")


def _bills(behaviour: Behaviour) -> bool:
    if behaviour.bill != "auto":
        return behaviour.bill == "full"
    toxic = behaviour.toxic
    failed = behaviour.status != 200 or behaviour.error_in_200 or behaviour.body is not None
    return not failed and not toxic.connection and toxic.error_after_events != 0


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
