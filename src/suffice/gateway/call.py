"""One request as the gateway received it: the value that travels through the pipeline."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Call(msgspec.Struct, kw_only=True):
    """A request whose body has been read.

    `headers` has lower-case names; of a repeated header the first value counts, and the ones that must not repeat were refused
    before. `deadline` is on the monotonic clock; all attempts share it. `model` and `stream` are set where the path says them.
    """

    request_id: str
    dialect: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes
    received_s: float
    started_mono_s: float
    deadline_mono_s: float
    client: str = ""
    model: str = ""
    stream: bool = False
    method: str = "POST"

    def header(self, name: str, default: str = "") -> str:
        """Return the value of the header `name` (lower case)."""
        return self.headers.get(name, default)
