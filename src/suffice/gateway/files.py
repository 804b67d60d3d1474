"""Files at a provider: uploaded, listed, described, read and deleted, each by the key that made them.

A file for a batch is read line by line before it goes out: the key must be allowed to use each model, the models' names are those of
the provider, and what the lines may cost is kept for the batch. Other files go out as they came. Invariant: a list tells of the
caller's own files only, so it is made here and never asked of the provider.
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

import msgspec

from suffice.errors import NotFoundError, RequestError, UpstreamError
from suffice.gateway.app import MULTIPART, Route
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.messages_conversation import version_headers
from suffice.gateway.passed_objects import PassedObject, PassedObjects, page
from suffice.gateway.reply import JSON, Header, Reply
from suffice.gateway.services import HEADER, Pinned, Services, named, told
from suffice.upstream.faults import classify_transport
from suffice.upstream.response import Response
from suffice.upstream.transport_fault import TransportFault
from suffice.wire import batch_lines, multipart
from suffice.wire.batch_lines import Demand

PREFIX = "/v1/files/"
_DESCRIPTION_BYTES = 1024 * 1024
_NO_STORE = (b"cache-control", b"no-store")


class FileRoutes:
    """Handlers of the routes."""

    def __init__(self, services: Services, objects: PassedObjects) -> None:
        self._services = services
        self._objects = objects

    def table(self) -> list[Route]:
        """Return the rows of the route table."""
        return [
            Route(method="POST", path="/v1/files", dialect="chat", handler=self._upload, media=MULTIPART),
            Route(method="GET", path="/v1/files", dialect="chat", handler=self._list, has_body=False),
            Route(method="GET", path=PREFIX, dialect="chat", handler=self._one, has_body=False),
            Route(method="DELETE", path=PREFIX, dialect="chat", handler=self._one, has_body=False),
        ]

    async def _upload(self, call: Call, principal: Principal, reply: Reply) -> None:
        dialect = reply.dialect = dialect_of(call)
        kind = call.header("content-type")
        parts = multipart.parse(kind, call.body)
        file = next((part for part in parts if part.name == "file"), None)
        if file is None or file.filename is None:
            raise RequestError("the form has no file", param="file")
        purpose = next((part.data.decode("utf-8", "replace") for part in parts if part.name == "purpose"), "")
        pinned = self._services.pick(call, "files", dialect=dialect)
        body = call.body
        demands: tuple[Demand, ...] = ()
        if purpose == "batch":
            lines = batch_lines.read(file.data, lambda model: named(self._services, principal, pinned, model))
            demands = lines.demands
            if lines.data is not file.data:
                boundary = f"suffice-{self._services.env.new_id()}"
                changed = (msgspec.structs.replace(p, data=lines.data) if p is file else p for p in parts)
                body, kind = multipart.encode(tuple(changed), boundary), f"multipart/form-data; boundary={boundary}"
        headers = [(b"content-type", kind.encode("latin-1")), *_versions(call, dialect)]
        response = await self._services.ask(call, pinned, b"POST", pinned.speech.path, headers, [body])
        answer = await self._services.read(call, response, _DESCRIPTION_BYTES)
        await self._objects.put(described("file", answer, pinned, call, principal, demands=demands))
        await reply.whole(200, answer, [JSON, *told(pinned, call)])

    async def _list(self, call: Call, principal: Principal, reply: Reply) -> None:
        asked = parse_qs(call.query.decode("latin-1"))
        purpose = asked.get("purpose", [""])[-1]
        offering = self._services.offering("files", dialect=dialect_of(call))
        rows = await self._objects.of_key("file", principal.key_id)
        rows = [r for r in rows if r.endpoint in offering and purpose in ("", r.shown.get("purpose"))]
        found = page(
            rows,
            limit=asked.get("limit", ["20"])[-1],
            after=asked.get("after", asked.get("after_id", [""]))[-1],
            order=asked.get("order", ["desc"])[-1],
        )
        await reply.whole(200, msgspec.json.encode(found))

    async def _one(self, call: Call, principal: Principal, reply: Reply) -> None:
        dialect = reply.dialect = dialect_of(call)
        name, _, rest = call.path.removeprefix(PREFIX).partition("/")
        row = await self._objects.find("file", unquote(name), principal.key_id, endpoint=call.header(HEADER))
        pinned = at(self._services, "files", row, dialect)
        path, headers = below(pinned, row.id), _versions(call, dialect)
        if call.method == "DELETE" and not rest:
            response = await self._services.ask(call, pinned, b"DELETE", path, headers, [])
            answer = await self._services.read(call, response, _DESCRIPTION_BYTES)
            await self._objects.delete(row)
        elif call.method == "GET" and not rest:
            response = await self._services.ask(call, pinned, b"GET", path, headers, [])
            answer = await self._services.read(call, response, _DESCRIPTION_BYTES)
            await self._objects.update(row, answer)
        elif call.method == "GET" and rest == "content":
            return await self._content(call, pinned, path + b"/content", headers, reply)
        else:
            raise NotFoundError(f"there is no route {call.method} {call.path[:100]!r}", code="unknown_route")
        await reply.whole(200, answer, [JSON, *told(pinned, call)])

    async def _content(self, call: Call, pinned: Pinned, path: bytes, headers: list[Header], reply: Reply) -> None:
        response = await self._services.ask(call, pinned, b"GET", path, headers, [])
        await relayed(self._services, call, pinned, response, reply, b"application/octet-stream")


async def relayed(
    services: Services, call: Call, pinned: Pinned, response: Response, reply: Reply, otherwise: bytes
) -> None:
    """Relay a good answer piece by piece, as fast as the client takes it; a broken one breaks the connection.

    `otherwise` is the content type of an answer that names none.
    """
    try:
        kind = next((v for n, v in response.headers if n == b"content-type"), otherwise)
        patience = services.state.settings.upstream.between_events_deadline_s
        first = await response.chunk(patience)
        length = [(n, v) for n, v in response.headers if n == b"content-length"]
        await reply.head(200, [(b"content-type", kind), *length, _NO_STORE, *told(pinned, call)])
        while first:
            await reply.write(first)
            first = await response.chunk(patience)
        await reply.end()
    except TransportFault as fault:
        error = classify_transport(fault).error(dialect=call.dialect)
        if not reply.started:
            raise error from fault
        reply.cut()
        raise error from fault
    finally:
        response.close()


def dialect_of(call: Call) -> str:
    """Return in whose words files are spoken of: Anthropic's clients name a version."""
    return "messages" if "anthropic-version" in call.headers else "chat"


