"""Counts the gateways that a request has passed, so that a loop of gateways ends instead of spending.

Each gateway says one more than it was told; a request that has passed `MAX_HOPS` of them is refused with 508. A chain of a
laptop's, a team's and a company's gateway stays below that.
"""

from __future__ import annotations

from collections.abc import Mapping

from suffice.errors import RequestError

HEADER = "x-suffice-hops"
MAX_HOPS = 3

_ONWARD = tuple((HEADER.encode(), str(hops).encode()) for hops in range(MAX_HOPS + 1))


def told(headers: Mapping[str, str]) -> int:
    """Return how many gateways a request with these headers (lower-case names) has passed. Raises RequestError (400, 508)."""
    text = headers.get(HEADER)
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise RequestError(
            f"the header {HEADER} is not a small number", hint="leave it out: gateways set it", param=HEADER
        )
    if int(text) >= MAX_HOPS:
        raise RequestError(
            f"this request has passed {int(text)} gateways: one of them sends it round in a loop",
            hint="look for an endpoint whose base_url is this gateway, or one that leads back to it",
            status=508,
            code="loop_detected",
        )
    return int(text)


def onward(headers: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Return the header that a request onward carries. Raises as `told`."""
    return _ONWARD[told(headers) + 1]
