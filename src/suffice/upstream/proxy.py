"""The CONNECT handshake with an HTTP proxy on a connected socket.

The proxy resolves the target's name, so only a target given as an address is egress-checked (dial.py). Environment proxies
are never read. Invariant: after success not one byte beyond the proxy's answer has been taken from the socket.
"""

from __future__ import annotations

import asyncio
import socket

from suffice.upstream.endpoints import Proxy
from suffice.upstream.transport_fault import TransportFault

_MAX_ANSWER_BYTES = 16_384


async def open_tunnel(sock: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Ask `proxy` on `sock` (non-blocking, connected) for a tunnel to host:port.

    Raises TransportFault `proxy` when it refuses or answers nonsense, OSError when the socket fails. The caller sets the
    deadline.
    """
    loop = asyncio.get_running_loop()
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    request = f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n".encode("ascii")
    if proxy.authorization:
        request += b"proxy-authorization: " + proxy.authorization + b"\r\n"
    await loop.sock_sendall(sock, request + b"\r\n")
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = await loop.sock_recv(sock, 4096)
        answer += piece
        if not piece or len(answer) > _MAX_ANSWER_BYTES:
            raise TransportFault("proxy", "proxy", detail="the proxy's answer to CONNECT has no end")
    status = answer.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(status) < 2 or status[0] not in (b"HTTP/1.0", b"HTTP/1.1") or not status[1].isdigit():
        raise TransportFault("proxy", "proxy", detail="the proxy does not speak HTTP/1")
    if not 200 <= int(status[1]) < 300:
        raise TransportFault("proxy", "proxy", detail=f"the proxy answered CONNECT with {int(status[1][:4])}")
    if not answer.endswith(b"\r\n\r\n") or answer.count(b"\r\n\r\n") != 1:
        raise TransportFault("proxy", "proxy", detail="bytes before the tunnel was used")
