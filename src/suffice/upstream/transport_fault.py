"""The one exception of the upstream transport: what went wrong, when, and how much of the request had left.

It must not carry secrets: `detail` never holds header values, bodies or credentials. Invariant: `bytes_sent` never
understates, so "none" proves that the provider cannot have seen the request.
"""

from __future__ import annotations

from typing import Literal

FaultKind = Literal[
    "connect_refused",
    "dns",
    "tls",
    "connect_timeout",
    "write_reset",
    "stale_keepalive",
    "header_timeout",
    "first_byte_timeout",
    "stall",
    "total_timeout",
    "truncated",
    "malformed",
    "too_large",
    "proxy",
    "egress_denied",
    "credential",
]
BytesSent = Literal["none", "part", "all"]
Phase = Literal["queue", "dns", "connect", "tls", "proxy", "write", "head", "body"]


class TransportFault(Exception):
    """A request that got no whole answer.

    `kind` is one of `FaultKind`; `phase` is where it happened ("queue" waits for a free connection); `bytes_sent` says how
    much of the request was handed to the operating system, rounded up when in doubt; `reused` whether the connection
    had served an earlier request. A `stale_keepalive` is a reused connection lost before one byte of answer. `credential`: none
    could be got for the endpoint, so nothing was sent.
    """

    __slots__ = ("bytes_sent", "detail", "kind", "phase", "reused")

    def __init__(
        self, kind: FaultKind, phase: Phase, bytes_sent: BytesSent = "none", reused: bool = False, detail: str = ""
    ) -> None:
        super().__init__(kind, phase, bytes_sent, reused, detail)
        self.kind: FaultKind = kind
        self.phase: Phase = phase
        self.bytes_sent: BytesSent = bytes_sent
        self.reused = reused
        self.detail = detail

    def __str__(self) -> str:
        sent = f"{self.kind} in phase {self.phase}, request bytes sent: {self.bytes_sent}"
        return f"{sent}: {self.detail}" if self.detail else sent
