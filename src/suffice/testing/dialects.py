"""Which dialect a fake provider answers in: told by the path of the request, as with real providers.

It makes no answers itself. Invariant: a path that no dialect knows is answered in chat's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from suffice.testing import chat, cohere, converse, gemini, infill, messages, responses
from suffice.testing.chat import Chunk, Identity
from suffice.testing.script import Behaviour, Call, Error

_TYPE = re.compile(rb'^\{"type":"([a-z_.-]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Payloads of one dialect.

    `failed`: an error event, where it is no error body; `named`: events carry the `event:` line of their type; `done` closes a
    stream after them. `binary`: the payloads of a stream are messages of an AWS event stream. `headers`: of an error.
    """

    body: Callable[[Behaviour, Call, Identity], bytes]
    stream: Callable[[Behaviour, Call, Identity], Iterator[Chunk]]
    error: Callable[[Error | None, int], bytes]
    failed: Callable[[Error | None, int], bytes] | None = None
    named: bool = False
    done: bytes = b""
    binary: bool = False
    headers: Callable[[int], tuple[tuple[str, str], ...]] = lambda status: ()

    def name(self, payload: bytes) -> bytes:
        """Return the type of an event, b"" when the dialect does not name its events."""
        found = _TYPE.match(payload) if self.named else None
        return found.group(1) if found else b""


def _openai_error(error: Error | None, status: int) -> bytes:
    return chat.encode({"error": error or Error()})


CHAT = Dialect(body=chat.body, stream=chat.stream, error=_openai_error, done=b"[DONE]")
MESSAGES = Dialect(body=messages.body, stream=messages.stream, error=messages.error_body, named=True)


RESPONSES = Dialect(
    body=responses.body, stream=responses.stream, error=_openai_error, failed=responses.error_event, named=True
)
INFILL = Dialect(body=infill.body, stream=infill.stream, error=_openai_error)
GEMINI = Dialect(body=gemini.body, stream=gemini.stream, error=gemini.error_body)
COHERE = Dialect(body=cohere.body, stream=cohere.stream, error=cohere.error_body, named=True)
CONVERSE = Dialect(
    body=converse.body,
    stream=converse.stream,
    error=converse.error_body,
    failed=converse.exception,
    headers=converse.error_headers,
    binary=True,
)
INVOKE = Dialect(
    body=messages.body,
    stream=converse.wrapped,
    error=converse.error_body,
    failed=converse.exception,
    headers=converse.error_headers,
    binary=True,
)
_BY_END = {
    "/messages": MESSAGES,
    ":rawPredict": MESSAGES,
    ":streamRawPredict": MESSAGES,
    "/responses": RESPONSES,
    "/infill": INFILL,
    ":generateContent": GEMINI,
    ":streamGenerateContent": GEMINI,
    "/v2/chat": COHERE,
    "/converse": CONVERSE,
    "/converse-stream": CONVERSE,
    "/invoke": INVOKE,
    "/invoke-with-response-stream": INVOKE,
}
# Where the path, not the body, asks for a stream.
STREAMING = (":streamGenerateContent", ":streamRawPredict", "/converse-stream", "/invoke-with-response-stream")


def dialect_of(path: str) -> Dialect:
    """Return the dialect of a request's path."""
    return next((dialect for end, dialect in _BY_END.items() if path.endswith(end)), CHAT)


def known(path: str) -> bool:
    """Tell whether requests to `path` are answered at all."""
    return path.endswith(("/completions", "/embeddings", *_BY_END))


def model_of(path: str) -> str:
    """Return the model that a path names, "" when it names none."""
    last, end = path.rpartition("/")[0], path.rpartition("/")[2]
    if ":" in end and path.endswith(tuple(key for key in _BY_END if key.startswith(":"))):
        return unquote(end.rpartition(":")[0])
    return unquote(last.rpartition("/")[2]) if "/model/" in path else ""
