"""One GGUF model behind the OpenAI dialect, as a process of its own: `python -m suffice.testing.local_server FILE --name NAME`.

For the demo only: one request at a time, one thread, temperature 0 unless the request says otherwise. It prints one JSON line with
its address when it is ready. The computing is llama.cpp's (extra `local`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

_PASSED = ("max_tokens", "temperature", "top_p", "stop", "seed", "tools", "tool_choice")


class LocalModel:
    """Answers chat requests with one llama.cpp model."""

    def __init__(self, model: Any, name: str) -> None:
        self._model = model
        self._name = name
        self._turn = asyncio.Lock()

    def app(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
                Route("/v1/models", self.models, methods=["GET"]),
            ]
        )

    async def models(self, request: Request) -> Response:
        """List the one model."""
        return _json({"object": "list", "data": [{"id": self._name, "object": "model", "owned_by": "llamacpp"}]})

    async def chat(self, request: Request) -> Response:
        """Answer one chat request, streamed or whole."""
        try:
            body = msgspec.json.decode(await request.body())
            messages = body["messages"]
        except (msgspec.DecodeError, KeyError, TypeError):
            return _json({"error": {"message": "not a chat request", "type": "invalid_request_error"}}, 400)
        options = {"temperature": 0.0, **{k: body[k] for k in _PASSED if k in body}}
        if "max_completion_tokens" in body:
            options["max_tokens"] = body["max_completion_tokens"]
        options.setdefault("max_tokens", 512)
        if body.get("stream"):
            return StreamingResponse(self._stream(messages, options), media_type="text/event-stream")
        async with self._turn:
            answer = await asyncio.to_thread(self._model.create_chat_completion, messages=messages, **options)
        return _json({**answer, "model": self._name})

    async def _stream(self, messages: list[Any], options: dict[str, Any]) -> AsyncIterator[bytes]:
        async with self._turn:
            chunks = await asyncio.to_thread(
                self._model.create_chat_completion, messages=messages, stream=True, **options
            )
            tokens = 0
            while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
                tokens += 1
                yield b"data: " + msgspec.json.encode({**chunk, "model": self._name}) + b"\n\n"
            yield b"data: [DONE]\n\n"


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def main() -> None:
    """Load the model, listen on a free port, say where, and serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--name", required=True)
    parser.add_argument("--context", type=int, default=4096)
    args = parser.parse_args()
    from llama_cpp import Llama

    model = Llama(args.file, n_ctx=args.context, n_threads=1, n_threads_batch=1, verbose=False)
    sock = socket.create_server(("127.0.0.1", 0))
    print(msgspec.json.encode({"base_url": f"http://127.0.0.1:{sock.getsockname()[1]}/v1"}).decode(), flush=True)  # noqa: T201
    config = uvicorn.Config(LocalModel(model, args.name).app(), log_level="warning", lifespan="off", ws="none")
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[sock])


if __name__ == "__main__":
    main()
