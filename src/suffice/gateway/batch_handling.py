"""What the batches of both dialects have in common: each is found for the key that made it, and looked at where it lies.

Must not know a dialect's fields nor its lists. Invariant: the batch of another key is one that does not exist.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec

from suffice.errors import NotFoundError
from suffice.gateway.auth import Principal
from suffice.gateway.batch_money import DESCRIPTION_BYTES, BatchMoney
from suffice.gateway.call import Call
from suffice.gateway.conversation import JSON_HEADERS
from suffice.gateway.files import at, below
from suffice.gateway.passed_objects import PassedObject, PassedObjects
from suffice.gateway.reading import Reading
from suffice.gateway.reply import Header
from suffice.gateway.services import HEADER, Pinned, Services


class BatchHandling:
    """The base of both handlers, which say what their batches are called (`kind`), where they stand, and in which dialect."""

    kind: str
    prefix: str
    dialect: str

    def __init__(self, services: Services, objects: PassedObjects, reading: Reading, money: BatchMoney) -> None:
        self._services = services
        self._objects = objects
        self._reading = reading
        self._money = money

    def _headers(self, call: Call) -> list[Header]:
        """Return what the dialect adds to each request."""
        return []

    async def _found(self, call: Call, principal: Principal) -> tuple[PassedObject, Pinned, str]:
        """Return a batch, where it lies, and the rest of the path. Raises NotFoundError."""
        name, _, rest = call.path.removeprefix(self.prefix).partition("/")
        row = await self._objects.find(self.kind, unquote(name), principal.key_id, endpoint=call.header(HEADER))
        return row, at(self._services, "batches", row, self.dialect), rest

    async def _described(self, call: Call, row: PassedObject, pinned: Pinned, action: str = "") -> bytes:
        """Return the provider's description of a batch, after `action` where there is one, and keep it for lists."""
        services, more = self._services, self._headers(call)
        if action:
            path = below(pinned, row.id, action)
            response = await services.ask(call, pinned, b"POST", path, [*JSON_HEADERS, *more], [b"{}"])
        else:
            response = await services.ask(call, pinned, b"GET", below(pinned, row.id), more, [])
        answer = await services.read(call, response, DESCRIPTION_BYTES)
        await self._objects.update(row, answer)
        return answer


def unrouted(call: Call) -> NotFoundError:
    """Return the error of a path below a batch that means nothing."""
    return NotFoundError(f"there is no route {call.method} {call.path[:100]!r}", code="unknown_route")


def object_of(answer: bytes) -> dict[str, Any]:
    """Return a description as an object, an empty one for what is none."""
    try:
        row = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}
