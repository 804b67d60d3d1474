"""The bytes of a request head. Pure.

Invariant: a head has exactly the lines it was given, so no value can start a second header or a second request, and neither
framing nor credentials can be set per request.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from suffice.errors import RequestError
from suffice.upstream.endpoints import HEADER_NAME, Endpoint

METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE"))
# A caller's own credential must never travel to a provider by mistake: credentials come from the endpoint.
_CREDENTIALS = frozenset(
    b"authorization x-api-key api-key x-goog-api-key cookie x-amz-date x-amz-security-token x-amz-content-sha256".split()
)
_TARGET = re.compile(rb"/[!-\"$-~]*")
_MAX_KNOWN_NAMES = 1024


class HeadBuilder:
    """Builds heads and remembers which header names were found to be well formed."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def build(
        self,
        endpoint: Endpoint,
        method: bytes,
        path: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        size_bytes: int,
        proof: Sequence[tuple[bytes, bytes]] = (),
    ) -> bytes:
        """Return the head of a request whose body has `size_bytes` bytes.

        `path` begins with "/" and may carry a query. Raises RequestError (nothing was sent) for a method or path that cannot be
        sent, a header name that is malformed, reserved or set by the endpoint, and a value with CR, LF or NUL. `proof` are the
        headers of the endpoint's authorizer.
        """
        if method not in METHODS or not _TARGET.fullmatch(path):
            raise RequestError(f"{method!r} {path!r} cannot be sent upstream", code="invalid_upstream_request")
        parts = [method, b" ", endpoint.prefix, path, endpoint.static_head]
        known = self._known
        static = endpoint.static_names
        for name, value in headers:
            if name not in known or name in static:
                self._check(name, static)
            parts += (name, b": ", value, b"\r\n")
        for name, value in proof:
            parts += (name, b": ", value, b"\r\n")
        lines = endpoint.static_lines + len(headers) + len(proof) + 1
        if size_bytes or method not in (b"GET", b"HEAD"):
            parts.append(b"content-length: %d\r\n\r\n" % size_bytes)
            lines += 1
        else:
            parts.append(b"\r\n")
        head = b"".join(parts)
        # One line end per line given: any injected CR or LF makes a count differ.
        if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
            raise RequestError("a header value holds CR, LF or NUL", code="invalid_upstream_request")
        return head

    def _check(self, name: bytes, static: frozenset[bytes]) -> None:
        lower = name.lower()
        if not HEADER_NAME.fullmatch(name):
            raise RequestError(f"{name[:40]!r} is no header name", code="invalid_upstream_request")
        if lower in static or lower in _CREDENTIALS:
            raise RequestError(f"header {name!r} belongs to the endpoint", code="invalid_upstream_request")
        if name == lower and len(self._known) < _MAX_KNOWN_NAMES:
            self._known.add(name)
