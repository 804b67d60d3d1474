"""Which dialect a fake provider answers in: told by the path of the request, as with real providers.

It makes no answers itself. Invariant: a path that no dialect knows is answered in chat's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from suffice.testing import chat, gemini, infill, messages, responses
from suffice.testing.chat import Chunk, Identity
from suffice.testing.script import Behaviour, Call, Error

_TYPE = re.compile(rb'^\{"type":"([a-z_.]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Payloads of one dialect.

    `failed`: an error event, where it is no error body; `named`: events carry the `event:` line of their type; `done` closes a
    stream after them.
    """

    body: Callable[[Behaviour, Call, Identity], bytes]
    stream: Callable[[Behaviour, Call, Identity], Iterator[Chunk]]
    error: Callable[[Error | None, int], bytes]
    failed: Callable[[Error | None, int], bytes] | None = None
    named: bool = False
    done: bytes = b""

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


def dialect_of(path: str) -> Dialect:
    """Return the dialect of a request's path."""
    if path.endswith("/messages"):
        return MESSAGES
    if path.endswith("/responses"):
        return RESPONSES
    if path.endswith("/infill"):
        return INFILL
    return GEMINI if path.endswith((":generateContent", ":streamGenerateContent")) else CHAT
