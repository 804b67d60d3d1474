"""Embeddings answers: the usage is read, the vectors are not."""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.values.usage import Usage
from suffice.wire import usage as usage_of


class _Body(msgspec.Struct):
    data: list[msgspec.Raw] | None = None
    usage: dict[str, Any] | None = None
    model: str = ""
    error: Any = None


_decode = msgspec.json.Decoder(_Body).decode


def embeddings(body: bytes) -> tuple[Any, Usage | None, str]:
    """Return (error object or None, usage or None, the upstream's model). Raises WireError for anything else."""
    try:
        read = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise WireError("the provider's answer is not an embeddings object") from None
    if read.error is not None and read.data is None:
        return read.error, None, ""
    if read.data is None:
        raise WireError("the provider's answer holds no embeddings")
    return None, usage_of.from_chat(read.usage), read.model
