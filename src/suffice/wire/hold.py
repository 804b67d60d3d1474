"""Holding the action of a stream: text flows, and from the first tool call on everything waits until it was judged.

A client cannot act on half a tool call, so holding one costs nothing but what its check takes. A hold works on the bytes that
a `StreamReader` made for the client, whole events, whichever provider they came from; each client dialect has its own, which
says what an event is (`_kind`) and how a stream that has begun goes on with another answer's action (`_action_of`). It is pure.

Invariants: what was released and what is held are together, in order, the bytes that came in; nothing is released before
something that a person can see comes, so that an answer of which nothing was seen can be replaced whole; what takes the place
of held calls behind text that was seen holds no text of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import Any

import msgspec

from suffice.errors import SufficeError
from suffice.values.usage import Usage
from suffice.wire import errors, sse


class Kind(Enum):
    """What an event is: seen by a person, the opening of what may be seen, an action of the client, the end, or none of these."""

    SEEN = "seen"
    OPENS = "opens"
    ACTS = "acts"
    ENDS = "ends"
    FOLLOWS = "follows"


class Hold(ABC):
    """The gate between a reader and a client. `holding` is true from the first tool call on, `spoke` once text was released.

    `request_id` goes into error frames where the dialect has a place for it.
    """

    dialect = ""
    # True where the action is edits in the text, for clients without tools.
    in_text = False

    def __init__(self, request_id: str = "") -> None:
        self.holding = False
        self.spoke = False
        self._request_id = request_id
        self._held: list[bytes] = []
        # From the end on everything waits too: it may be that another answer's end takes its place.
        self._ending = False

    def feed(self, events: bytes) -> bytes:
        """Return those of `events` (whole events) that may go on now, with what waited for them."""
        if self.holding or self._ending:
            self._held.append(events)
            return b""
        free: list[bytes] = []
        found = sse.pieces(events)
        for at, piece in enumerate(found):
            kind = self._kind(piece)
            if kind is Kind.SEEN:
                kind = self._shown(piece)
            elif kind is Kind.ENDS and self._shown(piece) is Kind.ACTS:
                kind = Kind.ACTS  # an event that ends an answer may hold the last of its text
            if kind is Kind.ACTS or kind is Kind.ENDS:
                self.holding, self._ending = kind is Kind.ACTS, kind is Kind.ENDS
                self._held += found[at:]
                break
            if kind is Kind.SEEN:
                self.spoke = True
                free += (*self._held, piece)
                self._held = []
            elif self._held or not self.spoke or kind is Kind.OPENS:
                self._held.append(piece)
            else:
                free.append(piece)
        for piece in free:
            self._released(piece)
        return b"".join(free)

    @property
    def held(self) -> bytes:
        """What waits, byte for byte."""
        return b"".join(self._held)

    def replaced(self, other: bytes, usage: Usage) -> bytes:
        """Return the rest of the stream made of `other`, all events of another answer; its usage report becomes `usage`.

        All of it when the client has seen nothing yet; behind text only what it does, under the numbers and the id of the
        stream that has begun.
        """
        return self._before(other) + self._action_of(other, usage) if self.spoke else self._counted(other, usage)

    def mark(self, text: str) -> bytes:
        """Return an SSE comment, which clients pass over: the place where a stream can be marked."""
        return b": " + " ".join(text.split()).encode() + b"\n\n"

    def fail(self, error: SufficeError) -> bytes:
        """Return the bytes that end a stream of which some was released; never a success event."""
        return errors.frame(self.dialect, error, self._request_id)

    @abstractmethod
    def _released(self, piece: bytes) -> None:
        """Take note of an event that has gone to the client."""

    @abstractmethod
    def _kind(self, piece: bytes) -> Kind:
        """Return what one event is."""

    def _shown(self, piece: bytes) -> Kind:
        """Return what the text in an event is, where it has some that a person can see."""
        return Kind.SEEN

    def _before(self, other: bytes) -> bytes:
        """Return what of `other`'s text goes ahead of its action; none of it."""
        return b""

    @abstractmethod
    def _action_of(self, other: bytes, usage: Usage) -> bytes:
        """Return what `other` does, without what it says, as the end of the stream that has begun."""

    @abstractmethod
    def _counted(self, other: bytes, usage: Usage) -> bytes:
        """Return `other` with `usage` as its report of tokens."""


def payloads(events: bytes) -> list[bytes]:
    """Return the data of whole events, comments left out."""
    return [event.data for event in sse.Decoder().feed(events)]


def objects(events: bytes) -> list[dict[str, Any]]:
    """Return the JSON objects in the data of whole events, whatever else they carry left out. Never raises."""
    out = []
    for data in payloads(events):
        if data == sse.DONE:
            continue
        try:
            found = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            continue
        if isinstance(found, dict):
            out.append(found)
    return out
