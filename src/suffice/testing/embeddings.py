"""Embeddings of a fake provider: deterministic unit vectors, as floats or as base64 of little-endian 32-bit floats.

Invariant: the same input text and dimensions give the same vector, whatever the encoding and the position in the batch.
"""

from __future__ import annotations

import base64
import math
import struct
from typing import Any

from suffice.testing.chat import Identity, encode
from suffice.testing.script import Behaviour, Call
from suffice.testing.seeded import Seeded

DEFAULT_DIMENSIONS = 16
MAX_DIMENSIONS = 4096


def vector(text: str, dimensions: int) -> list[float]:
    """Return a vector of length 1 that depends on `text` and `dimensions` only; each element is exact in 32 bits."""
    chance = Seeded(dimensions, text)
    raw = [2.0 * chance.random() - 1.0 for _ in range(dimensions)]
    norm = math.sqrt(sum(value * value for value in raw)) or 1.0
    packed = struct.pack(f"<{dimensions}f", *(value / norm for value in raw))
    return list(struct.unpack(f"<{dimensions}f", packed))


def body(behaviour: Behaviour, call: Call, identity: Identity, prompt_tokens: int) -> bytes:
    """Return the answer to `POST /v1/embeddings`."""
    parsed = call.parsed or {}
    given = parsed.get("input", "")
    # A list of integers is one input given as tokens; a list of lists or of texts is a batch.
    batch = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
    wanted = parsed.get("dimensions")
    size = min(max(wanted, 1), MAX_DIMENSIONS) if isinstance(wanted, int) else DEFAULT_DIMENSIONS
    data: list[dict[str, Any]] = []
    for index, item in enumerate(batch):
        values = vector(item if isinstance(item, str) else encode(item).decode(), size)
        embedding: Any = values
        if parsed.get("encoding_format") == "base64":
            embedding = base64.b64encode(struct.pack(f"<{size}f", *values)).decode()
        data.append({"object": "embedding", "index": index, "embedding": embedding})
    whole: dict[str, Any] = {"object": "list", "data": data, "model": identity.model}
    if behaviour.usage.where != "none" and behaviour.usage.values != "absent":
        whole["usage"] = {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens}
    return encode(whole)
