"""Uploads in parts: a large file sent to a provider piece by piece, by the key that began it, and a file of that key in the end.

Each part is one request, passed on as it came. Must not be a way around what is read of files: what is for a batch is refused here, as its
lines stand in no part alone. Invariant: the upload of another key is one that does not exist, and so is the file that it becomes.
"""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

from suffice.errors import NotFoundError, RequestError
from suffice.gateway.app import MULTIPART, Route
from suffice.gateway.auth import Principal
from suffice.gateway.batch_handling import object_of
from suffice.gateway.call import Call
from suffice.gateway.conversation import JSON_HEADERS
from suffice.gateway.files import FileRoutes, at, below, described
from suffice.gateway.passed_objects import PassedObjects
from suffice.gateway.reading import Reading
from suffice.gateway.reply import JSON, Header, Reply
from suffice.gateway.services import HEADER, Services, told
from suffice.wire import multipart

PREFIX = "/v1/uploads/"
_DESCRIPTION_BYTES = 1024 * 1024
_ENDS = ("complete", "cancel")


def files(services: Services, objects: PassedObjects, reading: Reading) -> list[Route]:
    """Return the rows of the route table for files, whole and in parts."""
    return [*FileRoutes(services, objects).table(), *UploadRoutes(services, objects, reading).table()]


class UploadRoutes:
    """Handlers of the routes."""

    def __init__(self, services: Services, objects: PassedObjects, reading: Reading) -> None:
        self._services = services
        self._objects = objects
        self._reading = reading

    def table(self) -> list[Route]:
        """Return the rows of the route table."""
        return [
            Route(method="POST", path=PREFIX[:-1], dialect="chat", handler=self._begin),
            Route(method="POST", path=PREFIX, dialect="chat", handler=self._go_on, media_too=MULTIPART),
        ]

    async def _begin(self, call: Call, principal: Principal, reply: Reply) -> None:
        top = self._reading.scanned(call)
        if _text(top.value("purpose")) == "batch":
            raise RequestError(
                "a file for a batch is read before it goes out, so it cannot come in parts",
                hint="send it to /v1/files, or as several files",
                param="purpose",
            )
        pinned = self._services.pick(call, "uploads")
        response = await self._services.ask(call, pinned, b"POST", pinned.speech.path, [*JSON_HEADERS], [call.body])
        answer = await self._services.read(call, response, _DESCRIPTION_BYTES)
        await self._objects.put(described("upload", answer, pinned, call, principal))
        await reply.whole(200, answer, [JSON, *told(pinned, call)])

    async def _go_on(self, call: Call, principal: Principal, reply: Reply) -> None:
        name, _, action = call.path.removeprefix(PREFIX).partition("/")
        if action not in ("parts", *_ENDS):
            raise NotFoundError(f"there is no route {call.method} {call.path[:100]!r}", code="unknown_route")
        row = await self._objects.find("upload", unquote(name), principal.key_id, endpoint=call.header(HEADER))
        pinned = at(self._services, "uploads", row, "chat")
        headers: list[Header] = [*JSON_HEADERS]
        if action == "parts":
            kind = call.header("content-type")
            if all(part.name != "data" for part in multipart.parse(kind, call.body)):
                raise RequestError("the form has no data", param="data")
            headers = [(b"content-type", kind.encode("latin-1"))]
        body = [call.body] if call.body else [b"{}"]
        response = await self._services.ask(call, pinned, b"POST", below(pinned, row.id, action), headers, body)
        answer = await self._services.read(call, response, _DESCRIPTION_BYTES)
        if action in _ENDS:
            await self._objects.update(row, answer)
            file = object_of(answer).get("file")
            if isinstance(file, dict):
                made = msgspec.json.encode(file)
                await self._objects.put(described("file", made, pinned, call, principal))
        await reply.whole(200, answer, [JSON, *told(pinned, call)])


def _text(raw: bytes | None) -> str:
    try:
        return msgspec.json.decode(raw or b"null", type=str)
    except (msgspec.MsgspecError, UnicodeError):
        return ""
