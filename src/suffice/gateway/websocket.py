"""The WebSocket protocol of the public listener: uvicorn's, with an orderly end and a way to be rid of a client that takes nothing.

The HTTP protocol hands over after its own guards (`server.py`): `connection_made(transport)`, then `data_received(head)` with the
request's head written anew. Whatever serves HTTP can do the same; nothing else ties the two together. Compression is off: what
comes are JSON messages on short ways, and a compressed one may be a thousand times its size.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# Messages of ours beside ASGI's: the gateway stops (received), the connection is cut without a word (sent).
DRAIN = "suffice.drain"
CUT = "suffice.cut"

# uvicorn tells every accepted connection with its query, `websockets` all its headers: there may be keys in both.
_quiet = logging.getLogger("suffice.gateway.websocket")
_quiet.setLevel(logging.WARNING)


class DrainingWebSocket(WebSocketsSansIOProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = self.conn.logger = _quiet
        self.conn.debug = False

    def shutdown(self) -> None:
        """Tell the application that the gateway stops; it ends what runs and closes."""
        if self.handshake_complete and not self.close_sent and not self.disconnected:
            queue: asyncio.Queue[Any] = self.queue  # ASGI's types know no message of ours
            queue.put_nowait({"type": DRAIN})
        else:
            super().shutdown()

    async def send(self, message: Any) -> None:
        """Send an ASGI message; waits while the client's socket is full, but not to cut it."""
        if message["type"] == CUT:
            self.transport.abort()
            return
        await super().send(message)


def options(message_bytes: int) -> dict[str, Any]:
    """Return uvicorn's settings for this protocol; a message longer than `message_bytes` ends its connection (1009).

    Pings keep a quiet way open. A missing pong ends nothing: clients that run a tool for minutes do not read meanwhile.
    """
    return {
        "ws": DrainingWebSocket,
        "ws_max_size": message_bytes,
        "ws_ping_interval": 20.0,
        "ws_ping_timeout": None,
        "ws_per_message_deflate": False,
    }
