"""Whose a file or a batch at a provider is: the kept mapping from its id to the key that made it and the endpoint where it lies.

Invariant: a key finds what it made and nothing else; what another key made is what does not exist. Contents are never kept, only
the provider's own description of an object.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import msgspec

from suffice.errors import NotFoundError
from suffice.storage.database import Database
from suffice.storage.tables import Session
from suffice.wire.batch_lines import Demand

_demands = msgspec.json.Decoder(tuple[Demand, ...]).decode


class PassedObject(NamedTuple):
    """One row. `body` is the provider's description, `demand` what a batch file may come to; `settled`: its cost is final."""

    id: str
    endpoint: str
    kind: str
    key_id: str
    created_ms: int
    request_id: str = ""
    settled: int = 0
    body: str = "{}"
    demand: str = "[]"

    @property
    def shown(self) -> dict[str, Any]:
        """The provider's description as a client sees it."""
        found = msgspec.json.decode(self.body)
        return found if isinstance(found, dict) else {}

    @property
    def demands(self) -> tuple[Demand, ...]:
        """What the lines of a batch file may come to, by model."""
        return _demands(self.demand)


class PassedObjects:
    """The mapping in the store. Every method is durable when it returns; all raise StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, row: PassedObject) -> None:
        """Remember an object; one that is known already stays whose it is."""
        await self._write("put_passed", *row)

    async def find(self, kind: str, object_id: str, key_id: str, *, endpoint: str = "") -> PassedObject:
        """Return an object of this key, at `endpoint` when one is named. Raises NotFoundError (404)."""
        rows = await self._read("find_passed", object_id, kind, key_id)
        found = next((row for row in rows if endpoint in ("", row.endpoint)), None)
        if found is None:
            raise NotFoundError(f"there is no {kind} {object_id[:100]!r}", code=f"{kind}_not_found", param="id")
        return found

    async def of_key(self, kind: str, key_id: str) -> list[PassedObject]:
        """Return what a key has made, newest first."""
        return await self._read("passed", kind, key_id)

    async def update(self, row: PassedObject, body: bytes) -> None:
        """Remember the provider's newest description."""
        await self._write("update_passed", row.id, row.endpoint, body.decode())

    async def settle(self, row: PassedObject) -> bool:
        """Take the right to book what a batch really cost; True for one caller only, ever, unless it gives it back."""
        return bool(await self._write("settle_passed", row.id, row.endpoint))

    async def unsettle(self, row: PassedObject) -> None:
        """Give that right back: it could not be booked."""
        await self._write("unsettle_passed", row.id, row.endpoint)

    async def delete(self, row: PassedObject) -> None:
        """Forget an object."""
        await self._write("delete_passed", row.id, row.endpoint)

    async def _read(self, name: str, *values: str) -> list[PassedObject]:
        def read() -> list[PassedObject]:
            with self._database.reader() as session:
                return [PassedObject._make(row) for row in session.run(name, *values)]

        return await asyncio.to_thread(read)

    async def _write(self, name: str, *values: str | int) -> list[tuple[Any, ...]]:
        def work(session: Session) -> list[tuple[Any, ...]]:
            return session.run(name, *values)

        return await asyncio.wrap_future(self._database.call(work))


def page(rows: list[PassedObject], *, limit: str, after: str, order: str = "desc") -> dict[str, Any]:
    """Return one page of a list object, as every dialect of files and batches has it; an unknown cursor gives an empty page."""
    size = int(limit) if limit.isdecimal() and len(limit) < 6 else 20
    shown = rows[::-1] if order == "asc" else rows
    if after:
        at = next((n for n, row in enumerate(shown) if row.id == after), len(shown))
        shown = shown[at + 1 :]
    some = shown[: min(max(size, 1), 10_000)]
    return {
        "object": "list",
        "data": [row.shown for row in some],
        "first_id": some[0].id if some else None,
        "last_id": some[-1].id if some else None,
        "has_more": len(shown) > len(some),
    }