def _versions(call: Call, dialect: str) -> list[Header]:
    return list(version_headers(call)) if dialect == "messages" else []


def described(
    kind: str,
    body: bytes,
    pinned: Pinned,
    call: Call,
    principal: Principal,
    *,
    demands: tuple[Demand, ...] = (),
    settled: bool = True,
) -> PassedObject:
    """Return the row of an object that a provider has just described. Raises UpstreamError when it names no id."""
    try:
        row = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        row = None
    object_id = row.get("id") if isinstance(row, dict) else None
    if not isinstance(object_id, str) or not object_id:
        raise UpstreamError(f"the provider's answer describes no {kind}", code="upstream_malformed")
    return PassedObject(
        id=object_id,
        endpoint=pinned.endpoint,
        kind=kind,
        key_id=principal.key_id,
        created_ms=int(call.received_s * 1000),
        request_id=call.request_id,
        settled=int(settled),
        body=body.decode(),
        demand=msgspec.json.encode(demands).decode(),
    )


def at(services: Services, service: str, row: PassedObject, dialect: str) -> Pinned:
    """Return the endpoint where an object lies. Raises NotFoundError when the configuration has it no more."""
    found = services.offering(service, dialect=dialect).get(row.endpoint)
    if found is None:
        raise NotFoundError(
            f"the endpoint {row.endpoint!r} of {row.id[:100]!r} is not configured any more",
            code=f"{row.kind}_not_found",
        )
    return found


def below(pinned: Pinned, object_id: str, *more: str) -> bytes:
    """Return the path of an object; its id is the provider's own and may hold nothing that a path would read."""
    if not object_id.replace("-", "").replace("_", "").replace(".", "").isalnum() or ".." in object_id:
        raise RequestError(f"{object_id[:100]!r} is no id", param="id")
    return b"/".join((pinned.speech.path.rstrip(b"/"), object_id.encode(), *(part.encode() for part in more)))
