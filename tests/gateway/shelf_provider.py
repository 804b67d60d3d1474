"""A provider with files, batches, moderation and rerank on a real socket: what it was told, and answers of OpenAI's shape."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from tests.gateway.running import PRICE, Gateway, gateway

from suffice.wire import multipart


@dataclass
class Shelf:
    """The state of the provider. `answers` replaces what a path says by (status, body)."""

    port: int = 0
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        self.seen.append((scope["method"], scope["path"], headers, body))
        status, answer = self._answer(scope["method"], scope["path"], headers, body)
        kind = b"application/octet-stream" if isinstance(answer, bytes) else b"application/json"
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        head = [(b"content-type", kind), (b"content-length", str(len(data)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": data})

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        if path in self.answers:
            return self.answers[path]
        parts = path.removeprefix("/v1/").split("/")
        kind, name = parts[0], parts[1] if len(parts) > 1 else ""
        if kind == "files" and method == "POST":
            return self._upload(headers, body)
        if kind == "uploads":
            return self._in_parts(name, parts[-1], headers, body)
        if kind == "messages":
            return self._message_batch(method, parts[2:], body)
        if kind == "batches" and method == "POST" and not name:
            asked = json.loads(body)
            row = {"id": f"batch_{len(self.batches)}", "object": "batch", "status": "validating", **asked}
            self.batches[row["id"]] = row
            return 200, row
        if kind == "batches" and name in self.batches:
            if parts[-1] == "cancel":
                self.batches[name]["status"] = "cancelling"
            return 200, self.batches[name]
        if kind == "files" and name in self.files:
            if method == "DELETE":
                del self.files[name]
                return 200, {"id": name, "object": "file", "deleted": True}
            return 200, self.contents[name] if parts[-1] == "content" else self.files[name]
        return 404, {"error": {"message": "no such thing", "type": "invalid_request_error", "code": None}}

    def _message_batch(self, method: str, parts: list[str], body: bytes) -> tuple[int, Any]:
        if method == "POST" and not parts:
            row: dict[str, Any] = {"id": f"msgbatch_{len(self.batches)}", "type": "message_batch"}
            row |= {"processing_status": "in_progress", "results_url": None, "request_counts": {"succeeded": 0}}
            self.batches[row["id"]] = row
            return 200, row
        if not parts or parts[0] not in self.batches:
            return 404, {"type": "error", "error": {"type": "not_found_error", "message": "no such thing"}}
        row = self.batches[parts[0]]
        if parts[-1] == "results":
            return 200, self.contents[parts[0]]
        if parts[-1] == "cancel":
            row["processing_status"] = "canceling"
        if method == "DELETE":
            del self.batches[parts[0]]
            return 200, {"id": parts[0], "type": "message_batch_deleted"}
        return 200, row

    def results(self, batch: str, rows: list[dict[str, Any] | None]) -> None:
        """End a batch of Messages whose requests have these usage reports; None: a request that failed."""
        done = [
            {"type": "succeeded", "message": {"model": "m-dated", "usage": row}} if row else {"type": "errored"}
            for row in rows
        ]
        lines = [json.dumps({"custom_id": str(n), "result": row}) for n, row in enumerate(done)]
        self.contents[batch] = "\n".join(lines).encode() + b"\n"
        counts = {"succeeded": sum(row is not None for row in rows)}
        url = f"https://api.example.invalid/v1/messages/batches/{batch}/results"
        self.batches[batch] |= {"processing_status": "ended", "results_url": url, "request_counts": counts}

    def _upload(self, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        parts = {part.name: part for part in multipart.parse(headers["content-type"], body)}
        name = f"file-{len(self.files)}"
        self.contents[name] = parts["file"].data
        purpose = parts["purpose"].data.decode() if "purpose" in parts else None
        self.files[name] = {"id": name, "object": "file", "purpose": purpose, "bytes": len(parts["file"].data)}
        return 200, self.files[name]

    def _in_parts(self, name: str, action: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        if not name:
            row = {"id": f"upload_{len(self.uploads)}", "object": "upload", "status": "pending", **json.loads(body)}
            self.uploads[row["id"]] = row
            return 200, row
        if action == "parts":
            part_id = f"part_{len(self.contents)}"
            self.contents[part_id] = multipart.parse(headers["content-type"], body)[0].data
            return 200, {"id": part_id, "object": "upload.part", "upload_id": name}
        row = self.uploads[name]
        if action == "complete":
            file = {"id": f"file-{len(self.files)}", "object": "file", "purpose": row["purpose"]}
            self.files[file["id"]] = file
            self.contents[file["id"]] = b"".join(self.contents[part] for part in json.loads(body)["part_ids"])
            row["file"] = file
        row["status"] = "completed" if action == "complete" else "cancelled"
        return 200, row

    def output(self, batch: str, rows: list[dict[str, Any]]) -> None:
        """Complete a batch whose output has these usage reports."""
        lines = [
            json.dumps(
                {"custom_id": str(n), "response": {"status_code": 200, "body": {"model": "m-dated", "usage": row}}}
            )
            for n, row in enumerate(rows)
        ]
        self.files["file-out"] = {"id": "file-out", "object": "file", "purpose": "batch_output"}
        self.contents["file-out"] = "\n".join(lines).encode()
        self.batches[batch] |= {"status": "completed", "output_file_id": "file-out"}


@asynccontextmanager
async def shelf() -> AsyncIterator[Shelf]:
    """Run the provider."""
    app = Shelf()
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="critical")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    app.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield app
    finally:
        server.force_exit = True
        for connection in list(server.server_state.connections):
            connection.transport.close()
        await server.shutdown()


def settings(url: str, name: str = "one", provider: str = "openai", price: str = PRICE) -> str:
    lines = [f'[endpoints."{name}"]', f'provider = "{provider}"', f'base_url = "{url}"', "private = true"]
    lines += ['models = ["m"]', 'api_key = "key-of-ours-1234"']
    if price:
        lines += [f'[endpoints."{name}".prices]', f'"m" = {price}']
    return "\n".join(lines) + "\n"


@asynccontextmanager
async def shelved(folder: Path, *, head: str = "", price: str = PRICE) -> AsyncIterator[tuple[Gateway, Shelf]]:
    """A gateway before one such provider."""
    async with shelf() as provider, gateway(head + settings(provider.base_url, price=price), folder) as up:
        yield up, provider


def line(model: str = "m", **body: Any) -> str:
    asked = {"model": model, "messages": [{"role": "user", "content": "hi"}], **body}
    return json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": asked})


def form(data: bytes, purpose: str = "batch") -> tuple[bytes, dict[str, str]]:
    """The body of an upload and the header that belongs to it."""
    file = multipart.Part(name="file", data=data, filename="in.jsonl", content_type="application/jsonl")
    parts = (multipart.Part(name="purpose", data=purpose.encode()), file)
    return multipart.encode(parts, "x-boundary"), {"content-type": "multipart/form-data; boundary=x-boundary"}


async def upload(up: Gateway, key: dict[str, str], data: bytes, purpose: str = "batch") -> Any:
    body, headers = form(data, purpose)
    return await up.post("/files", body, {**headers, **key})
